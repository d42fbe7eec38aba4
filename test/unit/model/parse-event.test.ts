import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { type ParsedEvent, parseEvent } from "../../../controller/model/parse-event.ts";
import { patternOf, TRIGGERS } from "../../../controller/model/triggers.ts";

const ACCOUNT = "123456789012";
const VIA = "AWS API Call via CloudTrail";
const SERVICE = `arn:aws:ecs:eu-west-1:${ACCOUNT}:service/prod/orders`;
const SECRET = `arn:aws:secretsmanager:eu-west-1:${ACCOUNT}:secret:prod/db-AbCdEf`;

function event(source: string, detailType: string, detail: object, more: object = {}): string {
	return JSON.stringify({
		version: "0",
		id: "11111111-2222-3333-4444-555555555555",
		"detail-type": detailType,
		source,
		account: ACCOUNT,
		time: "2026-11-24T09:12:03Z",
		region: "eu-west-1",
		resources: [],
		detail,
		...more,
	});
}

function call(service: string, eventName: string, requestParameters: object | null, more: object = {}): string {
	return event(`aws.${service}`, VIA, {
		userIdentity: { type: "AssumedRole", arn: `arn:aws:sts::${ACCOUNT}:assumed-role/Admin/kim` },
		eventTime: "2026-11-24T09:12:00Z",
		eventSource: `${service}.amazonaws.com`,
		eventName,
		sourceIPAddress: "192.0.2.7",
		userAgent: "aws-cli/2.31",
		requestParameters,
		eventID: "aaaa",
		readOnly: false,
		...more,
	});
}

function hintsOf(body: string): Extract<ParsedEvent, { kind: "hints" }> {
	const parsed = parseEvent(body);
	if (parsed.kind !== "hints") throw new Error(`expected hints, got ${JSON.stringify(parsed)}`);
	return parsed;
}

describe("what an event points at", () => {
	const at = { account: ACCOUNT, region: "eu-west-1" };
	const service = { type: "ecs.service", ...at, cluster: "prod", name: "orders" };
	const role = { type: "iam.role", account: ACCOUNT, name: "orders-task" };
	const boundary = `arn:aws:iam::${ACCOUNT}:policy/boundary`;
	test.each([
		["a role's policy", call("iam", "PutRolePolicy", { roleName: "orders-task", policyName: "quick-fix" }), role],
		["a new role", call("iam", "CreateRole", { roleName: "orders-task", path: "/ecs-access/" }), role],
		["a removed tag", call("iam", "UntagRole", { roleName: "orders-task", tagKeys: ["team"] }), role],
		[
			"a managed policy",
			call("iam", "CreatePolicyVersion", { policyArn: boundary }),
			{ type: "iam.managedPolicy", account: ACCOUNT, arn: boundary },
		],
		["a service by names", call("ecs", "UpdateService", { cluster: "prod", service: "orders" }), service],
		["a service by ARN", call("ecs", "UpdateService", { cluster: "x", service: SERVICE }), service],
		[
			"a service of a cluster's ARN",
			call("ecs", "CreateService", { cluster: `arn:aws:ecs:eu-west-1:${ACCOUNT}:cluster/prod`, serviceName: "orders" }),
			service,
		],
		["the default cluster", call("ecs", "DeleteService", { service: "orders" }), { ...service, cluster: "default" }],
		[
			"a new revision",
			call("ecs", "RegisterTaskDefinition", { family: "orders" }),
			{ type: "ecs.family", ...at, name: "orders" },
		],
		[
			"a revision that goes",
			call("ecs", "DeregisterTaskDefinition", {
				taskDefinition: `arn:aws:ecs:eu-west-1:${ACCOUNT}:task-definition/orders:17`,
			}),
			{ type: "ecs.family", ...at, name: "orders" },
		],
		[
			"a deployment",
			event(
				"aws.ecs",
				"ECS Deployment State Change",
				{ eventName: "SERVICE_DEPLOYMENT_FAILED", deploymentId: "ecs-svc/1" },
				{ resources: [SERVICE] },
			),
			service,
		],
		[
			"a secret's label",
			event("aws.secretsmanager", "Secret Label Updated", { labelUpdated: "AWSCURRENT" }, { resources: [SECRET] }),
			{ type: "secret", ...at, arn: SECRET },
		],
		[
			"a rotation",
			event("aws.secretsmanager", "AWS Service Event via CloudTrail", {
				eventName: "RotationSucceeded",
				additionalEventData: { SecretId: SECRET },
			}),
			{ type: "secret", ...at, arn: SECRET },
		],
		["a push", event("ecs-access", "Push", {}), { type: "source" }],
		["a wish for all", event("ecs-access", "Resync Requested", {}), { type: "resync", key: null }],
		[
			"a wish for one",
			event("ecs-access", "Resync Requested", { key: "AccessPolicy/orders" }),
			{ type: "resync", key: "AccessPolicy/orders" },
		],
		[
			"a rotation asked for",
			event("ecs-access", "Rotate Requested", { name: "db" }),
			{ type: "rotate", name: "db", reason: null },
		],
	])("%s", (_name, body, hint) => {
		expect(hintsOf(body).hints).toEqual([hint]);
	});

	test("the account is the envelope's, since IAM's events have no other place that says it for sure", () => {
		const spoke = JSON.parse(call("iam", "TagRole", { roleName: "a" }));
		expect(hintsOf(JSON.stringify({ ...spoke, account: "999999999999" })).hints).toEqual([
			{ type: "iam.role", account: "999999999999", name: "a" },
		]);
	});

	test("China's spelling of the detail-type means the same", () => {
		const body = call("iam", "TagRole", { roleName: "a" }).replace("AWS API Call", "Amazon API Call");
		expect(hintsOf(body).hints).toHaveLength(1);
	});
});

test("who did it, when and how is said where CloudTrail says it, and else is null", () => {
	expect(hintsOf(call("iam", "PutRolePolicy", { roleName: "a" }))).toMatchObject({
		eventId: "11111111-2222-3333-4444-555555555555",
		at: "2026-11-24T09:12:00Z",
		culprit: {
			arn: `arn:aws:sts::${ACCOUNT}:assumed-role/Admin/kim`,
			at: "2026-11-24T09:12:00Z",
			sourceIp: "192.0.2.7",
			userAgent: "aws-cli/2.31",
			action: "iam:PutRolePolicy",
			eventId: "aaaa",
		},
	});
	expect(hintsOf(event("aws.ecs", "ECS Service Action", {}, { resources: [SERVICE] })).culprit).toBeNull();
});

test("a call that failed, one that only reads, and what we told ourselves point at nothing", () => {
	for (const body of [
		call("iam", "PutRolePolicy", { roleName: "a" }, { errorCode: "AccessDenied" }),
		call("iam", "GetRole", { roleName: "a" }, { readOnly: true }),
		event("ecs-access", "Step Applied", { key: "AccessPolicy/orders" }),
	]) {
		expect(hintsOf(body)).toMatchObject({ hints: [], culprit: null });
	}
});

test("an event that nothing here asks for is unknown, by its source and detail-type", () => {
	const bucket = event("aws.s3", "Object Created", {});
	expect(parseEvent(bucket)).toEqual({ kind: "unknown", source: "aws.s3", detailType: "Object Created" });
	expect(parseEvent(call("iam", "CreateUser", { userName: "a" }))).toMatchObject({ kind: "unknown", source: "aws.iam" });
});

test("what is no event, or lacks what it must hold, is malformed and says why", () => {
	const why = (body: string) => (parseEvent(body) as { why?: string }).why;
	expect(why("{")).toBe("it is not JSON");
	expect(why("[]")).toBe("it is no JSON object");
	expect(why("{}")).toMatch("it is no event of EventBridge");
	expect(why(call("iam", "TagRole", null))).toBe("aws.iam AWS API Call via CloudTrail: requestParameters is missing");
	expect(why(call("iam", "TagRole", {}))).toMatch("requestParameters.roleName is missing");
	expect(why(event("aws.s3", "x", {}, { account: "me" }))).toMatch("account is no account id");
	expect(why(event("ecs-access", "Resync Requested", { key: 7 }))).toMatch("key is missing");
});

test("nothing that may lie in a queue makes it throw", () => {
	fc.assert(fc.property(fc.string(), (body) => void parseEvent(body)));
	fc.assert(fc.property(fc.jsonValue(), (value) => void parseEvent(JSON.stringify(value))));
	const names = TRIGGERS.flatMap((t) => t.eventNames ?? []);
	const likely = fc.record({
		id: fc.string(),
		source: fc.constantFrom(...TRIGGERS.map((t) => t.source)),
		"detail-type": fc.constantFrom(...TRIGGERS.flatMap((t) => t.detailTypes)),
		account: fc.constant(ACCOUNT),
		region: fc.constant("eu-west-1"),
		time: fc.string({ minLength: 1 }),
		resources: fc.jsonValue(),
		detail: fc.record({
			eventName: fc.oneof(fc.constantFrom(...names), fc.jsonValue()),
			requestParameters: fc.jsonValue(),
			additionalEventData: fc.jsonValue(),
			userIdentity: fc.jsonValue(),
			key: fc.jsonValue(),
		}),
	});
	fc.assert(
		fc.property(likely, (value) => {
			expect(["hints", "unknown", "malformed"]).toContain(parseEvent(JSON.stringify(value)).kind);
		}),
	);
});

test("every pattern is within EventBridge's 2,048 characters, and no two triggers hear the same event", () => {
	for (const t of TRIGGERS) expect(JSON.stringify(patternOf(t)).length, t.id).toBeLessThan(2_048);
	const heard = TRIGGERS.flatMap((t) =>
		t.detailTypes.flatMap((d) => (t.eventNames ?? [""]).map((name) => `${t.source}/${d}/${name}`)),
	);
	expect(new Set(heard).size).toBe(heard.length);
	expect(new Set(TRIGGERS.map((t) => t.id)).size).toBe(TRIGGERS.length);
});
