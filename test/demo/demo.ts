/** `npm run demo`: the product in nine acts, on a real emulator of AWS, in under three minutes. Leaves nothing behind. */
import { execFileSync } from "node:child_process";
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DeleteRolePolicyCommand, IAMClient, PutRolePolicyCommand } from "@aws-sdk/client-iam";
import { GetCallerIdentityCommand, STSClient } from "@aws-sdk/client-sts";
import { company, companyAccount } from "../sandbox/company.ts";
import { startSandbox } from "../sandbox/sandbox.ts";
import { fill } from "./fill.ts";
import { playLive } from "./live.ts";
import { playRotation } from "./rotation.ts";
import { createStage, type Stage } from "./stage.ts";

const ASKED = `      - sid: JustForNow
        actions: [iam:PassRole]
        resources: ["*"]
`;

const GUARDRAILS = `apiVersion: ecs-access.dev/v1alpha1
kind: Guardrail
metadata: { name: baseline }
spec:
  enforcement: Deny
  rules:
    - { id: no-iam, denyActions: ["iam:*", "organizations:*"] }
  exceptions:
    - { policy: admin-task, rule: no-iam, reason: "leaves in Q1", expiresAt: ${new Date(Date.now() + 90 * 86_400_000).toISOString().slice(0, 10)}T00:00:00Z }
`;

const folder = mkdtempSync(join(tmpdir(), "ecs-access-demo-"));
const given = process.env.AWS_ENDPOINT_URL;
if (given !== undefined && /amazonaws\.com|\.api\.aws|amazonaws\.eu/.test(given)) {
	throw new Error(`AWS_ENDPOINT_URL is ${given}: the demo makes roles and services, and is for an emulator only`);
}
if (given === undefined)
	process.stdout.write("Starting AWS on this machine (the first time installs moto; that takes a moment) …\n");
const sandbox = given === undefined ? await startSandbox() : null;
const aws = sandbox?.env(companyAccount) ?? {};
Object.assign(process.env, aws);
// An emulator takes any key, and whoever names one may have none.
if (given !== undefined && process.env.AWS_PROFILE === undefined) {
	process.env.AWS_ACCESS_KEY_ID ??= "test";
	process.env.AWS_SECRET_ACCESS_KEY ??= "test";
}
process.env.AWS_REGION ??= "eu-west-1";
const endpoint = given ?? sandbox?.endpoint ?? "";
const region = process.env.AWS_REGION;
try {
	await play();
} finally {
	await sandbox?.stop();
	rmSync(folder, { recursive: true, force: true });
}

async function play(): Promise<void> {
	const { Account: account = companyAccount } = await new STSClient({ endpoint, region }).send(new GetCallerIdentityCommand({}));
	const seed = { ...company(account), region };
	const leftOut = await fill(endpoint, seed);
	const stage = createStage(folder, { ...process.env, HOME: folder, XDG_STATE_HOME: join(folder, ".state") });
	const git = (...args: string[]): string =>
		execFileSync("git", ["-c", "user.name=Kim", "-c", "user.email=kim@acme.example", ...args], { cwd: folder, encoding: "utf8" });
	const commit = (message: string): void => {
		git("add", "policies");
		git("commit", "-qm", message);
	};
	const edit = (name: string, change: (text: string) => string): void => {
		const path = join(folder, "policies", name);
		writeFileSync(path, change(readFileSync(path, "utf8")));
	};
	git("init", "-q", "-b", "main");
	writeFileSync(join(folder, ".gitignore"), ".state/\nplan.json\n");

	stage.act("What runs today");
	stage.say(
		`acme: ${seed.clusters?.length} clusters, ${seed.services?.length} services, ${seed.roles?.length} roles at ${endpoint}, with the usual sins.`,
	);
	if (leftOut.length > 0) stage.say(`(this endpoint could not take: ${leftOut.join("; ")})`);
	await stage.ecsAccess("import", 0);
	await stage.hand("cat policies/billing-task.yaml", () =>
		stage.say(readFileSync(join(folder, "policies/billing-task.yaml"), "utf8")),
	);
	stage.moral("Nobody has to start from nothing: what runs is written down as it is, and nothing of it was touched.");

	stage.act("Read it before anything happens");
	await stage.ecsAccess("validate", 0);
	commit("Write down what runs");
	await stage.ecsAccess("plan --out plan.json", 2);
	stage.moral(
		"Taking over changes tags and nothing else; the password in plain text and the merged role are named with what to do.",
	);

	stage.act("Apply, and ask again");
	await stage.ecsAccess("apply plan.json", 0);
	await stage.ecsAccess("plan", 0);
	stage.moral("A second plan is empty, with the findings still there: a plan that cries wolf is a plan nobody reads.");

	stage.act("Take one role in hand");
	await stage.hand("$EDITOR policies/billing-task.yaml    # drop the quick fix of that night; exclusive: true", () => {
		edit("billing-task.yaml", (text) => withoutQuickFix(text).replace("exclusive: false", "exclusive: true"));
		stage.say(git("diff", "--unified=1", "policies/billing-task.yaml").split("\n").slice(4).join("\n").trimEnd());
	});
	commit("Drop the quick fix from billing");
	await stage.ecsAccess("apply --only AccessPolicy/billing-task --yes", 0);
	stage.moral("The review reads what the workload loses, with a request that proves it, and not a JSON diff.");

	stage.act("A change that may not be");
	await stage.hand("cat > policies/platform/guardrails.yaml", () => {
		mkdirSync(join(folder, "policies/platform"), { recursive: true });
		writeFileSync(join(folder, "policies/platform/guardrails.yaml"), GUARDRAILS);
		stage.say(GUARDRAILS.trimEnd());
	});
	await stage.hand("$EDITOR policies/search-task.yaml       # “search needs iam:PassRole, just for now”", () => {
		edit("search-task.yaml", (text) => text.replace("    statements:\n", `    statements:\n${ASKED}`));
	});
	await stage.ecsAccess("validate", 2);
	stage.moral("The guardrail speaks in the pull request, before any AWS call, at the line that asks.");
	edit("search-task.yaml", (text) => text.replace(ASKED, ""));
	commit("Guard what no policy may do");

	if (sandbox === null) await playByHand(stage);
	else {
		const live = { stage, sandbox, account, folder, commit, region };
		await playLive(live);
		await playRotation(live);
	}

	stage.say(`
That was all of it, and nothing is left running. To play with the same company yourself:

  npm run sandbox            keeps it running and prints what to paste
  ecs-access import          then edit a file, and: plan, apply, get, describe, history
  ecs-access explain AccessPolicy.spec.taskRole
  docs/getting-started.md    the way from here to your own account`);
}

/** Another emulator tells nobody what happens in it: what a hand did is found by the next plan. */
async function playByHand(stage: Stage): Promise<void> {
	stage.act("Somebody helps, by hand");
	const iam = new IAMClient({ endpoint, region });
	const rogue = { RoleName: "billing-task", PolicyName: "rogue" };
	const everything = { Version: "2012-10-17", Statement: [{ Effect: "Allow", Action: "*", Resource: "*" }] };
	await stage.hand(
		`aws iam put-role-policy --role-name billing-task --policy-name rogue --policy-document '${JSON.stringify(everything)}'`,
		async () => {
			await iam.send(new PutRolePolicyCommand({ ...rogue, PolicyDocument: JSON.stringify(everything) }));
		},
	);
	await stage.ecsAccess("plan --only AccessPolicy/billing-task", 2);
	stage.moral("Terraform without its _exclusive resources, cdk diff and CloudFormation drift detection do not see this at all.");

	stage.act("Healed, and on record");
	await stage.ecsAccess("apply --only AccessPolicy/billing-task --yes", 0);
	await stage.ecsAccess("get accesspolicies", 0);
	await stage.ecsAccess("history AccessPolicy/billing-task", 0);
	stage.moral("What a hand added is removed by name; who, what, when and for which commit stays.");
	await iam.send(new DeleteRolePolicyCommand(rogue)).catch(() => {});
}

/** The statement that the hand-edited inline policy "quick-fix" gave, as import wrote it. */
function withoutQuickFix(text: string): string {
	const block = / {6}- actions:\n {10}- s3:\*\n {8}resources:\n {10}- "\*"\n/;
	if (!block.test(text)) throw new Error("billing-task.yaml does not hold the quick fix as import writes it");
	return text.replace(block, "");
}
