import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { roleSeed, serviceSeed, taskDefinitionSeed } from "../sandbox/seed-data.ts";
import { useSandbox } from "../sandbox/use.ts";
import { commitAll, initRepository } from "../unit/source/repository.ts";
import { type Person, person } from "./cli.ts";
import { roleNames } from "./live.ts";
import { accountWith, documentText, policyText } from "./world.ts";

/** What others have written into AWS and into files never leads out of a folder, into a terminal, or to a secret. */

const sandbox = useSandbox();

function filesBelow(folder: string): readonly string[] {
	return readdirSync(folder, { recursive: true, withFileTypes: true })
		.filter((entry) => entry.isFile())
		.map((entry) => join(entry.parentPath, entry.name));
}

function everything(kim: Person): string {
	return filesBelow(join(kim.cwd, ".."))
		.map((path) => `${path}\n${readFileSync(path, "latin1")}`)
		.join("\n");
}

// biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are what must not be there
const CONTROL = /[\u0000-\u0009\u000b-\u001f\u007f-\u009f\u202e]/;

describe("an owner mark that somebody wrote by hand", () => {
	const owner = "AccessPolicy/../../../../pwn\u001b[31m|@all\u202e";
	const tags = {
		"ecs-access.dev/installation": "default",
		"ecs-access.dev/owner": owner,
		"ecs-access.dev/source": "directory",
		"ecs-access.dev/deletion": "delete:1s",
		"ecs-access.dev/retired-at": "2020-01-01T00:00:00Z",
	};

	test("names no file outside platform/approvals, and no terminal sees its control characters", async () => {
		const { account, kim } = await accountWith(sandbox);
		await sandbox.seed(account, { roles: [roleSeed("retired-task", [], { path: "/ecs-access/", tags })] });
		const rules = "{ enforcement: Deny, rules: [{ id: ask, requireApprovalFor: [deletes] }] }";
		kim.write("policies/platform/guardrails.yaml", documentText("Guardrail", "base", rules));
		const before = filesBelow(join(kim.cwd, "..")).length;
		const shown = await kim.run("plan", "--prune", "--format", "markdown");
		const text = await kim.run("plan", "--prune");
		const id = /ecs-access approve ([0-9a-f]{8})/.exec(text.stdout)?.[1] ?? "none";
		const approved = await kim.run("approve", id, "--reason", "not ours", "--prune");
		expect(approved.code).toBe(0);
		for (const { stdout, stderr } of [shown, text, approved]) expect(`${stdout}${stderr}`).not.toMatch(CONTROL);
		const made = filesBelow(join(kim.cwd, "policies/platform/approvals"));
		expect(made).toEqual([expect.stringMatching(/\/approvals\/pwn-31m-all-20[0-9-]+\.yaml$/)]);
		expect(filesBelow(join(kim.cwd, "..")).length).toBe(before + 1);
		// What was written is what approves.
		expect((await kim.run("validate")).code).toBe(0);
		expect((await kim.run("apply", "--prune", "--yes")).code).toBe(0);
	});
});

describe("a secret", () => {
	const planted = ["Sup3rS3cretPlanted01", "postgres://u:PlantedPw02@h/db"];

	test("in an environment is in no output and in no file, whatever is run", async () => {
		const account = sandbox.newAccount();
		const taskRoleArn = `arn:aws:iam::${account}:role/orders-task`;
		const environment = planted.map((value, n) => ({ name: n === 0 ? "DB_PASSWORD" : "DSN", value }));
		await sandbox.seed(account, {
			clusters: [{ name: "prod" }],
			roles: [roleSeed("orders-task")],
			taskDefinitions: [
				{ ...taskDefinitionSeed("orders", { taskRoleArn }), containerDefinitions: [{ name: "app", image: "x", environment }] },
			],
			services: [serviceSeed("prod", "orders")],
		});
		const kim = person(sandbox, account);
		let said = "";
		for (const words of [
			"import -v",
			"plan -v",
			"plan --format json -v --out plan.json",
			"plan --format markdown -v",
			"apply plan.json -v --log-level debug",
			"apply --yes -v --log-level debug",
			"get --format json",
			"describe AccessPolicy/orders-task",
			"history",
		]) {
			const { stdout, stderr } = await kim.run(...words.split(" "));
			said += `${stdout}${stderr}`;
		}
		expect(said).toContain("DB_PASSWORD");
		const all = said + everything(kim);
		for (const value of planted) expect(all).not.toContain(value);
	});

	test("in the address of a repository is neither shown nor saved nor remembered", async () => {
		const { kim } = await accountWith(sandbox);
		for (const scheme of ["https://kim:Planted3@127.0.0.1:1", "https://Planted3@127.0.0.1:1", "http://x.example:Planted3@y"]) {
			const { code, stdout, stderr } = await kim.run("apply", "--yes", "-v", "--git", `${scheme}/access.git`);
			expect([code, `${stdout}${stderr}`]).toEqual([1, expect.not.stringContaining("Planted3")]);
		}
		expect(everything(kim)).not.toContain("Planted3");
	});
});

test("a pipeline that names its policies takes no plan of others", async () => {
	const { kim, iam } = await accountWith(sandbox, "orders");
	kim.write("policies/orders.yaml", policyText("orders"));
	const theirs = join(kim.cwd, "theirs");
	kim.write("theirs/policies/orders.yaml", policyText("orders", { actions: "s3:*" }));
	initRepository(theirs);
	commitAll(theirs, "theirs");
	const asked = ["--git", theirs, "--subdir", "policies"];
	expect((await kim.run("plan", ...asked, "--out", "plan.json")).code).toBe(2);
	for (const mine of [
		["--path", "policies"],
		["--git", "https://git.example/access.git"],
		["--subdir", "other"],
	]) {
		const { code, stderr } = await kim.run("apply", "plan.json", ...mine);
		expect([code, stderr]).toEqual([1, expect.stringContaining("and a saved plan contradict each other")]);
	}
	expect(await roleNames(iam)).toEqual([]);
	const taken = await kim.run("apply", "plan.json", ...asked);
	expect([taken.code, taken.stdout]).toEqual([0, expect.stringContaining(`from ${theirs}`)]);
});
