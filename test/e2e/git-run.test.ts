import { execFileSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { CreateSecretCommand, PutSecretValueCommand, SecretsManagerClient } from "@aws-sdk/client-secrets-manager";
import { afterEach, describe, expect, test } from "vitest";
import { basic, serveGit } from "../integration/git-server.ts";
import { useSandbox } from "../sandbox/use.ts";
import { commitAll, gitIn, initRepository, tempFolder } from "../unit/source/repository.ts";
import type { Person, Running } from "./cli.ts";
import { liveRoles } from "./live.ts";
import { accountWith, documentText, policyText } from "./world.ts";

/** The controller at a repository that must be opened, and whose commits must be signed. */

const sandbox = useSandbox();
const running: Running[] = [];
const closing: (() => Promise<void>)[] = [];
afterEach(async () => {
	for (const r of running) r.kill("SIGKILL");
	await Promise.all(running.splice(0).map((r) => r.ended));
	await Promise.all(closing.splice(0).map((close) => close()));
});

async function company(git: (folder: string) => string | null = () => null) {
	const { account, kim, iam } = await accountWith(sandbox, "orders", "billing");
	const folder = tempFolder();
	const path = folder.at("repos/access");
	initRepository(path);
	const write = (file: string, text: string): void => folder.write(`repos/access/policies/${file}`, text);
	const installation = (more: string | null): void =>
		write(
			"platform/installation.yaml",
			documentText("Installation", "main", `{ mode: Enforce, resync: 5s${more === null ? "" : `, git: ${more}`} }`),
		);
	installation(git(folder.path));
	write("platform/prod.yaml", documentText("Account", "prod", `{ accountId: "${account}", region: eu-west-1 }`));
	write("orders.yaml", policyText("orders"));
	return { account, kim, iam, folder, path, write, installation };
}

function controller(who: Person, ...args: readonly string[]): Running {
	const started = who.start("run", "--subdir", "policies", "--poll", "1", ...args);
	running.push(started);
	return started;
}

const inline = async (iam: Parameters<typeof liveRoles>[0], role: string): Promise<readonly string[]> =>
	Object.keys((await liveRoles(iam))[role]?.inline ?? {});

describe("run", () => {
	test("opens its repository with a secret, reads that once, takes up its rotation, and shows it nowhere", async () => {
		const { account, kim, iam, folder, path, write } = await company();
		commitAll(path, "orders");
		let good = "t0ken-hunter2";
		const server = await serveGit(folder.at("repos"), (a) => a === basic("x-access-token", good));
		closing.push(server.close);
		const secrets = new SecretsManagerClient(sandbox.config(account));
		await secrets.send(new CreateSecretCommand({ Name: "ecs-access/git", SecretString: good }));
		await sandbox.counts(account);
		const run = controller(kim, "--git", `${server.origin}/access`, "--credentials-secret", "ecs-access/git");
		await run.says("step applied");
		const looks = server.asked.length;
		await expect.poll(() => server.asked.length, { timeout: 20_000 }).toBeGreaterThan(looks + 8);
		const reads = async (): Promise<number> => (await sandbox.counts(account))["secretsmanager:GetSecretValue"] ?? 0;
		// One for the first look, one for the controller that came of it.
		expect(await reads()).toBeLessThanOrEqual(2);

		good = "other-hunter2";
		await secrets.send(new PutSecretValueCommand({ SecretId: "ecs-access/git", SecretString: good }));
		write("billing.yaml", policyText("billing"));
		commitAll(path, "billing");
		await expect.poll(() => inline(iam, "billing-task"), { timeout: 90_000, interval: 1000 }).toEqual(["ecs-access"]);
		run.kill("SIGTERM");
		const { stdout, stderr } = await run.ended;
		expect(`${stdout}${stderr}`).not.toContain("hunter2");
		expect(() => execFileSync("grep", ["-rq", "hunter2", kim.home])).toThrow();
	}, 150_000);

	test("takes no signer from a commit that nobody allowed, nor when it starts over", async () => {
		const key = (folder: string, name: string): string => {
			execFileSync("ssh-keygen", ["-q", "-t", "ed25519", "-N", "", "-C", name, "-f", `${folder}/${name}`]);
			return `${name}@acme.example namespaces="git" ${readFileSync(`${folder}/${name}.pub`, "utf8").trim()}`;
		};
		const spec = (line: string): string =>
			JSON.stringify({ url: "https://git.acme.example/access", requireSignatures: true, allowedSigners: line });
		const { kim, iam, folder, path, write, installation } = await company((f) => spec(key(f, "anna")));
		const signed = (message: string, by: string): string => {
			gitIn(path, "add", "-A");
			gitIn(path, "-c", "gpg.format=ssh", "-c", `user.signingKey=${folder.at(by)}`, "commit", "-q", "-S", "-m", message);
			return gitIn(path, "rev-parse", "HEAD");
		};
		signed("orders", "anna");
		const first = controller(kim, "--git", path);
		await first.says("step applied");
		installation(spec(key(folder.path, "mallory")));
		write("billing.yaml", policyText("billing"));
		signed("mallory may sign", "mallory");
		await first.says("is not signed by an allowed signer");
		first.kill("SIGTERM");
		await first.ended;

		const second = controller(kim, "--git", path);
		await second.says("is not signed by an allowed signer");
		await second.says("revision in force");
		expect(await inline(iam, "billing-task")).toEqual([]);

		// Anna says who signs from now on, and only then mallory does.
		gitIn(path, "reset", "-q", "--hard", "HEAD~1");
		const both = [readFileSync(folder.at("anna.pub"), "utf8"), readFileSync(folder.at("mallory.pub"), "utf8")]
			.map((k, i) => `${i === 0 ? "anna" : "mallory"}@acme.example namespaces="git" ${k.trim()}`)
			.join("\n");
		installation(spec(both));
		const allowed = signed("mallory may sign", "anna");
		await second.says(allowed);
		await second.says("opened again");
		write("billing.yaml", policyText("billing"));
		const last = signed("billing", "mallory");
		await second.says(last);
		await expect.poll(() => inline(iam, "billing-task"), { timeout: 30_000 }).toEqual(["ecs-access"]);
	}, 120_000);
});
