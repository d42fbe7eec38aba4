/** One file that `init` writes: where, what for, and its text. */
export interface Template {
	readonly path: string;
	readonly about: string;
	readonly text: string;
}

/**
 * What does not come from the packaged library. `version` is the one the workflow pins; `source` what the source mark says
 * of the repository around it, null where it has no origin yet.
 */
export function templates(version: string, source: string | null): readonly Template[] {
	return [
		{ path: "policies/platform/installation.yaml", about: "the name in every ownership mark", text: installation(source) },
		{ path: "policies/platform/accounts.yaml", about: "where to act; all comments, so the caller's own account", text: ACCOUNTS },
		{ path: "policies/platform/guardrails.yaml", about: "what no policy may do", text: GUARDRAILS },
		{ path: "CODEOWNERS", about: "who must review what: put your teams in", text: CODEOWNERS },
		{ path: ".vscode/settings.json", about: "completion and checks in the editor (yaml-language-server)", text: SETTINGS },
		{
			path: ".github/workflows/ecs-access.yml",
			about: "validate and plan in every pull request",
			text: workflow(version),
		},
	];
}

function installation(source: string | null): string {
	const line =
		source === null
			? `# This repository's address, in the mark of every role. Without it origin's is taken, and while there is no origin,
  # "directory": what was applied until then is another source's once there is one. So write it before the first apply:
  # source: github.com/your-org/access//policies`
			: `# This repository's address, in the mark of every role. Where it moves, name the old one under previousSources.
  source: ${source}`;
	return `# The name goes into the ownership mark of every role: choose it once.
apiVersion: ecs-access.dev/v1alpha1
kind: Installation
metadata: { name: main }
spec:
  mode: Observe
  ${line}
  # How much one day may take away, an account; beyond it, steps wait for an Approval. These are the defaults.
  budgets: { deletions: 5, narrowings: 20, percent: 20 }
`;
}

const ACCOUNTS = `# Without an Account the caller's own account and region are meant. With one, another account is refused.
#
# apiVersion: ecs-access.dev/v1alpha1
# kind: Account
# metadata: { name: prod, labels: { env: prod } }
# spec:
#   accountId: "123456789012"
#   region: eu-west-1
#   # A boundary that every managed role gets:
#   # permissionsBoundary: arn:aws:iam::123456789012:policy/workload-boundary
#   # Who must be able to pass the roles when it deploys:
#   # deployers: [arn:aws:iam::123456789012:role/ci-deploy]
#   vars: { env: prod }
`;

const GUARDRAILS = `# Checked by validate and plan, and before every write. Deny: no policy that asks for it is applied.
apiVersion: ecs-access.dev/v1alpha1
kind: Guardrail
metadata: { name: baseline }
spec:
  enforcement: Deny
  rules:
    - { id: no-iam, denyActions: ["iam:*", "organizations:*", "account:*"] }
    - { id: short-grants, maxGrantDuration: 14d }
---
# Warn: told, not stopped.
apiVersion: ecs-access.dev/v1alpha1
kind: Guardrail
metadata: { name: advice }
spec:
  enforcement: Warn
  rules:
    - { id: no-plaintext-secrets, denyPlaintextSecrets: true }
# To have more access and every deletion approved by the platform team, add to the rules of baseline:
#   - { id: ask-before-broadening, requireApprovalFor: [broadens, deletes] }
`;

const CODEOWNERS = `# The last line that matches counts. What no policy may do is decided by those who own policies/platform/.
/policies/           @your-org/service-teams
/policies/platform/  @your-org/platform
/.github/            @your-org/platform
/CODEOWNERS          @your-org/platform
`;

/** Where the editor schema is written to. */
export const EDITOR_SCHEMA = ".vscode/ecs-access.schema.json";

const SETTINGS = `${JSON.stringify({ "yaml.schemas": { [`./${EDITOR_SCHEMA}`]: ["policies/**/*.yaml", "policies/**/*.yml"] } }, null, 2)}\n`;

function workflow(version: string): string {
	return `# Validates every pull request and what lands on main; comments the plan on a pull request once AWS_PLAN_ROLE names a role that may read.
name: ecs-access
on:
  push: { branches: [main] }
  pull_request:
permissions: {}
env:
  # Where your pipelines find ecs-access itself, and which version of it: put your copy in.
  ECS_ACCESS_REPOSITORY: your-org/ecs-access
  ECS_ACCESS_REF: v${version}
jobs:
  validate:
    runs-on: ubuntu-latest
    permissions: { contents: read }
    steps:
      - uses: actions/checkout@v4
      - uses: actions/setup-node@v4
        with: { node-version: 24 }
      - uses: actions/checkout@v4
        with: { repository: "\${{ env.ECS_ACCESS_REPOSITORY }}", ref: "\${{ env.ECS_ACCESS_REF }}", path: .ecs-access }
      - run: npm ci --omit=dev --no-fund --no-audit --prefix .ecs-access
      - run: node .ecs-access/controller/main.ts validate --format github
  plan:
    if: github.event_name == 'pull_request' && vars.AWS_PLAN_ROLE != ''
    needs: validate
    runs-on: ubuntu-latest
    permissions: { contents: read, id-token: write, pull-requests: write }
    steps:
      - uses: actions/checkout@v4
        with: { fetch-depth: 0 }
      - uses: actions/setup-node@v4
        with: { node-version: 24 }
      - uses: actions/checkout@v4
        with: { repository: "\${{ env.ECS_ACCESS_REPOSITORY }}", ref: "\${{ env.ECS_ACCESS_REF }}", path: .ecs-access }
      - run: npm ci --omit=dev --no-fund --no-audit --prefix .ecs-access
      - uses: aws-actions/configure-aws-credentials@v4
        with:
          role-to-assume: \${{ vars.AWS_PLAN_ROLE }}
          aws-region: \${{ vars.AWS_REGION }}
      # 2 says that there is something to do, which is no failure of a pull request.
      - run: node .ecs-access/controller/main.ts plan --format markdown > plan.md || [ $? -eq 2 ]
      - run: gh pr comment "$NUMBER" --body-file plan.md --edit-last --create-if-none
        env:
          GH_TOKEN: \${{ github.token }}
          GH_REPO: \${{ github.repository }}
          NUMBER: \${{ github.event.pull_request.number }}
`;
}
