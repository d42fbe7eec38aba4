import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { ECSClient, UpdateServiceCommand } from "@aws-sdk/client-ecs";
import { IAMClient, PutRolePolicyCommand } from "@aws-sdk/client-iam";
import type { Sandbox } from "../sandbox/sandbox.ts";
import type { Stage } from "./stage.ts";

/** What the live acts play with. */
export interface Live {
	readonly stage: Stage;
	readonly sandbox: Sandbox;
	readonly account: string;
	readonly folder: string;
	readonly commit: (message: string) => void;
	readonly region: string;
}

/** Two acts: the controller at work, with an emulator that tells what happens as AWS does. */
export async function playLive({ stage, sandbox, account, folder, commit, region }: Live): Promise<void> {
	const endpoint = sandbox.endpoint;
	const write = (name: string, text: string): void => {
		mkdirSync(join(folder, "policies/platform"), { recursive: true });
		writeFileSync(join(folder, "policies", name), text);
		stage.say(text.trimEnd());
	};
	await sandbox.configure(account, { trail: true, eventDelayMs: 500 });
	// Tasks take as long to start as it takes to read a line.
	await sandbox.deployments(account, { startSeconds: 0.5, stopSeconds: 0.2, fail: [{ taskDefinition: "status-page:3" }] });

	stage.act("The controller: a change by hand, gone in seconds");
	await stage.hand("cat > policies/platform/installation.yaml", () =>
		write("platform/installation.yaml", installation(account, region)),
	);
	commit("The controller may write");
	await stage.ecsAccess("triggers apply --yes", 0);
	const run = stage.leave("run --path policies --poll 1");
	try {
		await run.logs({ msg: "revision in force" });
		const everything = { Version: "2012-10-17", Statement: [{ Effect: "Allow", Action: "*", Resource: "*" }] };
		await stage.hand(
			`aws iam put-role-policy --role-name billing-task --policy-name rogue --policy-document '${JSON.stringify(everything)}'`,
			async () => {
				const PolicyDocument = JSON.stringify(everything);
				const iam = new IAMClient({ endpoint, region });
				await iam.send(new PutRolePolicyCommand({ RoleName: "billing-task", PolicyName: "rogue", PolicyDocument }));
			},
		);
		await run.logs({ msg: "step applied", api: "iam:DeleteRolePolicy" });
		await stage.ecsAccess("history AccessPolicy/billing-task --limit 3", 0);
		stage.moral(
			"An event told which role, the controller looked for itself, and removed by name what git does not say. Who did it stays on record.",
		);

		stage.act("A binding enforced, and a roll that fails");
		await stage.hand("cat > policies/status-page.yaml", () => write("status-page.yaml", statusPage("status-page-task")));
		commit("A role of its own for the status page");
		await run.logs({ msg: "step applied", api: "ecs:UpdateService" });
		await stage.until("get AccessPolicy/status-page", "as git says");
		const ecs = new ECSClient({ endpoint, region });
		await stage.hand("$EDITOR policies/status-page.yaml      # a second role; its tasks will not start", async () => {
			const deploymentCircuitBreaker = { enable: true, rollback: false };
			await ecs.send(
				new UpdateServiceCommand({
					cluster: "tools",
					service: "status-page",
					deploymentConfiguration: { deploymentCircuitBreaker },
				}),
			);
			writeFileSync(join(folder, "policies/status-page.yaml"), statusPage("status-page-next-task"));
		});
		commit("Another role for the status page");
		await run.logs({ msg: "step applied", api: "ecs:UpdateService", why: "spec-changed" });
		await run.logs({ msg: "step applied", api: "ecs:UpdateService", why: "failed" });
		await stage.until("get AccessPolicy/status-page", "False");
		stage.moral(
			"The service is back on the revision that worked, by itself; it is not tried again until git or the image changes.",
		);
	} finally {
		await run.end();
	}
}

function installation(account: string, region: string): string {
	return `apiVersion: ecs-access.dev/v1alpha1
kind: Installation
metadata: { name: default }
spec: { mode: Enforce, resync: 10m }
---
apiVersion: ecs-access.dev/v1alpha1
kind: Account
metadata: { name: prod }
spec: { accountId: "${account}", region: ${region} }
`;
}

function statusPage(role: string): string {
	return `apiVersion: ecs-access.dev/v1alpha1
kind: AccessPolicy
metadata: { name: status-page }
spec:
  accountRef: prod
  workloads: [{ cluster: tools, services: [status-page] }]
  taskRole:
    name: ${role}
    statements:
      - { sid: Publish, actions: [s3:PutObject], resources: ["arn:aws:s3:::acme-status/*"] }
  binding: Enforce
`;
}
