import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { imageNeed, keyNeed, type Need, needText, parseNeed } from "../../../controller/kinds/access-policy/derived-needs.ts";
import { needsGranted, statementsFor } from "../../../controller/kinds/access-policy/derived-statements.ts";
import { nextUsage } from "../../../controller/kinds/access-policy/derived-usage.ts";
import { kindOf } from "../../../controller/kinds/registry.ts";
import type { Usage, Usages } from "../../../controller/model/derived.ts";
import type { Fact, Facts, Reference, RevisionNeeds } from "../../../controller/model/reference.ts";
import type { RoleState } from "../../../controller/model/target.ts";
import type { Statement } from "../../../controller/policy/document.ts";
import { evaluate } from "../../../controller/policy/evaluate.ts";
import { contains, glob } from "../../../controller/policy/glob.ts";
import { catalog, expandAll, facts, lines, NOW, PROD, policy, role } from "./world.ts";

const ACCOUNT = "123456789012";
const ECR = `${ACCOUNT}.dkr.ecr.eu-west-1.amazonaws.com`;
const REPOSITORY = `arn:aws:ecr:eu-west-1:${ACCOUNT}:repository`;
const SECRET = `arn:aws:secretsmanager:eu-west-1:${ACCOUNT}:secret`;
const LOGS = `arn:aws:logs:eu-west-1:${ACCOUNT}:log-group`;
const PARAMETER = `arn:aws:ssm:eu-west-1:${ACCOUNT}:parameter`;
const KEY = `arn:aws:kms:eu-west-1:${ACCOUNT}:key`;

const SERVICE: Reference = {
	type: "ecs.workload",
	account: ACCOUNT,
	region: "eu-west-1",
	workload: "service",
	name: "prod/orders",
};
const ROLE: Reference = { type: "iam.role", account: ACCOUNT, name: "orders-execution" };
const keyOf = (arn: string): Reference => ({ type: "secret.key", account: ACCOUNT, arn });

function revision(n: number, needs: Partial<RevisionNeeds>): RevisionNeeds {
	const arn = `arn:aws:ecs:eu-west-1:${ACCOUNT}:task-definition/orders:${n}`;
	return { arn, images: [], logs: [], secrets: [], files: [], ...needs };
}

const ORDERS = `workloads: [{ cluster: prod, services: [orders] }]
taskRole: { statements: [] }
secrets:
  - { container: app, name: DATABASE_URL, secret: prod/orders/database, jsonKey: url }
`;

function files(executionRole: string, spec = ORDERS) {
	return { "platform/accounts.yaml": PROD, "orders.yaml": policy(`${spec}executionRole: ${executionRole}`) };
}

interface Known {
	readonly revisions?: readonly RevisionNeeds[];
	readonly fact?: Fact;
	readonly keys?: Readonly<Record<string, string | null>>;
	/** What the role grants today. */
	readonly live?: readonly Statement[];
	readonly used?: Usages;
	readonly now?: string;
}

function known({ revisions, fact, keys = {}, live, used, now = NOW }: Known): Facts {
	const state = { path: "/", inline: { "ecs-access": { Version: "2012-10-17", Statement: live ?? [] } } } as unknown as RoleState;
	const all: (readonly [Reference, Fact])[] = [
		[SERVICE, fact ?? { type: "ecs.workload", revisions: revisions ?? [] }],
		[ROLE, live === undefined ? { type: "absent" } : { type: "iam.role", arn: "", state }],
		[keyOf(`${SECRET}:prod/orders/database-??????`), { type: "secret.key", key: null }],
		...Object.entries(keys).map(([arn, key]): readonly [Reference, Fact] => [keyOf(arn), { type: "secret.key", key }]),
	];
	return { ...facts(all, now), used: () => used };
}

function derive(k: Known, executionRole = "{ mode: Derived }", spec = ORDERS) {
	const { desired, findings } = expandAll(files(executionRole, spec), known(k));
	const wanted = role(desired, "orders-execution");
	const statements = wanted.statements.map((s) => s.statement);
	return {
		statements,
		usage: wanted.usage ?? {},
		resources: (sid: string) => [statements.find((s) => s.Sid === sid)?.Resource ?? []].flat(),
		sids: statements.map((s) => s.Sid),
		findings: lines(findings),
		wanted,
	};
}

describe("a derived execution role", () => {
	test("is claimed, bound, and trusted by ECS, as a managed one is", () => {
		const { desired } = expandAll(files("{ mode: Derived }"), known({}));
		const { wanted } = derive({});
		expect(wanted.trust?.Statement[0]?.Principal).toEqual({ Service: "ecs-tasks.amazonaws.com" });
		const service = desired.find((d) => d.target.type === "ecs.service");
		expect(service?.wanted).toMatchObject({
			binding: { executionRole: `arn:aws:iam::${ACCOUNT}:role/ecs-access/orders-execution` },
		});
		const rival = policy("executionRole: { mode: Managed, name: orders-execution }", "rival");
		expect(lines(catalog({ ...files("{ mode: Derived }"), "rival.yaml": rival }).findings).join("\n")).toContain(
			'DuplicateClaim role orders-execution is also claimed by AccessPolicy "rival"',
		);
	});

	test("of a service that does not exist yet gets what git alone says", () => {
		const { statements, findings } = derive({ fact: { type: "absent" } });
		expect(findings).toEqual([]);
		expect(statements).toEqual([
			{
				Sid: "ReadSecrets",
				Effect: "Allow",
				Action: "secretsmanager:GetSecretValue",
				Resource: `${SECRET}:prod/orders/database-??????`,
			},
		]);
	});

	test("gets the least that the revisions need: repositories, log groups, secrets, parameters, files", () => {
		const { statements, findings, usage } = derive(
			{
				revisions: [
					revision(7, {
						images: [`${ECR}/orders/app:1.2`, "docker.io/library/nginx:1", "public.ecr.aws/datadog/agent:7", "nginx"],
						logs: [
							{ group: "/ecs/orders", region: null, create: false },
							{ group: "sidecar", region: "eu-central-1", create: true },
						],
						secrets: [`${SECRET}:prod/orders/database-AbCdEf:url::`, `${SECRET}:shared/license-123456`, "/shared/flags"],
						files: ["arn:aws:s3:::config/orders/app.env"],
					}),
					revision(8, { images: ["210987654321.dkr.ecr.us-east-1.amazonaws.com/base@sha256:00ff"] }),
				],
				keys: { [`${SECRET}:shared/license-123456`]: null },
			},
			`{ mode: Derived, allow: ["${SECRET}:shared/*", "${PARAMETER}/shared/*", "arn:aws:s3:::config/orders/*"] }`,
		);
		expect(findings).toEqual([]);
		expect(statements).toMatchInlineSnapshot(`
			[
			  {
			    "Action": "ecr:GetAuthorizationToken",
			    "Effect": "Allow",
			    "Resource": "*",
			    "Sid": "LogInToRegistries",
			  },
			  {
			    "Action": [
			      "ecr:BatchCheckLayerAvailability",
			      "ecr:BatchGetImage",
			      "ecr:GetDownloadUrlForLayer",
			    ],
			    "Effect": "Allow",
			    "Resource": [
			      "arn:aws:ecr:eu-west-1:123456789012:repository/orders/app",
			      "arn:aws:ecr:us-east-1:210987654321:repository/base",
			    ],
			    "Sid": "PullImages",
			  },
			  {
			    "Action": "logs:CreateLogGroup",
			    "Effect": "Allow",
			    "Resource": [
			      "arn:aws:logs:eu-central-1:123456789012:log-group:sidecar",
			      "arn:aws:logs:eu-central-1:123456789012:log-group:sidecar:*",
			    ],
			    "Sid": "CreateLogGroups",
			  },
			  {
			    "Action": [
			      "logs:CreateLogStream",
			      "logs:PutLogEvents",
			    ],
			    "Effect": "Allow",
			    "Resource": [
			      "arn:aws:logs:eu-central-1:123456789012:log-group:sidecar:*",
			      "arn:aws:logs:eu-west-1:123456789012:log-group:/ecs/orders:*",
			    ],
			    "Sid": "WriteLogs",
			  },
			  {
			    "Action": "secretsmanager:GetSecretValue",
			    "Effect": "Allow",
			    "Resource": [
			      "arn:aws:secretsmanager:eu-west-1:123456789012:secret:prod/orders/database-??????",
			      "arn:aws:secretsmanager:eu-west-1:123456789012:secret:shared/license-123456",
			    ],
			    "Sid": "ReadSecrets",
			  },
			  {
			    "Action": "ssm:GetParameters",
			    "Effect": "Allow",
			    "Resource": "arn:aws:ssm:eu-west-1:123456789012:parameter/shared/flags",
			    "Sid": "ReadParameters",
			  },
			  {
			    "Action": "s3:GetObject",
			    "Effect": "Allow",
			    "Resource": "arn:aws:s3:::config/orders/app.env",
			    "Sid": "ReadFiles",
			  },
			  {
			    "Action": "s3:GetBucketLocation",
			    "Effect": "Allow",
			    "Resource": "arn:aws:s3:::config",
			    "Sid": "FindBuckets",
			  },
			]
		`);
		expect(usage).toMatchInlineSnapshot(`
			{
			  "createLogs arn:aws:logs:eu-central-1:123456789012:log-group:sidecar": null,
			  "file arn:aws:s3:::config/orders/app.env": null,
			  "image arn:aws:ecr:eu-west-1:123456789012:repository/orders/app": null,
			  "image arn:aws:ecr:us-east-1:210987654321:repository/base": null,
			  "logs arn:aws:logs:eu-central-1:123456789012:log-group:sidecar": null,
			  "logs arn:aws:logs:eu-west-1:123456789012:log-group:/ecs/orders": null,
			  "parameter arn:aws:ssm:eu-west-1:123456789012:parameter/shared/flags": null,
			  "secret arn:aws:secretsmanager:eu-west-1:123456789012:secret:shared/license-123456": null,
			}
		`);
	});

	test("does not get what git does not allow, and the finding names who asks for it", () => {
		const asks = {
			secrets: [`${SECRET}:prod/billing/key-AbCdEf:k::`, "/prod/other"],
			files: ["arn:aws:s3:::config/orders/app.env"],
		};
		const { sids, resources, findings, usage } = derive({ revisions: [revision(6, asks), revision(7, asks)] });
		expect(sids).toEqual(["ReadSecrets"]);
		expect(resources("ReadSecrets")).toEqual([`${SECRET}:prod/orders/database-??????`]);
		expect(usage).toEqual({});
		expect(findings).toMatchInlineSnapshot(`
			[
			  "policies/orders.yaml:5:43 warning UndeclaredAccess service prod/orders asks in orders:6, orders:7 for arn:aws:secretsmanager:eu-west-1:123456789012:secret:prod/billing/key-AbCdEf, which git does not allow: role orders-execution does not get it -> write it under secrets, or its ARN into executionRole.allow, or take it out of the task definition",
			  "policies/orders.yaml:5:43 warning UndeclaredAccess service prod/orders asks in orders:6, orders:7 for /prod/other, which git does not allow: role orders-execution does not get it -> write it under secrets, or its ARN into executionRole.allow, or take it out of the task definition",
			  "policies/orders.yaml:5:43 warning UndeclaredAccess service prod/orders asks in orders:6, orders:7 for arn:aws:s3:::config/orders/app.env, which git does not allow: role orders-execution does not get it -> write it under secrets, or its ARN into executionRole.allow, or take it out of the task definition",
			]
		`);
	});

	test.each([
		["a secret", { secrets: [`${SECRET}:*`] }],
		["a secret's name", { secrets: [`${SECRET}:prod/orders/*-AbCdEf`] }],
		["a variable in a secret", { secrets: [`${SECRET}:prod/orders/\${aws:username}-AbCdEf`] }],
		["a secret of every account", { secrets: ["arn:aws:secretsmanager:*:*:secret:prod/orders/x-AbCdEf"] }],
		["a parameter", { secrets: [`${PARAMETER}/*`] }],
		["a parameter by name", { secrets: ["prod/?rders"] }],
		["a log group", { logs: [{ group: "*", region: null, create: true }] }],
		["a log group's region", { logs: [{ group: "x", region: "*", create: true }] }],
		["a log stream", { logs: [{ group: "x:*", region: null, create: true }] }],
		["a file", { files: ["arn:aws:s3:::*/*"] }],
		["an object's name", { files: ["arn:aws:s3:::config/orders/*"] }],
	])("cannot be widened by a wildcard for %s in a task definition", (_, needs) => {
		const everything = `{ mode: Derived, allow: ["arn:*:secretsmanager:*:*:secret:*", "arn:*:ssm:*:*:parameter/*", "arn:*:s3:::*/*"] }`;
		const { sids, findings } = derive({ revisions: [revision(7, needs)] }, everything);
		expect(sids).toEqual(["ReadSecrets"]);
		expect(findings).toEqual([expect.stringContaining("UndeclaredAccess service prod/orders asks in orders:7 for ")]);
	});

	test("an image with wildcards is pulled from no repository of ECR", () => {
		expect(
			derive({ revisions: [revision(7, { images: [`${ECR}/*`, `${ECR}/a*b:1`, `*.dkr.ecr.eu-west-1.amazonaws.com/x`] })] }).sids,
		).toEqual(["ReadSecrets"]);
	});

	test.each([
		["git by name, the task definition by ARN", "secret: a/b", `${SECRET}:a/b-AbCdEf`],
		["git by name, the task definition without the end", "secret: a/b", `${SECRET}:a/b`],
		["git by name that looks like an end", "secret: prod/db-master", `${SECRET}:prod/db-master-AbCdEf`],
		["both by ARN", `secret: "${SECRET}:a/b-AbCdEf"`, `${SECRET}:a/b-AbCdEf:key:AWSCURRENT:`],
		["git by ARN, the task definition without the end", `secret: "${SECRET}:a/b-AbCdEf"`, `${SECRET}:a/b`],
		["git by ARN without the end", `secret: "${SECRET}:a/b"`, `${SECRET}:a/b-AbCdEf`],
		["a parameter by name", "parameter: /a/b", `${PARAMETER}/a/b`],
		["a parameter by name in both", "parameter: a/b", "/a/b"],
	])("knows a secret that git names: %s", (_, git, live) => {
		const spec = ORDERS.replace("secret: prod/orders/database, jsonKey: url", git);
		const alone = derive({ fact: { type: "absent" } }, "{ mode: Derived }", spec);
		const { findings, statements } = derive({ revisions: [revision(7, { secrets: [live] })] }, "{ mode: Derived }", spec);
		expect(findings).toEqual([]);
		expect(statements).toEqual(alone.statements);
	});

	test("another secret whose name begins alike is another one", () => {
		const { findings } = derive({ revisions: [revision(7, { secrets: [`${SECRET}:prod/orders/database-old-AbCdEf`] })] });
		expect(findings).toHaveLength(1);
	});

	test("may decrypt with the keys of its own secrets only, and only through the services that keep them", () => {
		const name = `${SECRET}:prod/orders/database-??????`;
		const { statements } = derive({ fact: { type: "absent" }, keys: { [name]: "0a1b2c3d-1111-2222-3333-444455556666" } });
		expect(statements.at(-1)).toEqual({
			Sid: "DecryptSecrets",
			Effect: "Allow",
			Action: "kms:Decrypt",
			Resource: `${KEY}/0a1b2c3d-1111-2222-3333-444455556666`,
			Condition: {
				StringEquals: { "kms:ViaService": ["secretsmanager.eu-west-1.amazonaws.com", "ssm.eu-west-1.amazonaws.com"] },
			},
		});
		const byAlias = derive({ fact: { type: "absent" }, keys: { [name]: "alias/orders" } });
		expect(byAlias.statements.at(-1)).toMatchObject({
			Resource: `${KEY}/*`,
			Condition: { "ForAnyValue:StringEquals": { "kms:ResourceAliases": "alias/orders" } },
		});
		const unknown = { ...known({ fact: { type: "absent" } }) };
		const get: Facts["get"] = (ref) =>
			ref.type === "secret.key" ? { type: "unknown", reason: "AccessDenied" } : unknown.get(ref);
		const refused = expandAll(files("{ mode: Derived }"), { ...unknown, get });
		expect(lines(refused.findings)).toEqual([expect.stringContaining("NotRead the key of")]);
		const said = expandAll(files(`{ mode: Derived, allow: ["${KEY}/0a1b"] }`), { ...unknown, get });
		expect(lines(said.findings)).toEqual([]);
		expect(role(said.desired, "orders-execution").statements.at(-1)?.statement.Resource).toBe(`${KEY}/0a1b`);
	});

	test("a key opens nothing where no secret is granted", () => {
		const spec = "workloads: [{ cluster: prod, services: [orders] }]\n";
		expect(derive({}, `{ mode: Derived, allow: ["${KEY}/0a1b"] }`, spec).sids).toEqual([]);
	});

	test("takes in the workloads of a policy that refers to it, and their secrets", () => {
		const other = policy(
			"workloads: [{ cluster: prod, services: [worker] }]\nexecutionRole: { ref: orders }\nsecrets: [{ container: app, name: A, secret: worker/a }]",
			"worker",
		);
		const source = { ...files("{ mode: Derived }"), "worker.yaml": other };
		const worker: Reference = { ...SERVICE, name: "prod/worker" };
		const base = known({});
		const get: Facts["get"] = (ref) =>
			ref.type === "ecs.workload" && ref.name === worker.name
				? { type: "ecs.workload", revisions: [revision(1, { images: [`${ECR}/worker`] })] }
				: base.get(ref);
		const { desired } = expandAll(source, { ...base, get });
		const statements = role(desired, "orders-execution").statements.map((s) => s.statement);
		expect(statements.find((s) => s.Sid === "PullImages")?.Resource).toBe(`${REPOSITORY}/worker`);
		expect(statements.find((s) => s.Sid === "ReadSecrets")?.Resource).toEqual([
			`${SECRET}:prod/orders/database-??????`,
			`${SECRET}:worker/a-??????`,
		]);
		const { view, instances } = catalog(source);
		const orders = instances.find((i) => i.key === "AccessPolicy/orders");
		const refs = orders === undefined ? [] : kindOf("AccessPolicy").references(orders, view, facts());
		expect(refs).toContainEqual(worker);
	});

	test("asks for what it must know, and for the keys of what its task definitions read once these are known", () => {
		const { view, instances } = catalog(files(`{ mode: Derived, allow: ["${SECRET}:shared/*"] }`));
		const [orders] = instances;
		if (orders === undefined) throw new Error("no instance");
		const kind = kindOf("AccessPolicy");
		const ids = (f: Facts) => kind.references(orders, view, f).flatMap((r) => (r.type === "secret.key" ? [r.arn] : r.type));
		expect(ids(facts())).toEqual(["iam.role", "ecs.workload", `${SECRET}:prod/orders/database-??????`, "passers"]);
		const secrets = [`${SECRET}:shared/license-123456`, `${SECRET}:elsewhere-123456`];
		expect(ids(known({ revisions: [revision(7, { secrets })] }))).toContain(`${SECRET}:shared/license-123456`);
		expect(ids(known({ revisions: [revision(7, { secrets })] }))).not.toContain(`${SECRET}:elsewhere-123456`);
	});

	test("a policy without one asks for nothing of it", () => {
		const { view, instances } = catalog(files("{ mode: Unmanaged, name: shared }"));
		const types = instances.flatMap((i) =>
			kindOf("AccessPolicy")
				.references(i, view, facts())
				.map((r) => r.type),
		);
		expect(types).toEqual(["iam.role", "passers"]);
	});
});

const day = (n: number) => new Date(Date.parse(NOW) + n * 86_400_000).toISOString().replace(".000", "");

describe("what a derived role once needed", () => {
	const image = (name: string) => `image ${REPOSITORY}/${name}`;
	const now = (name: string) => [revision(7, { images: [`${ECR}/${name}:1`] })];

	test("stays for seven days after it was seen unneeded, then goes", () => {
		const first = derive({ revisions: now("old") });
		expect(first.usage).toEqual({ [image("old")]: null });
		const grown = derive({ revisions: now("new"), used: { "orders-execution": first.usage }, now: day(1) });
		expect(grown.resources("PullImages")).toEqual([`${REPOSITORY}/new`, `${REPOSITORY}/old`]);
		expect(grown.usage).toEqual({ [image("new")]: null, [image("old")]: day(1) });
		const used = { "orders-execution": grown.usage };
		expect(derive({ revisions: now("new"), used, now: day(7.9) }).resources("PullImages")).toHaveLength(2);
		const shrunk = derive({ revisions: now("new"), used, now: day(8) });
		expect(shrunk.resources("PullImages")).toEqual([`${REPOSITORY}/new`]);
		expect(shrunk.usage).toEqual({ [image("new")]: null });
	});

	test("counts afresh when it is needed again in between", () => {
		const back = derive({ revisions: now("old"), used: { "orders-execution": { [image("old")]: day(0) } }, now: day(6) });
		expect(back.usage).toEqual({ [image("old")]: null });
	});

	test("is kept from what the role grants where nothing is remembered", () => {
		const live = statementsFor([
			{ type: "image", resource: `${REPOSITORY}/old` },
			{ type: "logs", resource: `${LOGS}:/ecs/old` },
			{ type: "secret", resource: `${SECRET}:forbidden-AbCdEf` },
		]);
		const { usage, resources } = derive({ revisions: now("new"), live });
		expect(usage).toEqual({ [image("new")]: null, [image("old")]: NOW, [`logs ${LOGS}:/ecs/old`]: NOW });
		// The bound of git holds for what is kept, too.
		expect(resources("ReadSecrets")).toEqual([`${SECRET}:prod/orders/database-??????`]);
		// What a hand added beside what is remembered is no memory.
		expect(derive({ revisions: now("new"), live, used: { "orders-execution": {} } }).usage).toEqual({ [image("new")]: null });
	});

	test("never goes while a workload cannot be read", () => {
		const used = { "orders-execution": { [image("old")]: day(-30), [image("older")]: null } };
		const { usage, findings } = derive({ fact: { type: "unknown", reason: "AccessDenied" }, used });
		expect(usage).toEqual(used["orders-execution"]);
		expect(findings).toEqual([
			expect.stringContaining("NotRead what service prod/orders needs of role orders-execution could not be read: AccessDenied"),
		]);
	});

	test("goes at once when git allows it no more", () => {
		const license = `secret ${SECRET}:shared/license-123456`;
		const used = { "orders-execution": { [license]: null, [`key ${KEY}/0a1b`]: null } };
		const allow = `{ mode: Derived, allow: ["${SECRET}:shared/*"] }`;
		expect(derive({ used }, allow).usage).toMatchObject({ [license]: NOW });
		expect(derive({ used }).usage[license]).toBeUndefined();
	});

	test("is not believed where it holds what could not have been needed", () => {
		const used = { "orders-execution": { "image *": null, [`image ${REPOSITORY}/*`]: null, nonsense: null, "secret arn": null } };
		expect(derive({ used }).usage).toEqual({});
	});
});

const name = fc.stringMatching(/^[a-z][a-z0-9]{0,5}$/);
const anyText = fc.oneof(name, fc.constantFrom("*", "?", "a*", "${aws:username}", "a:*", "x/../y", ""));
const needs = fc.record({
	images: fc.array(
		anyText.map((n) => `${ECR}/${n}`),
		{ maxLength: 3 },
	),
	logs: fc.array(fc.record({ group: anyText, region: fc.constant(null), create: fc.boolean() }), { maxLength: 2 }),
	secrets: fc.array(
		fc
			.tuple(fc.constantFrom("open/", "shut/", ""), anyText, fc.constantFrom("", "-AbCdEf", "-AbCdEf:k::"))
			.map((p) => `${SECRET}:${p.join("")}`),
		{ maxLength: 4 },
	),
	files: fc.array(
		anyText.map((n) => `arn:aws:s3:::${n}/${n}`),
		{ maxLength: 2 },
	),
});

describe("whatever task definitions ask for", () => {
	test("no secret is granted beyond what git says, remembered, live or asked for", () => {
		const bounds = [`${SECRET}:prod/orders/database-??????`, `${SECRET}:open/*`].map((p) => glob(p, false));
		fc.assert(
			fc.property(needs, needs, fc.array(fc.constantFrom("secret", "image", "file")), (a, b, types) => {
				const used = Object.fromEntries(types.flatMap((t) => b.secrets.map((s): [string, null] => [`${t} ${s}`, null])));
				const live = statementsFor(b.secrets.map((resource) => ({ type: "secret", resource })));
				for (const remembered of [undefined, { "orders-execution": used }]) {
					const { statements } = derive(
						{ revisions: [revision(1, a)], live, used: remembered as Usages },
						`{ mode: Derived, allow: ["${SECRET}:open/*"] }`,
					);
					for (const s of statements) {
						expect(s.Effect).toBe("Allow");
						if (s.Sid === "LogInToRegistries") continue;
						for (const r of [s.Resource ?? []].flat()) {
							if (s.Sid === "ReadSecrets") expect(bounds.some((p) => contains(p, glob(r, true)))).toBe(true);
							else expect(r.replace(/:\*$/, "")).not.toMatch(/[*?$]/);
						}
					}
					expect(statements.some((s) => s.Sid === "ReadFiles" || s.Sid === "ReadParameters")).toBe(false);
				}
			}),
			{ numRuns: 60 },
		);
	});

	test("what is granted is exactly what is found in it again", () => {
		const some = fc.array(
			fc.oneof(
				name.map((n): Need => ({ type: "image", resource: `${REPOSITORY}/${n}` })),
				name.map((n): Need => ({ type: "logs", resource: `${LOGS}:${n}` })),
				name.map((n): Need => ({ type: "createLogs", resource: `${LOGS}:${n}` })),
				name.map((n): Need => ({ type: "secret", resource: `${SECRET}:${n}-??????` })),
				name.map((n): Need => ({ type: "parameter", resource: `${PARAMETER}/${n}` })),
				name.map((n): Need => ({ type: "file", resource: `arn:aws:s3:::config/${n}` })),
				name.map((n): Need => ({ type: "key", resource: `${KEY}/${n}` })),
				name.map((n): Need => ({ type: "alias", resource: `arn:aws:kms:eu-west-1:${ACCOUNT}:alias/${n}` })),
			),
		);
		const texts = (all: readonly Need[]) => [...new Set(all.map(needText))].sort();
		fc.assert(
			fc.property(some, (all) => {
				expect(texts(needsGranted([{ Version: "2012-10-17", Statement: statementsFor(all) }]))).toEqual(texts(all));
				expect(all.map((n) => parseNeed(needText(n)))).toEqual(all);
			}),
		);
	});
});

describe("the memory of needs", () => {
	const passes = fc.array(
		fc.record({
			needed: fc.uniqueArray(fc.constantFrom(...["a", "b", "c", "d"]), { maxLength: 4 }),
			complete: fc.boolean(),
			/** Hours since the pass before. */
			after: fc.integer({ min: 0, max: 120 }),
		}),
		{ minLength: 1, maxLength: 30 },
	);

	test("grows at once, and lets go only what was seen unneeded for seven days", () => {
		fc.assert(
			fc.property(passes, fc.uniqueArray(fc.constantFrom("a", "b", "x")), (all, granted) => {
				let remembered: Usage | undefined;
				let hours = 0;
				const unneeded = new Map<string, number>();
				for (const p of all) {
					hours += p.after;
					const now = new Date(Date.parse(NOW) + hours * 3_600_000).toISOString().replace(".000", "");
					const before = Object.keys(remembered ?? Object.fromEntries(granted.map((g) => [g, null])));
					remembered = nextUsage({ needed: new Set(p.needed), remembered, granted, complete: p.complete, now });
					for (const n of p.needed) {
						unneeded.delete(n);
						expect(remembered).toHaveProperty(n, null);
					}
					for (const n of before.filter((b) => !p.needed.includes(b))) {
						if (p.complete && !unneeded.has(n)) unneeded.set(n, hours);
						const over = p.complete && hours - (unneeded.get(n) ?? hours) >= 7 * 24;
						expect(n in remembered, `${n} after ${hours} h`).toBe(!over);
						if (over) unneeded.delete(n);
					}
					expect(Object.keys(remembered).every((n) => before.includes(n) || p.needed.includes(n))).toBe(true);
				}
			}),
		);
	});

	test("says the same again while nothing changes, whatever the time", () => {
		const once = nextUsage({
			needed: new Set(["a"]),
			remembered: { a: null, b: day(0) },
			granted: [],
			complete: true,
			now: day(1),
		});
		const twice = nextUsage({ needed: new Set(["a"]), remembered: once, granted: [], complete: true, now: day(2) });
		expect(twice).toEqual(once);
	});

	test("of a clock that was ahead, counts seven days from now", () => {
		const next = nextUsage({ needed: new Set(), remembered: { a: day(400) }, granted: [], complete: true, now: day(0) });
		expect(next).toEqual({ a: day(0) });
	});
});

test.each([
	[`${ECR}/orders`, `${REPOSITORY}/orders`],
	[`${ECR}/team/orders:1.2`, `${REPOSITORY}/team/orders`],
	[`${ECR}/orders:1@sha256:00ff`, `${REPOSITORY}/orders`],
	["123456789012.dkr.ecr-fips.us-gov-west-1.amazonaws.com/x", "arn:aws-us-gov:ecr:us-gov-west-1:123456789012:repository/x"],
	["123456789012.dkr.ecr.cn-north-1.amazonaws.com.cn/x", "arn:aws-cn:ecr:cn-north-1:123456789012:repository/x"],
	["123456789012.dkr-ecr.eu-west-1.on.aws/x", `${REPOSITORY}/x`],
	["public.ecr.aws/x/y", undefined],
	["nginx", undefined],
	["registry.example/123456789012.dkr.ecr.eu-west-1.amazonaws.com/x", undefined],
	["123456789012.dkr.ecr.eu-west-1.amazonaws.com.example/x", undefined],
])("image %s lies in %s", (image, repository) => {
	expect(imageNeed(image)?.resource).toBe(repository);
});

test.each([
	["0a1b", `${KEY}/0a1b`],
	[`${KEY}/mrk-0a1b`, `${KEY}/mrk-0a1b`],
	["alias/orders", `arn:aws:kms:eu-west-1:${ACCOUNT}:alias/orders`],
	["*", undefined],
])("key %s of a secret is %s", (key, arn) => {
	expect(keyNeed(key, `${SECRET}:a-??????`)?.resource).toBe(arn);
});

test("the statements let ECS do what it must, and nothing beside it", () => {
	const statement = statementsFor([
		{ type: "image", resource: `${REPOSITORY}/orders` },
		{ type: "logs", resource: `${LOGS}:/ecs/orders` },
	]);
	const side = { documents: [{ Version: "2012-10-17", Statement: statement }], boundary: null } as unknown as Parameters<
		typeof evaluate
	>[0];
	const may = (action: string, resource: string) => evaluate(side, { action, resource, context: {} });
	expect(may("ecr:GetAuthorizationToken", "*")).toBe("allowed");
	expect(may("ecr:BatchGetImage", `${REPOSITORY}/orders`)).toBe("allowed");
	expect(may("ecr:BatchGetImage", `${REPOSITORY}/orders2`)).toBe("implicitDeny");
	expect(may("logs:PutLogEvents", `${LOGS}:/ecs/orders:log-stream:a`)).toBe("allowed");
	expect(may("logs:CreateLogGroup", `${LOGS}:/ecs/orders`)).toBe("implicitDeny");
});
