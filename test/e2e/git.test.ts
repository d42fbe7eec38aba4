import { execFileSync } from "node:child_process";
import { describe, expect, test } from "vitest";
import { sourceMark } from "../../controller/source/mark.ts";
import { useSandbox } from "../sandbox/use.ts";
import { commitAll, GIT_ENV, gitIn, initRepository, type TempFolder, tempFolder } from "../unit/source/repository.ts";
import type { Person } from "./cli.ts";
import { liveRoles } from "./live.ts";
import { accountWith, documentText, policyText, writes } from "./world.ts";

/** Policies from a repository: branches, tags, rewritten history, signatures; and what a work tree may remove. */

const sandbox = useSandbox();

interface Repository {
	readonly folder: TempFolder;
	readonly path: string;
	readonly write: (path: string, text: string) => void;
	readonly commit: (message: string) => string;
}

function repository(): Repository {
	const folder = tempFolder();
	const path = folder.at("access");
	initRepository(path);
	return {
		folder,
		path,
		write: (file, text) => folder.write(`access/${file}`, text),
		commit: (message) => commitAll(path, message),
	};
}

const from = (r: Repository, ...more: readonly string[]): readonly string[] => ["--git", r.path, "--subdir", "policies", ...more];

async function code(kim: Person, ...args: readonly string[]): Promise<number | null> {
	const { code: ended, stderr } = await kim.run(...args);
	expect(stderr).not.toContain("    at ");
	return ended;
}

describe("--git", () => {
	test("applies its branch, marks what it makes with its address, and removes only what its branch dropped", async () => {
		const { account, kim, iam } = await accountWith(sandbox, "orders", "billing");
		const r = repository();
		r.write("policies/orders.yaml", policyText("orders"));
		r.write("policies/billing.yaml", policyText("billing"));
		const first = r.commit("two services");
		expect(await code(kim, "apply", ...from(r), "--yes")).toBe(0);
		expect((await liveRoles(iam))["orders-task"]?.tags["ecs-access.dev/source"]).toBe(sourceMark(r.path, "policies"));
		expect((await kim.run("history", "orders")).stdout).toContain(`revision ${first.slice(0, 7)}`);

		// A feature branch that lacks a policy is no order to remove anything.
		gitIn(r.path, "checkout", "-q", "-b", "feature");
		r.folder.remove("access/policies/billing.yaml");
		r.commit("without billing");
		gitIn(r.path, "checkout", "-q", "main");
		const branch = await kim.run("plan", ...from(r), "--ref", "feature", "--prune");
		expect([branch.code, branch.stdout]).toEqual([0, expect.stringContaining("feature was read, not branch main")]);
		expect(await code(kim, "apply", ...from(r), "--ref", "feature", "--prune", "--yes")).toBe(0);
		expect((await liveRoles(iam))["billing-task"]?.tags).toHaveProperty("ecs-access.dev/owner");

		// Merged, it is one.
		gitIn(r.path, "merge", "-q", "--ff-only", "feature");
		expect(await code(kim, "plan", ...from(r))).toBe(0);
		expect(await code(kim, "plan", ...from(r), "--prune", "--out", "plan.json")).toBe(2);
		expect(await code(kim, "apply", "plan.json")).toBe(0);
		expect((await liveRoles(iam))["billing-task"]?.tags).toEqual({});
		expect(await writes(sandbox, account)).toMatchObject({ "iam:UntagRole": 1 });
	});

	test("goes back to an older commit, or a rewritten history, only by --force", async () => {
		const { kim } = await accountWith(sandbox, "orders");
		const r = repository();
		r.write("policies/orders.yaml", policyText("orders"));
		const first = r.commit("one");
		gitIn(r.path, "tag", "v1");
		r.write("policies/orders.yaml", policyText("orders", { actions: "s3:PutObject" }));
		const second = r.commit("two");
		expect(await code(kim, "apply", ...from(r), "--yes")).toBe(0);

		const back = await kim.run("apply", ...from(r, "--ref", "v1"), "--yes");
		expect(back.code).toBe(1);
		expect(back.stderr).toContain(`commit ${first.slice(0, 7)} does not descend from ${second.slice(0, 7)}`);
		expect(back.stderr).toContain("--force");
		gitIn(r.path, "reset", "-q", "--hard", first);
		r.write("policies/orders.yaml", policyText("orders", { actions: "s3:DeleteObject" }));
		r.commit("another two");
		expect(await code(kim, "apply", ...from(r), "--yes")).toBe(1);
		expect(await code(kim, "plan", ...from(r))).toBe(1);
		expect(await code(kim, "apply", ...from(r), "--yes", "--force")).toBe(0);
		// That was said once; the new history is the one that counts from now on.
		expect(await code(kim, "plan", ...from(r))).toBe(0);
	});

	test("of a commit that nobody signed is refused where signatures are required, before AWS is asked", async () => {
		const { account, kim } = await accountWith(sandbox, "orders");
		const r = repository();
		r.write("policies/orders.yaml", policyText("orders"));
		r.commit("unsigned");
		execFileSync("ssh-keygen", ["-q", "-t", "ed25519", "-N", "", "-C", "anna", "-f", r.folder.at("key")]);
		kim.write("signers", `anna@acme.example ${execFileSync("cat", [r.folder.at("key.pub")], { encoding: "utf8" })}`);
		const signed = from(r, "--require-signatures", "--allowed-signers", "signers");
		const unsigned = await kim.run("apply", ...signed, "--yes");
		expect([unsigned.code, unsigned.stderr]).toEqual([1, expect.stringContaining("is not signed by an allowed signer")]);
		expect(await sandbox.counts(account)).toEqual({});
		gitIn(r.path, "config", "gpg.format", "ssh");
		gitIn(r.path, "config", "user.signingkey", r.folder.at("key.pub"));
		execFileSync("git", ["-C", r.path, "commit", "-q", "--allow-empty", "-S", "-m", "signed"], { env: GIT_ENV });
		expect(await code(kim, "apply", ...signed, "--yes")).toBe(0);
	});

	test.each([
		["a branch that does not exist", ["--ref", "nowhere"], "neither a branch nor a tag nor a commit"],
		["a folder that does not exist", ["--subdir", "nowhere"], "folder nowhere does not exist"],
		["together with a folder", ["--path", "policies"], "cannot be used with"],
	])("%s is told", async (_what, args, said) => {
		const { account, kim } = await accountWith(sandbox);
		const r = repository();
		r.write("policies/orders.yaml", policyText("orders"));
		r.commit("one");
		const { code: ended, stderr } = await kim.run("plan", "--git", r.path, ...args);
		expect([ended, stderr]).toEqual([1, expect.stringContaining(said)]);
		expect(await sandbox.counts(account)).toEqual({});
	});
});

describe("a work tree", () => {
	async function applied() {
		const world = await accountWith(sandbox, "orders", "billing");
		const { kim } = world;
		initRepository(kim.cwd);
		kim.write("policies/orders.yaml", policyText("orders"));
		kim.write("policies/billing.yaml", policyText("billing"));
		commitAll(kim.cwd, "both");
		expect(await code(kim, "apply", "--yes")).toBe(0);
		return world;
	}

	test.each<readonly [string, (kim: Person) => void, string]>([
		["with what is not committed", (kim) => kim.remove("policies/billing.yaml"), "uncommitted changes in policies/billing.yaml"],
		[
			"on another branch",
			(kim) => {
				gitIn(kim.cwd, "checkout", "-q", "-b", "feature");
				kim.remove("policies/billing.yaml");
				commitAll(kim.cwd, "without billing");
			},
			"branch feature is checked out, not main",
		],
		[
			"that was emptied",
			(kim) => {
				kim.remove("policies");
				kim.write("policies/README.md", "nothing");
				commitAll(kim.cwd, "nothing");
			},
			"policies holds no YAML file",
		],
	])("%s removes nothing, and says why", async (_what, change, said) => {
		const { account, kim, iam } = await applied();
		change(kim);
		const before = await writes(sandbox, account);
		const { stdout } = await kim.run("apply", "--prune", "--yes");
		expect(stdout).toContain(said);
		expect(await writes(sandbox, account)).toEqual(before);
		expect((await liveRoles(iam))["billing-task"]?.tags).toHaveProperty("ecs-access.dev/owner");
	});

	test("on its branch and committed removes what it no longer holds", async () => {
		const { kim, iam } = await applied();
		kim.remove("policies/billing.yaml");
		commitAll(kim.cwd, "without billing");
		const only = await kim.run("apply", "--prune", "--only", "AccessPolicy/orders", "--yes");
		expect([only.code, only.stderr]).toEqual([0, expect.stringContaining("--prune removes nothing together with --only")]);
		expect((await liveRoles(iam))["billing-task"]?.tags).toHaveProperty("ecs-access.dev/owner");
		expect(await code(kim, "apply", "--prune", "--yes")).toBe(0);
		expect((await liveRoles(iam))["billing-task"]?.tags).toEqual({});
	});
});

describe("plan --base", () => {
	test("shows what a branch changes, and asks AWS for nothing", async () => {
		const { account, kim } = await accountWith(sandbox);
		initRepository(kim.cwd);
		kim.write("policies/orders.yaml", policyText("orders"));
		kim.write("policies/old.yaml", policyText("old"));
		kim.write(
			"policies/platform/accounts.yaml",
			documentText("Account", "prod", '{ accountId: "123456789012", region: eu-west-1 }'),
		);
		commitAll(kim.cwd, "before");
		gitIn(kim.cwd, "checkout", "-q", "-b", "change");
		kim.write("policies/orders.yaml", policyText("orders", { actions: "s3:PutObject" }));
		kim.write("policies/new.yaml", policyText("new"));
		kim.write("policies/taken.yaml", policyText("taken", { role: "adopt: true" }));
		kim.remove("policies/old.yaml");
		commitAll(kim.cwd, "after");
		const { code: ended, stdout } = await kim.run("plan", "--base", "main");
		expect(ended).toBe(2);
		expect(stdout).toMatch(/~ orders/);
		expect(stdout).toMatch(/\+ s3:PutObject on arn:aws:s3:::catalogue\/\*/);
		expect(stdout).toMatch(/- s3:GetObject on arn:aws:s3:::catalogue\/\*/);
		expect(stdout).toMatch(/\+ new/);
		expect(stdout).toMatch(/- old/);
		expect(stdout).toMatch(/1 to create/);
		expect(await sandbox.counts(account)).toEqual({});
		const same = await kim.run("plan", "--base", "HEAD");
		expect([same.code, same.stdout]).toEqual([0, expect.stringContaining("Nothing changes")]);
		expect((await kim.run("plan", "--base", "nowhere")).code).toBe(1);
	});
});
