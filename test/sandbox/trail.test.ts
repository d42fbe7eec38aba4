import { ECSClient, RegisterTaskDefinitionCommand } from "@aws-sdk/client-ecs";
import { EventBridgeClient } from "@aws-sdk/client-eventbridge";
import {
	CreateRoleCommand,
	DeleteRoleCommand,
	GetRoleCommand,
	IAMClient,
	ListRolesCommand,
	TagRoleCommand,
} from "@aws-sdk/client-iam";
import {
	CreateSecretCommand,
	PutSecretValueCommand,
	RotateSecretCommand,
	SecretsManagerClient,
	UpdateSecretVersionStageCommand,
} from "@aws-sdk/client-secrets-manager";
import { AssumeRoleCommand, STSClient } from "@aws-sdk/client-sts";
import { expect, test } from "vitest";
import { createInbox, putRule } from "./inbox.ts";
import { ecsTasksTrust, roleSeed } from "./seed-data.ts";
import { useSandbox } from "./use.ts";

const sandbox = useSandbox();
const AssumeRolePolicyDocument = JSON.stringify(ecsTasksTrust);
const REGION = "eu-west-1";
/** An account, with a trail unless told, and a queue in it that gets the events of `pattern` in `region`. */
async function watched(pattern: object, region = REGION, trail = true) {
	const account = sandbox.newAccount();
	const config = sandbox.config(account);
	const inbox = await createInbox(sandbox, account);
	await putRule(new EventBridgeClient({ ...config, region }), pattern, inbox.arn);
	await sandbox.configure(account, { trail });
	return {
		account,
		inbox,
		iam: new IAMClient(config),
		secrets: new SecretsManagerClient(config),
		ecs: new ECSClient(config),
	};
}

test("a write to IAM is an event in us-east-1, in CloudTrail's shape, whatever region the caller is in", async () => {
	const { account, iam, inbox } = await watched({ source: ["aws.iam"] }, "us-east-1");
	const answer = await new IAMClient({ ...sandbox.config(account), customUserAgent: "acme/1.0" }).send(
		new CreateRoleCommand({ RoleName: "web", Path: "/apps/", AssumeRolePolicyDocument, Tags: [{ Key: "team", Value: "Web" }] }),
	);
	await iam.send(new GetRoleCommand({ RoleName: "web" }));
	await iam.send(new ListRolesCommand({}));
	expect(await inbox.events(1)).toEqual([
		{
			version: "0",
			id: expect.any(String),
			"detail-type": "AWS API Call via CloudTrail",
			source: "aws.iam",
			account,
			time: expect.stringMatching(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$/),
			region: "us-east-1",
			resources: [],
			detail: {
				eventVersion: "1.11",
				userIdentity: {
					type: "AssumedRole",
					principalId: expect.stringMatching(/^AROA\w+:kim$/),
					arn: `arn:aws:sts::${account}:assumed-role/Admin/kim`,
					accountId: account,
					accessKeyId: `SANDBOX${account}`,
					sessionContext: {
						sessionIssuer: {
							type: "Role",
							principalId: expect.stringMatching(/^AROA\w+$/),
							arn: `arn:aws:iam::${account}:role/Admin`,
							accountId: account,
							userName: "Admin",
						},
						attributes: { creationDate: expect.any(String), mfaAuthenticated: "false" },
					},
				},
				eventTime: expect.stringMatching(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$/),
				eventSource: "iam.amazonaws.com",
				eventName: "CreateRole",
				awsRegion: "us-east-1",
				sourceIPAddress: "127.0.0.1",
				userAgent: expect.stringContaining("acme/1.0"),
				requestParameters: {
					roleName: "web",
					path: "/apps/",
					assumeRolePolicyDocument: AssumeRolePolicyDocument,
					tags: [{ key: "team", value: "Web" }],
				},
				responseElements: {
					role: expect.objectContaining({
						arn: `arn:aws:iam::${account}:role/apps/web`,
						roleName: "web",
						createDate: expect.stringMatching(/^[A-Z][a-z]{2} \d{1,2}, \d{4} \d{1,2}:\d\d:\d\d [AP]M$/),
					}),
				},
				requestID: answer.$metadata.requestId,
				eventID: expect.any(String),
				readOnly: false,
				eventType: "AwsApiCall",
				managementEvent: true,
				recipientAccountId: account,
				eventCategory: "Management",
			},
		},
	]);
});

test("an event names the role behind assumed credentials, with its path", async () => {
	const { account, inbox } = await watched({ "detail-type": ["AWS API Call via CloudTrail"] }, "us-east-1");
	await sandbox.seed(account, { roles: [roleSeed("deployer", [], { path: "/ci/" }), roleSeed("web")] });
	const RoleArn = `arn:aws:iam::${account}:role/ci/deployer`;
	const { Credentials: given } = await new STSClient(sandbox.config(account)).send(
		new AssumeRoleCommand({ RoleArn, RoleSessionName: "run-7" }),
	);
	const { AccessKeyId = "", SecretAccessKey = "", SessionToken = "" } = given ?? {};
	const credentials = { accessKeyId: AccessKeyId, secretAccessKey: SecretAccessKey, sessionToken: SessionToken };
	const ci = new IAMClient({ ...sandbox.config(account), credentials });
	await ci.send(new TagRoleCommand({ RoleName: "web", Tags: [{ Key: "a", Value: "b" }] }));
	expect((await inbox.events(1))[0]?.detail).toMatchObject({
		eventName: "TagRole",
		userIdentity: {
			type: "AssumedRole",
			arn: `arn:aws:sts::${account}:assumed-role/deployer/run-7`,
			sessionContext: { sessionIssuer: { arn: RoleArn, userName: "deployer" } },
		},
		requestParameters: { roleName: "web", tags: [{ key: "a", value: "b" }] },
		responseElements: null,
	});
});

test("a failed write is an event with its error code; without a trail there is none", async () => {
	const { account, iam, inbox } = await watched({ source: ["aws.iam"] }, "us-east-1");
	await expect(iam.send(new DeleteRoleCommand({ RoleName: "nobody" }))).rejects.toMatchObject({ name: "NoSuchEntityException" });
	expect((await inbox.events(1))[0]?.detail).toMatchObject({
		eventName: "DeleteRole",
		errorCode: "NoSuchEntityException",
		errorMessage: expect.stringContaining("nobody"),
		requestParameters: { roleName: "nobody" },
		responseElements: null,
	});
	await sandbox.configure(account, { trail: false });
	await iam.send(new CreateRoleCommand({ RoleName: "web", AssumeRolePolicyDocument }));
	expect(await inbox.rest()).toEqual([]);
});

test("a write whose answer is lost is an event all the same", async () => {
	const { account, inbox } = await watched({ source: ["aws.iam"] }, "us-east-1");
	await sandbox.fault(account, { kind: "lostAnswer", operation: "iam:CreateRole", times: 1 });
	const once = new IAMClient({ ...sandbox.config(account), maxAttempts: 1 });
	await expect(once.send(new CreateRoleCommand({ RoleName: "web", AssumeRolePolicyDocument }))).rejects.toThrow();
	expect((await inbox.events(1))[0]?.detail).toMatchObject({ eventName: "CreateRole" });
});

test("writes to ECS are events of their region; values of environment variables are hidden", async () => {
	const { ecs, inbox } = await watched({ source: ["aws.ecs"], "detail-type": ["AWS API Call via CloudTrail"] });
	const environment = [{ name: "PASSWORD", value: "correct-horse" }];
	const containerDefinitions = [{ name: "web", image: "web", memory: 64, environment }];
	await ecs.send(new RegisterTaskDefinitionCommand({ family: "web", containerDefinitions }));
	const [event] = await inbox.events(1);
	expect(event).toMatchObject({
		region: REGION,
		detail: {
			awsRegion: REGION,
			eventSource: "ecs.amazonaws.com",
			eventName: "RegisterTaskDefinition",
			requestParameters: { family: "web", containerDefinitions: [{ environment: [{ name: "PASSWORD" }] }] },
			responseElements: { taskDefinition: { family: "web", revision: 1 } },
		},
	});
	expect(JSON.stringify(event)).not.toContain("correct-horse");
});

test("no value of a secret is ever in an event", async () => {
	const { secrets, inbox } = await watched({ source: ["aws.secretsmanager"] });
	await secrets.send(new CreateSecretCommand({ Name: "db", SecretString: "correct-horse" }));
	await secrets.send(new PutSecretValueCommand({ SecretId: "db", SecretString: "battery-staple" }));
	await secrets.send(new PutSecretValueCommand({ SecretId: "db", SecretBinary: Buffer.from("correct-horse") }));
	const bodies = await inbox.events(5);
	expect(bodies.map(({ detail }) => detail.eventName ?? detail.labelUpdated)).toEqual([
		"CreateSecret",
		"AWSCURRENT",
		"PutSecretValue",
		"AWSCURRENT",
		"PutSecretValue",
	]);
	expect(bodies[0]?.detail.requestParameters).toMatchObject({ name: "db", clientRequestToken: expect.any(String) });
	const text = JSON.stringify(bodies);
	for (const value of ["correct-horse", "battery-staple", Buffer.from("correct-horse").toString("base64"), "ecretString"]) {
		expect(text).not.toContain(value);
	}
});

test("a label that moves is an event, without a trail, but not AWSPENDING and AWSPREVIOUS", async () => {
	const { account, secrets, inbox } = await watched({ "detail-type": ["Secret Label Updated"] }, REGION, false);
	const { ARN = "", VersionId: first } = await secrets.send(new CreateSecretCommand({ Name: "db", SecretString: "1" }));
	const { VersionId: second } = await secrets.send(
		new PutSecretValueCommand({ SecretId: "db", SecretString: "2", VersionStages: ["AWSPENDING"] }),
	);
	expect(await inbox.rest()).toEqual([]);
	const move = { SecretId: ARN, VersionStage: "AWSCURRENT", MoveToVersionId: second, RemoveFromVersionId: first };
	await secrets.send(new UpdateSecretVersionStageCommand(move));
	expect(await inbox.events(1)).toEqual([
		{
			version: "0",
			id: expect.any(String),
			"detail-type": "Secret Label Updated",
			source: "aws.secretsmanager",
			account,
			time: expect.any(String),
			region: REGION,
			resources: [ARN],
			detail: { name: "db", labelUpdated: "AWSCURRENT", versionId: second },
		},
	]);
	await secrets.send(new UpdateSecretVersionStageCommand({ SecretId: ARN, VersionStage: "BLUE", MoveToVersionId: first }));
	expect((await inbox.events(1))[0]?.detail).toEqual({ name: "db", labelUpdated: "BLUE", versionId: first });
});

test("a rotation tells that it started and how it ended", async () => {
	const { secrets, inbox } = await watched({ "detail-type": ["AWS Service Event via CloudTrail"] });
	const { ARN } = await secrets.send(new CreateSecretCommand({ Name: "db", SecretString: "1" }));
	await secrets.send(
		new RotateSecretCommand({ SecretId: "db", RotationLambdaARN: "arn:aws:lambda:eu-west-1:123456789012:function:rotate" }),
	);
	expect((await inbox.events(2)).map(({ detail }) => detail)).toMatchObject([
		{ eventName: "RotationStarted", eventType: "AwsServiceEvent", additionalEventData: { SecretId: ARN } },
		{ eventName: "RotationSucceeded", eventType: "AwsServiceEvent", additionalEventData: { SecretId: ARN } },
	]);
});
