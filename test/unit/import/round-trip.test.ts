import fc from "fast-check";
import { expect, test } from "vitest";
import { loadCatalog } from "../../../controller/engine/catalog.ts";
import { importDocuments } from "../../../controller/engine/import.ts";
import { kindOf } from "../../../controller/kinds/registry.ts";
import type { RoleWanted } from "../../../controller/model/desired.ts";
import type { RoleState } from "../../../controller/model/target.ts";
import { statementSet } from "../../../controller/policy/canonical.ts";
import { createCatalogue } from "../../../controller/policy/catalogue.ts";
import type { PolicyDocument, Statement } from "../../../controller/policy/document.ts";
import { ACCOUNT_ID, options, role, roles, service } from "./world.ts";

const actions = createCatalogue();
const NOW = "2026-11-24T09:00:00Z";

/** Texts that a careless writer of YAML turns into something else. */
const treacherous = fc.constantFrom(
	...["true", "False", "yes", "on", "null", "~", "1", "-0", "1e3", "0x10", "0o17", "1:30", "12.50", "2027-01-31", ".inf", "<<"],
	...[
		"2027-01-31T00:00:00Z",
		"# no comment",
		"a: b",
		"- a",
		"*",
		"&a",
		"!t",
		"%d",
		"@x",
		"`x`",
		'"q"',
		"'s'",
		"[a]",
		"{a}",
		"",
		" ",
		" a ",
	],
	...["|", ">", "\\", "\\n", "a\tb", "é", "\u007f", "\u0085", "\u00a0", "ÿ", "---", "..."],
);
const variable = fc.constantFrom("${aws:username}", "${aws:PrincipalTag/team, 'none'}", "${*}", "${?}", "${$}", "${s3:prefix}");
const latin = fc.string({ unit: fc.integer({ min: 0x20, max: 0xff }).map((c) => String.fromCharCode(c)), maxLength: 20 });
/** Without `${` by chance: what IAM reads as a variable is added on purpose. */
const text = fc
	.array(
		fc.oneof(
			treacherous,
			variable,
			latin.map((s) => s.replaceAll("$", "S")),
		),
		{ minLength: 1, maxLength: 3 },
	)
	.map((parts) => parts.join(""));

const action = fc.constantFrom(
	"s3:GetObject",
	"S3:getobject",
	"s3:*",
	"s3:Get*",
	"*",
	"iam:*",
	"sqs:SendMessage",
	"dynamodb:Query",
);
const resource = fc.oneof(
	fc.constant("*"),
	fc.constantFrom("arn:aws:s3:::orders-prod/*", "arn:aws:s3:::orders-prod/${aws:username}/*", "arn:aws:s3:::${*}/a?"),
	latin.map((s) => `arn:aws:s3:::${s.replaceAll("$", "S")}`),
);
const scalarOrList = <T>(of: fc.Arbitrary<T>): fc.Arbitrary<T | readonly T[]> =>
	fc.oneof(of, fc.array(of, { minLength: 1, maxLength: 3 }));
const value = fc.oneof(
	text,
	fc.boolean(),
	fc.integer(),
	fc.double({ noNaN: true, noDefaultInfinity: true, min: -1e6, max: 1e6 }),
);
const conditions = fc.dictionary(
	fc.constantFrom(
		"StringEquals",
		"StringLike",
		"ForAnyValue:StringLike",
		"Bool",
		"NumericLessThan",
		"DateLessThan",
		"ArnLike",
		"Null",
	),
	fc.dictionary(
		fc.constantFrom("aws:username", "aws:CurrentTime", "aws:ResourceTag/Team: A", "s3:prefix", "aws:SecureTransport"),
		scalarOrList(value),
		{
			maxKeys: 3,
		},
	),
	{ maxKeys: 3 },
);
const statement: fc.Arbitrary<Statement> = fc
	.record(
		{
			Sid: fc.oneof(fc.stringMatching(/^[A-Za-z0-9]{1,8}$/), fc.constantFrom("", "Read", "on", "123")),
			Effect: fc.constantFrom("Allow" as const, "Deny" as const),
			act: fc.tuple(fc.boolean(), scalarOrList(action)),
			on: fc.tuple(fc.boolean(), scalarOrList(resource)),
			Condition: conditions,
		},
		{ requiredKeys: ["Effect", "act", "on"] },
	)
	.map(({ act, on, ...rest }) => ({
		...rest,
		[act[0] ? "NotAction" : "Action"]: act[1],
		[on[0] ? "NotResource" : "Resource"]: on[1],
	}));
const policy: fc.Arbitrary<PolicyDocument> = fc.record({
	Version: fc.constant("2012-10-17"),
	Statement: fc.array(statement, { minLength: 1, maxLength: 3 }),
});
const state: fc.Arbitrary<Partial<RoleState>> = fc.record({
	path: fc.constantFrom("/", "/ecs-access/", "/team/on/"),
	inline: fc.dictionary(fc.stringMatching(/^[\w+=,.@-]{1,12}$/), policy, { maxKeys: 3 }),
	managedPolicies: fc
		.uniqueArray(fc.constantFrom("ReadOnlyAccess", "AmazonS3FullAccess", "AWSXRayDaemonWriteAccess"))
		.map((names) => names.map((n) => `arn:aws:iam::aws:policy/${n}`).sort()),
	permissionsBoundary: fc.constantFrom(null, `arn:aws:iam::${ACCOUNT_ID}:policy/workload-boundary`),
});

test("whatever a role allows, its file is valid and asks for exactly that", () => {
	let managed = 0;
	fc.assert(
		fc.property(state, (s) => {
			const live = role("Orders_Task", s);
			const imported = importDocuments([service("orders", "Orders_Task")], roles(live), options);
			for (const written of imported.files.values()) expect(written).not.toMatch(/[\x7F-\x9F]/);
			const { view, instances, findings } = loadCatalog(
				{
					revision: { kind: "directory", id: "sha256:0" },
					digest: "sha256:0",
					root: "policies",
					files: imported.files,
					source: "directory",
					partial: null,
				},
				{ actions, defaults: { accountId: ACCOUNT_ID, region: "eu-west-1" }, now: NOW },
			);
			expect(findings.filter((f) => f.severity === "error")).toEqual([]);
			expect(instances).toHaveLength(1);
			const [instance] = instances;
			if (instance === undefined) return;
			const expansion = kindOf("AccessPolicy").expand(instance, view, { now: NOW, get: () => undefined });
			expect(expansion.findings.filter((f) => f.severity === "error")).toEqual([]);
			const wanted = expansion.desired.flatMap((d) => (d.target.type === "iam.role" ? [d.wanted as RoleWanted] : []));
			expect(wanted).toHaveLength(1);
			managed++;
			const asked: PolicyDocument = { Version: "2012-10-17", Statement: wanted[0]?.statements.map((w) => w.statement) ?? [] };
			expect(new Set(statementSet([asked]).keys())).toEqual(new Set(statementSet(Object.values(live.state.inline)).keys()));
			expect(wanted[0]).toMatchObject({
				path: live.state.path,
				trust: null,
				expired: [],
				permissionsBoundary: live.state.permissionsBoundary,
				tags: {},
				adopt: true,
				exclusive: false,
			});
			expect(wanted[0]?.managedPolicies.map((m) => m.arn).toSorted()).toEqual(live.state.managedPolicies);
		}),
		{ numRuns: 300 },
	);
	expect(managed).toBeGreaterThan(0);
});
