import { DescribeRulesCommand, ElasticLoadBalancingV2Client, ModifyRuleCommand } from "@aws-sdk/client-elastic-load-balancing-v2";
import {
	CreateSecretCommand,
	DescribeSecretCommand,
	GetSecretValueCommand,
	PutSecretValueCommand,
	RotateSecretCommand,
	SecretsManagerClient,
	UpdateSecretVersionStageCommand,
} from "@aws-sdk/client-secrets-manager";
import { expect, test } from "vitest";
import { useSandbox } from "./use.ts";

const sandbox = useSandbox();
const TOKEN = "a".repeat(64);
const FUNCTION = "arn:aws:lambda:eu-west-1:123456789012:function:rotate";

async function secretIn(account = sandbox.newAccount()) {
	const client = new SecretsManagerClient({ ...sandbox.config(account), maxAttempts: 1 });
	const made = await client.send(new CreateSecretCommand({ Name: "db", SecretString: "one" }));
	const first = made.VersionId ?? "";
	return {
		account,
		client,
		first,
		put: (value: string, token = TOKEN) =>
			client.send(
				new PutSecretValueCommand({
					SecretId: "db",
					SecretString: value,
					ClientRequestToken: token,
					VersionStages: ["AWSPENDING"],
				}),
			),
		labels: async () => (await client.send(new DescribeSecretCommand({ SecretId: "db" }))).VersionIdsToStages,
		read: async () => (await client.send(new GetSecretValueCommand({ SecretId: "db" }))).SecretString,
		move: (VersionStage: string, to: string | undefined, from: string | undefined) =>
			client.send(
				new UpdateSecretVersionStageCommand({ SecretId: "db", VersionStage, MoveToVersionId: to, RemoveFromVersionId: from }),
			),
	};
}

test("AWSCURRENT is what is read, wherever it was moved, and the old one is AWSPREVIOUS", async () => {
	const { put, move, read, labels, first } = await secretIn();
	await put("two");
	expect(await read()).toBe("one");
	await move("AWSCURRENT", TOKEN, first);
	expect(await read()).toBe("two");
	await move("AWSCURRENT", first, TOKEN);
	expect(await read()).toBe("one");
	expect(await labels()).toEqual({ [first]: ["AWSCURRENT"], [TOKEN]: ["AWSPENDING", "AWSPREVIOUS"] });
});

test("a token with the same data is nothing new, with other data it is refused", async () => {
	const { put } = await secretIn();
	await put("two");
	await put("two");
	await expect(put("three")).rejects.toMatchObject({ name: "ResourceExistsException" });
});

test("a label is on one version, and a version without one is not told", async () => {
	const { put, move, labels, first } = await secretIn();
	await put("two");
	await move("mine", first, undefined);
	await expect(move("mine", TOKEN, undefined)).rejects.toMatchObject({ name: "InvalidParameterException" });
	await move("mine", TOKEN, first);
	await move("AWSPENDING", undefined, TOKEN);
	await move("mine", undefined, TOKEN);
	expect(await labels()).toEqual({ [first]: ["AWSCURRENT"] });
});

test("a rotation needs a function, which takes its time, and a rotation at a time", async () => {
	const { account, client, labels, first, read } = await secretIn();
	const rotate = (more: object = {}) =>
		client.send(new RotateSecretCommand({ SecretId: "db", ClientRequestToken: TOKEN, ...more }));
	await expect(rotate()).rejects.toMatchObject({ name: "InvalidRequestException" });
	await rotate({ RotationLambdaARN: FUNCTION });
	expect(await labels()).toEqual({ [first]: ["AWSCURRENT"], [TOKEN]: ["AWSPENDING"] });
	await expect(rotate({ ClientRequestToken: "b".repeat(64) })).rejects.toMatchObject({ name: "InvalidRequestException" });
	await sandbox.tick(account, 1);
	expect(await labels()).toEqual({ [first]: ["AWSPREVIOUS"], [TOKEN]: ["AWSPENDING", "AWSCURRENT"] });
	expect(await read()).not.toBe("one");
});

test("a function that fails leaves AWSPENDING on an empty version", async () => {
	const { account, client, labels, first } = await secretIn();
	await sandbox.rotations(account, { outcome: "fail" });
	await client.send(new RotateSecretCommand({ SecretId: "db", ClientRequestToken: TOKEN, RotationLambdaARN: FUNCTION }));
	await sandbox.tick(account, 1);
	expect(await labels()).toEqual({ [first]: ["AWSCURRENT"], [TOKEN]: ["AWSPENDING"] });
	await expect(client.send(new GetSecretValueCommand({ SecretId: "db", VersionStage: "AWSPENDING" }))).rejects.toMatchObject({
		name: "ResourceNotFoundException",
	});
});

test("a client secret in a listener rule is kept and never told", async () => {
	const account = sandbox.newAccount();
	const elb = new ElasticLoadBalancingV2Client({ ...sandbox.config(account), maxAttempts: 1 });
	const seeded = await sandbox.seed(account, {
		listenerRules: [{ issuer: "https://id.acme.io", clientId: "portal", clientSecret: "first" }],
	});
	const rule = seeded.listenerRules[0] ?? "";
	const told = async () => (await elb.send(new DescribeRulesCommand({ RuleArns: [rule] }))).Rules?.[0]?.Actions ?? [];
	expect(await sandbox.clientSecrets(account)).toEqual({ [rule]: "first" });
	expect(JSON.stringify(await told())).not.toContain("first");
	const actions = (more: object) => configured(more).map((a, n) => ({ ...a, Order: n + 1 }));
	await elb.send(new ModifyRuleCommand({ RuleArn: rule, Actions: actions({ UseExistingClientSecret: true }) }));
	expect(await sandbox.clientSecrets(account)).toEqual({ [rule]: "first" });
	await expect(elb.send(new ModifyRuleCommand({ RuleArn: rule, Actions: actions({}) }))).rejects.toThrow(/client secret/);
	await elb.send(new ModifyRuleCommand({ RuleArn: rule, Actions: actions({ ClientSecret: "second" }) }));
	expect(await sandbox.clientSecrets(account)).toEqual({ [rule]: "second" });
	expect(JSON.stringify(await told())).not.toContain("second");
});

const configured = (more: object) => [
	{
		Type: "authenticate-oidc" as const,
		AuthenticateOidcConfig: {
			Issuer: "https://id.acme.io",
			AuthorizationEndpoint: "https://id.acme.io/auth",
			TokenEndpoint: "https://id.acme.io/token",
			UserInfoEndpoint: "https://id.acme.io/me",
			ClientId: "portal",
			...more,
		},
	},
	{ Type: "fixed-response" as const, FixedResponseConfig: { StatusCode: "200" } },
];
