import { CreateSecretCommand, DeleteSecretCommand, SecretsManagerClient } from "@aws-sdk/client-secrets-manager";
import { describe, expect, test } from "vitest";
import { createAws } from "../../../controller/aws/process.ts";
import { createClock } from "../../../controller/cli/clock.ts";
import { TerminalError } from "../../../controller/model/errors.ts";
import { useSandbox } from "../../sandbox/use.ts";

const sandbox = useSandbox();
const signal = AbortSignal.timeout(55_000);

function place() {
	const account = sandbox.newAccount();
	Object.assign(process.env, sandbox.env(account));
	const aws = createAws({
		clock: createClock(),
		cacheDir: null,
		version: "0.0.0",
		reconcileId: "test",
		installation: () => "main",
		revision: () => "none",
	});
	const client = (region: string) => new SecretsManagerClient({ ...sandbox.config(account), region });
	return { account, aws, client };
}

async function refusal(work: Promise<unknown>): Promise<TerminalError> {
	const error = await work.then(
		() => new Error("it succeeded"),
		(e: Error) => e,
	);
	expect([error.message, error instanceof TerminalError]).toEqual([error.message, true]);
	return error as TerminalError;
}

describe("a secret of the installation's own", () => {
	test("is read by name, and by ARN in the region of that, with one call and nothing shown of it", async () => {
		const { account, aws, client } = place();
		const region = sandbox.config(account).region ?? "eu-west-1";
		await client(region).send(new CreateSecretCommand({ Name: "access/git", SecretString: "hunter2" }));
		const made = await client("us-east-1").send(new CreateSecretCommand({ Name: "access/other", SecretString: "other" }));
		await sandbox.counts(account);
		const secret = await aws.readSecret("access/git", null, signal);
		expect([secret.test((v) => v === "hunter2"), `${secret}`, JSON.stringify({ secret })]).toEqual([
			true,
			"[secret]",
			'{"secret":"[secret]"}',
		]);
		expect((await sandbox.counts(account))["secretsmanager:GetSecretValue"]).toBe(1);
		expect((await aws.readSecret(made.ARN ?? "", null, signal)).test((v) => v === "other")).toBe(true);
	});

	test("that holds bytes is read as text, where they are some", async () => {
		const { account, aws, client } = place();
		const secrets = client(sandbox.config(account).region ?? "eu-west-1");
		await secrets.send(new CreateSecretCommand({ Name: "text", SecretBinary: Buffer.from("hunter2") }));
		await secrets.send(new CreateSecretCommand({ Name: "bytes", SecretBinary: Uint8Array.of(0xff, 0xfe) }));
		expect((await aws.readSecret("text", null, signal)).test((v) => v === "hunter2")).toBe(true);
		expect((await refusal(aws.readSecret("bytes", null, signal))).message).toBe("secret bytes is binary, and no text");
	});

	test("that is not there, has no value, or is being deleted says so, and is not asked for again and again", async () => {
		const { account, aws, client } = place();
		const secrets = client(sandbox.config(account).region ?? "eu-west-1");
		await secrets.send(new CreateSecretCommand({ Name: "empty" }));
		await secrets.send(new CreateSecretCommand({ Name: "leaving", SecretString: "x" }));
		await secrets.send(new DeleteSecretCommand({ SecretId: "leaving", RecoveryWindowInDays: 7 }));
		await sandbox.counts(account);
		for (const id of ["none", "empty"]) {
			expect(await refusal(aws.readSecret(id, null, signal))).toMatchObject({
				reason: "SecretMissing",
				message: `secret ${id} does not exist, or has no value`,
			});
		}
		expect((await refusal(aws.readSecret("leaving", null, signal))).message).toBe("secret leaving is being deleted");
		expect((await sandbox.counts(account))["secretsmanager:GetSecretValue"]).toBe(3);
	});

	test("that may not be read names what is missing", async () => {
		const { account, aws } = place();
		await sandbox.fault(account, { kind: "denied", operation: "secretsmanager:GetSecretValue" });
		const error = await refusal(aws.readSecret("access/git", null, signal));
		expect(error.message).toContain("could not read secret access/git");
		expect(error.fix).toContain("secretsmanager:GetSecretValue");
	});
});
