import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { kindOf } from "../../../controller/kinds/registry.ts";
import type { RoleWanted } from "../../../controller/model/desired.ts";
import { stableJson } from "../../../controller/model/digest.ts";
import { referenceId } from "../../../controller/model/reference.ts";
import { catalog, DEV, doc, expandAll, type Files, facts, lines, NOW, PROD, policy, role } from "./world.ts";

const base: Files = { "platform/accounts.yaml": PROD };
const both: Files = { "platform/accounts.yaml": `${PROD}---\n${DEV}` };
const wanted = (spec: string, name = "orders-task", more: Files = {}): RoleWanted =>
	role(expandAll({ ...base, ...more, "a.yaml": policy(spec) }).desired, name);
const statements = (text: string) => wanted(`taskRole:\n  statements:\n  - ${text}`).statements.map((w) => w.statement);

test("a managed role has its defaults from the policy and the Account", () => {
	const account = PROD.replace(
		"region: eu-west-1",
		"region: eu-west-1, rolePath: /team/, permissionsBoundary: 'arn:aws:iam::123456789012:policy/b'",
	);
	const { desired, findings } = expandAll({
		"platform/a.yaml": account,
		"a.yaml": policy("taskRole: {}\nexecutionRole: { mode: Managed, path: /x/, permissionsBoundary: none }"),
	});
	expect(lines(findings)).toEqual([]);
	expect(desired.map((d) => d.target)).toEqual([
		{ type: "iam.role", account: "123456789012", region: "global", name: "orders-task" },
		{ type: "iam.role", account: "123456789012", region: "global", name: "orders-execution" },
	]);
	expect(role(desired, "orders-task")).toMatchObject({
		path: "/team/",
		permissionsBoundary: "arn:aws:iam::123456789012:policy/b",
		adopt: false,
		drift: "Enforce",
		exclusive: null,
		ignore: { inlinePolicies: [], managedPolicies: [] },
		deletion: "orphan",
		suspended: false,
		renamedFrom: null,
	});
	expect(role(desired, "orders-execution")).toMatchObject({ path: "/x/", permissionsBoundary: "none" });
});

test("without a boundary here or at the Account it is not ours", () => {
	expect(wanted("taskRole: {}").permissionsBoundary).toBeNull();
});

test("management says how a role is kept, and adds to what is always ignored", () => {
	const spec =
		"suspend: true\ntaskRole: { adopt: true }\nmanagement: { drift: Report, exclusive: true, deletion: Delete, ignore: { inlinePolicies: ['x*'], managedPolicies: ['*/Y'] } }";
	expect(wanted(spec)).toMatchObject({
		adopt: true,
		drift: "Report",
		exclusive: true,
		deletion: "delete:14d",
		suspended: true,
		ignore: { inlinePolicies: ["x*"], managedPolicies: ["*/Y"] },
	});
	expect(wanted("taskRole: {}\nmanagement: { deletion: Delete, retainFor: 30d }").deletion).toBe("delete:30d");
	expect(wanted("taskRole: {}\nmanagement: { retainFor: 30d }").deletion).toBe("orphan");
});

test("a rename is asked for by annotation, with or without the kind", () => {
	for (const old of ["old", "AccessPolicy/old"]) {
		const text = policy("taskRole: {}").replace(
			"{ name: orders }",
			`{ name: orders, annotations: { ecs-access.dev/renamed-from: ${old} } }`,
		);
		expect(role(expandAll({ ...base, "a.yaml": text }).desired, "orders-task").renamedFrom).toBe("AccessPolicy/old");
	}
});

describe("trust", () => {
	const ecs = (arn: string | readonly string[]) => ({
		Effect: "Allow",
		Principal: { Service: "ecs-tasks.amazonaws.com" },
		Action: "sts:AssumeRole",
		Condition: { StringEquals: { "aws:SourceAccount": "123456789012" }, ArnLike: { "aws:SourceArn": arn } },
	});
	test("is for ECS, of this account and region", () => {
		expect(wanted("taskRole: {}").trust).toEqual({
			Version: "2012-10-17",
			Statement: [ecs("arn:aws:ecs:eu-west-1:123456789012:*")],
		});
	});
	test("names every region of the workloads, once, in order, and those of who refers to the role", () => {
		const regions = PROD.replace("region: eu-west-1", "region: eu-west-1, regions: [eu-west-1, eu-central-1, us-east-1]");
		const files = {
			"platform/a.yaml": regions,
			"a.yaml": policy(
				"taskRole: {}\nworkloads: [{ cluster: a, services: [s] }, { cluster: b, region: us-east-1, services: [s] }, { cluster: c, services: [s] }]",
			),
			"b.yaml": policy("taskRole: { ref: orders }\nworkloads: [{ region: eu-central-1, taskFamilies: [f] }]", "other"),
		};
		const { desired } = expandAll(files);
		const region = (name: string) => `arn:aws:ecs:${name}:123456789012:*`;
		expect(role(desired, "orders-task").trust?.Statement).toEqual([
			ecs([region("eu-central-1"), region("eu-west-1"), region("us-east-1")]),
		]);
	});
	test("names the regions of who refers to it through another policy, or merely names it", () => {
		const regions = PROD.replace("region: eu-west-1", "region: eu-west-1, regions: [eu-west-1, eu-central-1, us-east-1]");
		const { desired } = expandAll({
			"platform/a.yaml": regions,
			"a.yaml": policy("executionRole: { mode: Managed, name: shared }", "a"),
			"b.yaml": policy("executionRole: { ref: a }", "b"),
			"c.yaml": policy("executionRole: { ref: b }\nworkloads: [{ region: us-east-1, taskFamilies: [f] }]", "c"),
			"d.yaml": policy(
				"executionRole: { mode: Unmanaged, name: SHARED }\nworkloads: [{ region: eu-central-1, taskFamilies: [g] }]",
				"d",
			),
		});
		const region = (name: string) => `arn:aws:ecs:${name}:123456789012:*`;
		expect(role(desired, "shared").trust?.Statement).toEqual([ecs([region("eu-central-1"), region("us-east-1")])]);
	});
	test("knows its partition", () => {
		const china = PROD.replace("eu-west-1", "cn-north-1");
		const { desired } = expandAll({
			"platform/a.yaml": china,
			"a.yaml": policy("taskRole: {}\nworkloads: [{ cluster: c, services: [s] }]"),
		});
		expect(stableJson(role(desired, "orders-task").trust)).toContain('"arn:aws-cn:ecs:cn-north-1:123456789012:*"');
		expect(desired.find((d) => d.target.type === "ecs.service")?.wanted).toMatchObject({
			binding: { taskRole: "arn:aws-cn:iam::123456789012:role/ecs-access/orders-task" },
		});
	});
	test("more principals follow, with their values in place", () => {
		const spec =
			"taskRole: { trust: { additional: [{ sid: Ci, principals: { AWS: ['arn:aws:iam::${account.id}:role/ci'] }, conditions: { Bool: { 'aws:MultiFactorAuthPresent': true } } }] } }";
		expect(wanted(spec).trust?.Statement.slice(1)).toEqual([
			{
				Sid: "Ci",
				Effect: "Allow",
				Principal: { AWS: "arn:aws:iam::123456789012:role/ci" },
				Action: "sts:AssumeRole",
				Condition: { Bool: { "aws:MultiFactorAuthPresent": true } },
			},
		]);
	});
	test("is not spoken of where it is preserved, which adoption alone does", () => {
		expect(wanted("taskRole: { trust: { mode: Preserve } }").trust).toBeNull();
		expect(wanted("taskRole: { adopt: true }").trust).toBeNull();
		expect(wanted("taskRole: { adopt: true, trust: { mode: Generated } }").trust).not.toBeNull();
	});
});

describe("statements", () => {
	test("are compiled with their values, one of a list as one", () => {
		expect(
			statements(
				'{ sid: A, actions: [s3:GetObject], resources: ["arn:aws:s3:::c-${account.vars.env}/${aws:username}/*"], conditions: { StringEquals: { "aws:ResourceAccount": "${account.id}" } } }',
			),
		).toEqual([
			{
				Sid: "A",
				Effect: "Allow",
				Action: "s3:GetObject",
				Resource: "arn:aws:s3:::c-prod/${aws:username}/*",
				Condition: { StringEquals: { "aws:ResourceAccount": "123456789012" } },
			},
		]);
		expect(statements('{ effect: Deny, notActions: ["s3:*", "sqs:*"], notResources: ["*"] }')).toEqual([
			{ Effect: "Deny", NotAction: ["s3:*", "sqs:*"], NotResource: "*" },
		]);
	});

	const until = (text: string) =>
		statements(`{ actions: ["s3:*"], resources: ["*"], expiresAt: 2027-01-31T02:00:00+02:00${text} }`)[0]?.Condition;
	test.each([
		["alone", "", { DateLessThan: { "aws:CurrentTime": "2027-01-31T00:00:00Z" } }],
		[
			"beside other conditions",
			", conditions: { Bool: { a: true }, DateLessThan: { b: '2020-01-01' } }",
			{ Bool: { a: true }, DateLessThan: { b: "2020-01-01", "aws:CurrentTime": "2027-01-31T00:00:00Z" } },
		],
		[
			"before the author's",
			", conditions: { DateLessThan: { 'AWS:currenttime': 2028-01-01T00:00:00Z } }",
			{ DateLessThan: { "AWS:currenttime": "2027-01-31T00:00:00Z" } },
		],
		[
			"after the author's",
			", conditions: { DateLessThan: { 'aws:CurrentTime': 2026-12-01T00:00:00Z } }",
			{ DateLessThan: { "aws:CurrentTime": "2026-12-01T00:00:00Z" } },
		],
		[
			"between the author's two, of which either may hold",
			", conditions: { DateLessThan: { 'aws:CurrentTime': [2026-12-01T00:00:00Z, 2029-01-01T00:00:00Z] } }",
			{ DateLessThan: { "aws:CurrentTime": "2027-01-31T00:00:00Z" } },
		],
		[
			"after the author's, in seconds",
			", conditions: { DateLessThan: { 'aws:CurrentTime': 1764547200 } }",
			{ DateLessThan: { "aws:CurrentTime": 1764547200 } },
		],
	])("end by a condition of IAM: %s", (_, text, condition) => {
		expect(until(text)).toEqual(condition);
	});
	test("an end beside a date that is none is refused", () => {
		const text = policy(
			'taskRole:\n  statements:\n  - { actions: ["s3:*"], resources: ["*"], expiresAt: 2027-01-31T00:00:00Z, conditions: { DateLessThan: { "aws:CurrentTime": soon } } }',
		);
		expect(lines(expandAll({ ...base, "a.yaml": text }).findings)).toEqual([
			"policies/a.yaml:7:91 error InvalidTime DateLessThan aws:CurrentTime is not a time -> write a time, or leave the key to expiresAt",
		]);
	});
	test("whose time is over are apart, with a warning that names the lines", () => {
		const text = policy(
			'taskRole:\n  statements:\n    - sid: Old\n      actions: ["s3:*"]\n      resources: ["*"]\n      expiresAt: 2026-11-24T09:00:00Z\n    - actions: ["sqs:*"]\n      resources: ["*"]',
		);
		const { desired, findings } = expandAll({ ...base, "a.yaml": text });
		const r = role(desired, "orders-task");
		expect(r.statements.map((w) => w.statement.Action)).toEqual(["sqs:*"]);
		expect(r.expired.map((w) => [w.statement.Sid, w.expiresAt, w.origin.line])).toEqual([["Old", "2026-11-24T09:00:00Z", 7]]);
		expect(lines(findings)).toEqual([
			"policies/a.yaml:7:9 warning Expired statement Old ended at 2026-11-24T09:00:00Z -> delete lines 7-10 of policies/a.yaml",
		]);
	});
	test("a second before its end a statement is in force", () => {
		const text = policy('taskRole:\n  statements:\n  - { actions: ["s3:*"], resources: ["*"], expiresAt: 2026-11-24T09:00:01Z }');
		expect(role(expandAll({ ...base, "a.yaml": text }).desired, "orders-task").statements).toHaveLength(1);
	});
	test("of sets come first, then the policy's own, then its grants', each with where it stands", () => {
		const files = {
			...base,
			"s.yaml": doc(
				"PermissionSet",
				"table-rw",
				"params: { table: {} }\nstatements:\n  - { sid: T, actions: [dynamodb:GetItem], resources: ['arn:${account.partition}:dynamodb:${account.region}:${account.id}:table/${param.table}'] }",
			),
			"g.yaml": doc(
				"AccessGrant",
				"incident",
				"policyRef: orders\nexpiresAt: 2026-12-01T00:00:00Z\nreason: r\nstatements:\n  - { actions: [sqs:SendMessage], resources: ['*'] }\n  - { actions: [sns:Publish], resources: ['*'], expiresAt: 2026-11-25T00:00:00Z }",
			),
			"a.yaml": policy(
				'taskRole:\n  permissionSets: [{ name: table-rw, params: { table: a } }, { name: table-rw, params: { table: b } }]\n  statements: [{ sid: T, actions: ["s3:*"], resources: ["*"] }]\nexecutionRole: { mode: Managed }',
			),
		};
		const { desired, findings } = expandAll(files);
		expect(lines(findings)).toEqual([]);
		expect(
			role(desired, "orders-task").statements.map((w) => [
				w.statement.Sid,
				w.statement.Resource,
				w.from,
				w.expiresAt,
				`${w.origin.path}:${w.origin.line}`,
			]),
		).toEqual([
			["T", "arn:aws:dynamodb:eu-west-1:123456789012:table/a", "PermissionSet/table-rw", null, "policies/s.yaml:7"],
			["T2", "arn:aws:dynamodb:eu-west-1:123456789012:table/b", "PermissionSet/table-rw", null, "policies/s.yaml:7"],
			["T3", "*", null, null, "policies/a.yaml:7"],
			[undefined, "*", "AccessGrant/incident", "2026-12-01T00:00:00Z", "policies/g.yaml:9"],
			[undefined, "*", "AccessGrant/incident", "2026-11-25T00:00:00Z", "policies/g.yaml:10"],
		]);
		expect(role(desired, "orders-execution").statements).toEqual([]);
	});
	test("of a grant that has not begun are not there, and of one that is over are expired", () => {
		const grant = (from: string, to: string) => ({
			...base,
			"a.yaml": policy("taskRole: {}"),
			"g.yaml": doc(
				"AccessGrant",
				"g",
				`policyRef: orders\nstartsAt: ${from}\nexpiresAt: ${to}\nreason: r\nstatements: [{ actions: [sqs:SendMessage], resources: ['*'] }]`,
			),
		});
		const later = role(expandAll(grant("2026-11-24T09:00:01Z", "2026-12-01T00:00:00Z")).desired, "orders-task");
		expect([later.statements.length, later.expired.length]).toEqual([0, 0]);
		const now = role(expandAll(grant("2026-11-24T09:00:00Z", "2026-12-01T00:00:00Z")).desired, "orders-task");
		expect([now.statements.length, now.expired.length]).toEqual([1, 0]);
		const over = role(expandAll(grant("2026-11-01T00:00:00Z", NOW)).desired, "orders-task");
		expect([over.statements.length, over.expired.length]).toEqual([0, 1]);
	});
});

describe("bindings", () => {
	const bindings = (spec: string, more: Files = {}) => {
		const { desired, findings } = expandAll({ ...base, ...more, "a.yaml": policy(spec) });
		expect(lines(findings).filter((l) => l.includes(" error "))).toEqual([]);
		return desired
			.filter((d) => d.target.type !== "iam.role")
			.map((d) => [d.target.type, d.target.region, d.target.name, d.wanted]);
	};
	test("every service and family carries the roles, and what is not said is not checked", () => {
		expect(bindings("workloads: [{ cluster: prod, services: [a], taskFamilies: [f] }]\ntaskRole: { path: /x/ }")).toEqual([
			[
				"ecs.service",
				"eu-west-1",
				"prod/a",
				{ mode: "Verify", binding: { taskRole: "arn:aws:iam::123456789012:role/x/orders-task" }, workloadRegion: "eu-west-1" },
			],
			[
				"ecs.family",
				"eu-west-1",
				"f",
				{ mode: "Verify", binding: { taskRole: "arn:aws:iam::123456789012:role/x/orders-task" }, workloadRegion: "eu-west-1" },
			],
		]);
	});
	test("without a task role none is wanted", () => {
		expect(bindings("workloads: [{ cluster: prod, services: [a] }]")[0]?.[3]).toMatchObject({ binding: { taskRole: null } });
	});
	test("a role that is only checked lives at the root, where its path says, or where another policy puts it", () => {
		const execution = (role: string) =>
			bindings(`workloads: [{ cluster: prod, services: [a] }]\nexecutionRole: ${role}`, {
				"b.yaml": policy("taskRole: { name: Shared, path: /s/ }", "b"),
			})[0]?.[3];
		const arn = (path: string) => ({ binding: { executionRole: `arn:aws:iam::123456789012:role${path}` } });
		expect(execution("{ mode: Unmanaged, name: r }")).toMatchObject(arn("/r"));
		expect(execution("{ mode: Unmanaged, name: r, path: /service-role/ }")).toMatchObject(arn("/service-role/r"));
		expect(execution("{ mode: Unmanaged, name: shared }")).toMatchObject(arn("/s/shared"));
	});
	test("a ref leads to the other policy's role of the same use, through another ref too", () => {
		const more = {
			"b.yaml": policy("taskRole: { name: t }\nexecutionRole: { ref: c }", "b"),
			"c.yaml": policy("executionRole: { mode: Managed, name: e }", "c"),
		};
		expect(
			bindings("workloads: [{ cluster: prod, services: [a] }]\ntaskRole: { ref: b }\nexecutionRole: { ref: b }", more)[0]?.[3],
		).toMatchObject({
			binding: {
				taskRole: "arn:aws:iam::123456789012:role/ecs-access/t",
				executionRole: "arn:aws:iam::123456789012:role/ecs-access/e",
			},
		});
	});
	test("an entry's own execution role and secrets replace the policy's for it", () => {
		const spec =
			"workloads:\n- { cluster: prod, services: [a] }\n- { cluster: prod, services: [b], executionRole: { mode: Managed, name: own }, secrets: [{ container: x, name: Y, parameter: /z }] }\nexecutionRole: { mode: Unmanaged, name: all }\nsecrets: [{ container: app, name: URL, secret: prod/db, jsonKey: url }]";
		expect(bindings(spec).map(([, , name, w]) => [name, w])).toEqual([
			[
				"prod/a",
				expect.objectContaining({
					binding: {
						taskRole: null,
						executionRole: "arn:aws:iam::123456789012:role/all",
						secrets: { "app/URL": "arn:aws:secretsmanager:eu-west-1:123456789012:secret:prod/db:url::" },
					},
				}),
			],
			[
				"prod/b",
				expect.objectContaining({
					binding: {
						taskRole: null,
						executionRole: "arn:aws:iam::123456789012:role/ecs-access/own",
						secrets: { "x/Y": "arn:aws:ssm:eu-west-1:123456789012:parameter/z" },
					},
				}),
			],
		]);
	});
	test("a secret of another account keeps its ARN", () => {
		const arn = "arn:aws:secretsmanager:us-east-1:210987654321:secret:shared-AbCdEf";
		expect(
			bindings(
				`workloads: [{ cluster: c, services: [s] }]\nsecrets: [{ container: a, name: B, secret: '${arn}', jsonKey: k }]`,
			)[0]?.[3],
		).toMatchObject({ binding: { secrets: { "a/B": `${arn}:k::` } } });
	});
});

describe("accounts", () => {
	test("one named alone keeps the key, several add theirs", () => {
		expect(expandAll({ ...both, "a.yaml": policy("accountRef: dev") }).keys).toEqual(["AccessPolicy/orders"]);
		expect(expandAll({ ...both, "a.yaml": policy("accountRefs: [dev, prod]") }).keys).toEqual([
			"AccessPolicy/orders@dev",
			"AccessPolicy/orders@prod",
		]);
		expect(expandAll({ ...both, "a.yaml": policy("accountSelector: { matchLabels: { env: prod } }") }).keys).toEqual([
			"AccessPolicy/orders@prod",
		]);
	});
	test("each instance has its account's values", () => {
		const { desired } = expandAll({
			...both,
			"a.yaml": policy(
				"accountRefs: [dev, prod]\ntaskRole: { name: '${policy.name}-${account.vars.env}' }\nworkloads: [{ cluster: c, services: [s] }]",
			),
		});
		expect(desired.map((d) => [d.target.account, d.target.region, d.target.name])).toEqual([
			["210987654321", "global", "orders-dev"],
			["210987654321", "eu-central-1", "c/s"],
			["123456789012", "global", "orders-prod"],
			["123456789012", "eu-west-1", "c/s"],
		]);
	});
	test("offline and without an Account its values stay as they are, and nothing is wrong with that", () => {
		const text = policy(
			'taskRole:\n  statements: [{ actions: ["s3:*"], resources: ["arn:aws:s3:::b-${account.vars.env}-${account.id}/*", "${account.vars.arn}"] }]\nworkloads: [{ cluster: c, services: [s] }]',
		);
		const { desired, findings } = expandAll({ "a.yaml": text });
		expect(lines(findings)).toEqual([]);
		expect(desired.map((d) => [d.target.account, d.target.region])).toEqual([
			["${account.id}", "global"],
			["${account.id}", "${account.region}"],
		]);
		expect(role(desired, "orders-task").statements[0]?.statement.Resource).toEqual([
			"arn:aws:s3:::b-${account.vars.env}-${account.id}/*",
			"${account.vars.arn}",
		]);
	});
	test("with the caller's account known, its id is in place and its missing variables are errors", () => {
		const text = policy(
			'taskRole:\n  statements: [{ actions: ["s3:*"], resources: ["arn:aws:s3:::b-${account.vars.env}-${account.id}/*"] }]',
		);
		const { desired, findings } = expandAll({ "a.yaml": text }, facts(), { accountId: "123456789012", region: "eu-west-1" });
		expect(desired[0]?.target.account).toBe("123456789012");
		expect(findings.map((f) => f.id)).toEqual(["UnknownVariable"]);
	});
});

describe("what AWS says of a role that is only checked", () => {
	const files = { ...base, "a.yaml": policy("executionRole: { mode: Unmanaged, name: r }") };
	const ref = { type: "iam.role", account: "123456789012", name: "r" } as const;
	const state = {
		path: "/service-role/",
		trust: { Statement: [] },
		inline: {},
		managedPolicies: [],
		permissionsBoundary: null,
		tags: {},
	};
	test.each([
		[
			"it is absent",
			{ type: "absent" } as const,
			["policies/a.yaml:5:43 error RoleMissing role r does not exist -> create it, or write mode: Managed"],
		],
		[
			"it cannot be read",
			{ type: "unknown", reason: "AccessDenied" } as const,
			["policies/a.yaml:5:43 warning NotRead role r could not be read: AccessDenied"],
		],
		[
			"it lives elsewhere",
			{ type: "iam.role", arn: "arn:aws:iam::123456789012:role/service-role/r", state } as const,
			["policies/a.yaml:5:43 error PathDiffers role r lives under /service-role/, git says / -> write path: /service-role/"],
		],
		[
			"it is as git says",
			{ type: "iam.role", arn: "arn:aws:iam::123456789012:role/r", state: { ...state, path: "/" } } as const,
			[],
		],
	])("%s", (_, fact, said) => {
		expect(lines(expandAll(files, facts([[ref, fact]])).findings)).toEqual(said);
	});
});

test("a policy refers to its unmanaged roles, its attached policies and boundary, and to who passes roles", () => {
	const account = PROD.replace(
		"region: eu-west-1",
		"region: eu-west-1, deployers: ['arn:aws:iam::123456789012:role/ci'], permissionsBoundary: 'arn:aws:iam::123456789012:policy/b'",
	);
	const spec =
		"taskRole: { managedPolicies: ['arn:${account.partition}:iam::aws:policy/A'] }\nexecutionRole: { mode: Unmanaged, name: R }\nworkloads: [{ cluster: c, services: [s] }]";
	const { view, instances } = catalog({ "platform/a.yaml": account, "a.yaml": policy(spec) });
	const refs = instances.flatMap((i) => kindOf("AccessPolicy").references(i, view, facts()));
	expect(refs.map(referenceId)).toEqual([
		"iam.managedPolicy/123456789012/arn:aws:iam::aws:policy/A",
		"iam.managedPolicy/123456789012/arn:aws:iam::123456789012:policy/b",
		"iam.role/123456789012/r",
		"passers/123456789012/eu-west-1/arn:aws:iam::123456789012:role/ci",
	]);
});

test("offline a policy refers to nothing", () => {
	const { view, instances } = catalog({
		"a.yaml": policy("executionRole: { mode: Unmanaged, name: R }\nworkloads: [{ cluster: c, services: [s] }]"),
	});
	expect(instances.flatMap((i) => kindOf("AccessPolicy").references(i, view, facts()))).toEqual([]);
});

test("expansion says the same twice, in whatever order the files come", () => {
	const spec = fc.record({
		role: fc.constantFrom(
			"{}",
			"{ name: 'r-${policy.name}' }",
			"{ ref: p0 }",
			"{ mode: Unmanaged, name: shared }",
			"{ adopt: true, tags: { a: '${account.id}' } }",
		),
		execution: fc.constantFrom(
			"",
			"executionRole: { mode: Unmanaged, name: shared }\n",
			"executionRole: { mode: Managed }\n",
			"executionRole: { ref: p1 }\n",
		),
		cluster: fc.constantFrom("a", "b"),
	});
	fc.assert(
		fc.property(fc.array(spec, { minLength: 1, maxLength: 5 }), fc.nat(), (specs, turn) => {
			const files = specs.map((s, n): [string, string] => [
				`p${n}.yaml`,
				policy(`taskRole: ${s.role}\n${s.execution}workloads: [{ cluster: ${s.cluster}, services: [s${n}] }]`, `p${n}`),
			]);
			const at = turn % files.length;
			const once = stableJson(expandAll({ ...base, ...Object.fromEntries(files) }));
			expect(stableJson(expandAll({ ...Object.fromEntries([...files.slice(at), ...files.slice(0, at)]), ...base }))).toBe(once);
		}),
		{ numRuns: 200 },
	);
});
