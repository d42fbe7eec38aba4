import { afterEach, describe, expect, test } from "vitest";
import { createStoreTable } from "../sandbox/store-table.ts";
import { useSandbox } from "../sandbox/use.ts";
import { commitAll, gitIn, initRepository, tempFolder } from "../unit/source/repository.ts";
import { type Person, person, type Running } from "./cli.ts";
import { liveRoles } from "./live.ts";
import { accountWith, documentText, policyText } from "./world.ts";

/** What run refuses for what it loses, and a person's word for it. */

const sandbox = useSandbox();
const running: Running[] = [];
afterEach(async () => {
	for (const r of running) r.kill("SIGKILL");
	await Promise.all(running.splice(0).map((r) => r.ended));
});

const GUARDRAIL = documentText("Guardrail", "base", '{ enforcement: Deny, rules: [{ id: no-iam, denyActions: ["iam:*"] }] }');

async function company(options: { readonly store?: string } = {}) {
	const { account, kim, iam } = await accountWith(sandbox, "orders", "billing");
	const folder = tempFolder();
	const path = folder.at("access");
	initRepository(path);
	const write = (file: string, text: string): void => folder.write(`access/policies/${file}`, text);
	const commit = (message: string, ...more: string[]): string => commitAll(path, message, ...more);
	const store = options.store === undefined ? "" : `, store: "${options.store}"`;
	write("platform/installation.yaml", documentText("Installation", "main", `{ mode: Enforce, resync: 5s${store} }`));
	write("platform/prod.yaml", documentText("Account", "prod", `{ accountId: "${account}", region: eu-west-1 }`));
	write("platform/guard.yaml", GUARDRAIL);
	write("orders.yaml", policyText("orders"));
	const first = commit("orders");
	const remove = (file: string): void => folder.remove(`access/policies/${file}`);
	return { account, kim, iam, path, first, write, remove, commit, from: ["--git", path, "--subdir", "policies"] as const };
}

function controller(who: Person, from: readonly string[]): Running {
	const started = who.start("run", ...from, "--poll", "1");
	running.push(started);
	return started;
}

const inline = async (iam: Parameters<typeof liveRoles>[0], role: string): Promise<readonly string[]> =>
	Object.keys((await liveRoles(iam))[role]?.inline ?? {});

describe("admit", () => {
	test("brings a rewritten history into force while run goes on, and stands in the history; without it the last good one holds", async () => {
		const { kim, iam, path, first, write, commit, from } = await company();
		const run = controller(kim, from);
		await run.says("step applied");
		write("billing.yaml", policyText("billing"));
		const rewritten = commit("orders and billing", "--amend");
		await run.says("NotDescendant");
		expect(await inline(iam, "billing-task")).toEqual([]);

		// Kim stands in a clone of it.
		gitIn(kim.cwd, "clone", "-q", path, "clone");
		const at = ["--path", "clone/policies", "--reason", "a leaked key was dropped"] as const;
		const asked = await kim.answer(["admit", rewritten.slice(0, 8), ...at], "n");
		expect(asked.stdout).toContain(`commit ${rewritten}`);
		expect(asked.stdout).toContain(`${rewritten.slice(0, 7)} does not descend from ${first.slice(0, 7)}`);
		expect(asked).toMatchObject({ code: 2, stdout: expect.stringContaining("Nothing was changed.") });

		const admitted = await kim.run("admit", rewritten.slice(0, 8), ...at, "--yes");
		expect(admitted).toMatchObject({ code: 0, stdout: expect.stringContaining(`Admitted ${rewritten.slice(0, 7)}:`) });
		await expect.poll(() => inline(iam, "billing-task"), { timeout: 30_000 }).toEqual(["ecs-access"]);
		const history = await kim.run("history", "Installation/main", "--path", "clone/policies");
		expect(history.stdout).toMatch(/admitted .*a leaked key was dropped/);
		expect(history.stdout).toContain(`revision ${rewritten.slice(0, 7)}`);
		// It is in force now, and what comes after it needs no word.
		const again = await kim.run("admit", rewritten, ...at, "--yes");
		expect(again).toMatchObject({ code: 0, stdout: `${rewritten.slice(0, 7)} needs no word: it is in force.\n` });
	});

	test("accepts the loss of the last guardrail by somebody without a clone, over a shared store, and not what is wrong", async () => {
		const { account, kim, write, remove, commit, from } = await company({ store: "dynamodb://ecs-access" });
		await createStoreTable(sandbox, account);
		const run = controller(kim, from);
		await run.says("step applied");
		remove("platform/guard.yaml");
		const without = commit("no guardrails");
		await run.says("GuardrailsLost");

		const lee = person(sandbox, account, { USER: "lee" });
		lee.write(
			"policies/platform/installation.yaml",
			documentText("Installation", "main", '{ mode: Enforce, store: "dynamodb://ecs-access" }'),
		);
		const admitted = await lee.run("admit", without, ...from, "--reason", "moved to SCPs", "--yes");
		expect(admitted).toMatchObject({
			code: 0,
			stdout: expect.stringContaining("GuardrailsLost  the last Guardrail is gone"),
		});
		await run.says(`"revision":"${without}"`);

		write("platform/broken.yaml", "a: [");
		const broken = commit("broken");
		await run.says("InvalidYaml");
		const refused = await lee.run("admit", broken, ...from, "--reason", "please", "--yes");
		expect([refused.code, refused.stderr]).toEqual([1, expect.stringContaining("cannot be admitted by anybody")]);
	});

	test("says what it cannot take: a moving name, an unknown commit, nothing remembered, no reason, nobody to ask", async () => {
		const { kim, path, first, from, commit } = await company();
		gitIn(kim.cwd, "clone", "-q", path, "clone");
		const at = ["--path", "clone/policies", "--reason", "r"] as const;
		const says = async (...args: readonly string[]): Promise<string> => {
			const { code, stderr } = await kim.run("admit", ...args);
			expect([code, stderr.includes("    at ")]).toEqual([1, false]);
			return stderr;
		};
		expect(await says("main", ...at)).toContain("a branch or a tag may move");
		expect(await says(first, ...at)).toContain("knows of no revision that run has admitted");
		const run = controller(kim, from);
		await run.says("step applied");
		expect(await says("0123456", ...at)).toContain("is not a commit of this repository");
		expect(await says(first, "--path", "clone/policies", "--reason", " ")).toContain("--reason is empty");
		const amended = commit("other words", "--amend");
		await run.says("NotDescendant");
		gitIn(`${kim.cwd}/clone`, "fetch", "-q");
		expect(await says(amended, ...at)).toContain("there is no terminal");
	});
});
