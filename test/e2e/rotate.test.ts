import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { GetSecretValueCommand, SecretsManagerClient } from "@aws-sdk/client-secrets-manager";
import { describe, expect, test } from "vitest";
import { useSandbox } from "../sandbox/use.ts";
import { person } from "./cli.ts";
import { documentText } from "./world.ts";

const sandbox = useSandbox();
const OLD = "old-signing-key-3f1a";
const PLAIN = "planted-in-environment-77";
const INSTALLATION = (account: string) =>
	`${documentText("Installation", "main", "{ mode: Enforce }")}---\n${documentText("Account", "prod", `{ accountId: "${account}", region: eu-west-1 }`)}`;

/** Somebody whose services `prod/api` and `prod/web` sign with the key of secret `signing`. */
async function signers(spec = "{ secret: signing, strategy: { generate: { keys: [signingKey] } } }") {
	const account = sandbox.newAccount();
	const arn = `arn:aws:secretsmanager:eu-west-1:${account}:secret:signing-AbCdEf`;
	await sandbox.seed(account, {
		secrets: [{ name: "signing", suffix: "AbCdEf", value: JSON.stringify({ signingKey: OLD }) }],
		clusters: [{ name: "prod" }],
		taskDefinitions: ["api", "web"].map((family) => ({
			family,
			containerDefinitions: [
				{
					name: "app",
					image: "registry.acme.example/app:1",
					environment: [{ name: "DB_PASSWORD", value: PLAIN }],
					secrets: [{ name: "SIGNING_KEY", valueFrom: `${arn}:signingKey::` }],
				},
			],
		})),
		services: ["api", "web"].map((name) => ({ cluster: "prod", name, taskDefinition: name, desiredCount: 1 })),
	});
	const kim = person(sandbox, account);
	kim.write("policies/signing.yaml", documentText("SecretRotation", "signing", spec));
	const client = new SecretsManagerClient({ ...sandbox.config(account), maxAttempts: 1 });
	const value = async () =>
		(
			JSON.parse(
				(await client.send(new GetSecretValueCommand({ SecretId: "signing", VersionStage: "AWSCURRENT" }))).SecretString ?? "{}",
			) as { signingKey: string }
		).signingKey;
	return { account, kim, value };
}

/** Everything that was written below a folder, the store among it, and holds a text. */
function filesWith(folder: string, text: string): readonly string[] {
	return readdirSync(folder, { recursive: true, withFileTypes: true })
		.filter((f) => f.isFile())
		.map((f) => join(f.parentPath, f.name))
		.filter((path) => readFileSync(path).includes(text));
}

describe("ecs-access rotate", () => {
	test("shows, rotates, says when the old value goes; no value of it is anywhere that the process wrote", async () => {
		const { kim, value } = await signers();
		const done = await kim.run("rotate", "signing", "--reason", "left in a log", "--yes", "--verbose");
		expect(done.stderr).toContain("restart 1 task");
		expect(done.stdout).toContain("asked for by kim@");
		expect(done.stdout).toMatch(/Rotated signing in 00:\d\d: every consumer has the new value; the old value is kept until/);
		expect(done.code).toBe(0);
		const fresh = await value();
		expect(fresh).not.toBe(OLD);
		const shown = await Promise.all([
			kim.run("describe", "secretrotation", "signing"),
			kim.run("describe", "secretrotation", "signing", "-o", "json"),
			kim.run("history", "secretrotation", "signing", "-o", "json"),
			kim.run("get", "-o", "yaml"),
			kim.run("plan", "-o", "json"),
		]);
		expect(shown[0].stdout).toContain("prod/api");
		const said = [done, ...shown].map((r) => `${r.stdout}${r.stderr}`).join("\n");
		for (const secret of [OLD, fresh, PLAIN]) expect(said).not.toContain(secret);
		for (const secret of [OLD, fresh, PLAIN]) expect(filesWith(kim.home, secret)).toEqual([]);
	});

	test("says what is near where there is no such rotation, and what keeps one from beginning", async () => {
		const { kim } = await signers();
		const typo = await kim.run("rotate", "singing", "--yes");
		expect(typo).toMatchObject({ code: 1, stdout: expect.stringContaining("did you mean SecretRotation/signing?") });
		kim.write("policies/web.yaml", documentText("SecretRotation", "missing", "{ secret: nowhere, strategy: { external: {} } }"));
		const missing = await kim.run("rotate", "missing", "--yes");
		expect(missing).toMatchObject({ code: 1, stdout: expect.stringContaining("Not rotated: secret nowhere does not exist") });
	});

	test("is interrupted by Ctrl-C after the step in flight, and the same command goes on with the same version", async () => {
		const { kim, value } = await signers();
		const running = kim.start("rotate", "signing", "--yes");
		await running.says("make the new version current");
		running.kill("SIGINT");
		const stopped = await running.ended;
		expect(stopped).toMatchObject({ code: 130, stdout: expect.stringContaining("the same command again goes on with it") });
		const half = await value();
		const done = await kim.run("rotate", "signing", "--yes");
		expect(done.code).toBe(0);
		expect(await value()).toBe(half);
	});

	test("asks a controller that is at work, and follows it", async () => {
		const { account, kim, value } = await signers();
		kim.write("policies/platform/main.yaml", INSTALLATION(account));
		const controller = kim.start("run", "--path", "policies");
		await controller.says("revision in force");
		const done = await kim.run("rotate", "signing", "--yes");
		controller.kill("SIGTERM");
		await controller.ended;
		expect(done.stderr).toContain("is at work and was asked to rotate");
		expect(done).toMatchObject({ code: 0, stdout: expect.stringContaining("Rotated signing") });
		expect(await value()).not.toBe(OLD);
	});
});
