import { describe, expect, test } from "vitest";
import { base, both, ofPolicy, said, statement } from "./checked.ts";
import { doc, expandAll, type Files, policy } from "./world.ts";

test("a policy with nothing wrong has no findings", () => {
	expect(ofPolicy(statement('{ actions: [s3:GetObject, "sqs:*"], resources: ["arn:aws:s3:::a/*", "*"] }'))).toEqual([]);
});

describe("accounts", () => {
	test.each([
		[
			"none named, where there are two",
			"suspend: true",
			["4:1 error AmbiguousAccount accountRef is needed: there are 2 accounts -> one of prod, dev"],
		],
		[
			"two ways to name them",
			"accountRef: prod\naccountRefs: [dev]",
			["5:3 error AmbiguousAccount a document has one of accountRef, accountRefs and accountSelector -> keep one"],
		],
		["one that does not exist", "accountRef: pord", ['5:15 error UnknownReference no Account "pord" -> did you mean "prod"?']],
		[
			"one named twice",
			"accountRefs: [dev, dev]",
			['5:22 error DuplicateClaim Account "dev" is named twice -> delete one of them'],
		],
		[
			"a selector that matches nothing",
			"accountSelector: { matchLabels: { env: test } }",
			["5:3 error NoAccount no Account has the labels env=test -> correct the labels, or name the accounts"],
		],
	])("%s", (_, spec, findings) => {
		expect(said({ ...both, "a.yaml": policy(spec) })).toEqual(findings.map((f) => `policies/a.yaml:${f}`));
	});

	test("two of one id are refused together", () => {
		const twin = doc("Account", "other", 'accountId: "123456789012"\nregion: eu-west-1');
		expect(said({ ...base, "platform/b.yaml": twin })).toEqual([
			'policies/platform/accounts.yaml:4:20 error DuplicateAccount account 123456789012 is also Account "other" in policies/platform/b.yaml:1 -> one Account, with several regions',
			'policies/platform/b.yaml:5:14 error DuplicateAccount account 123456789012 is also Account "prod" in policies/platform/accounts.yaml:1 -> one Account, with several regions',
		]);
	});

	test.each([
		["regions without the region", 'accountId: "1"\nregion: x', "regions: [us-east-1]", "UnknownRegion"],
		["regions of two partitions", "", "regions: [eu-west-1, cn-north-1]", "UnknownRegion"],
		["a boundary of another account", "", "permissionsBoundary: arn:aws:iam::210987654321:policy/b", "OutsideAccount"],
		["a role to assume in another account", "", "assumeRole: { roleArn: 'arn:aws:iam::210987654321:role/r' }", "OutsideAccount"],
		["a variable that cannot be named", "", "vars: { 'a b': c }", "InvalidValue"],
	])("%s", (_, __, field, id) => {
		const findings = expandAll({
			"platform/a.yaml": doc("Account", "x", `accountId: "123456789012"\nregion: eu-west-1\n${field}`),
		}).findings;
		expect(findings.map((f) => [f.id, f.severity, f.origin?.line])).toEqual([[id, "error", 7]]);
	});

	test("a reference to an Account that is there but wrong is not said to be unknown", () => {
		const broken = doc("Account", "prod", "region: eu-west-1");
		expect(said({ "platform/a.yaml": broken, "a.yaml": policy("accountRef: prod") })).toEqual([
			'policies/platform/a.yaml:4:1 error MissingField Account.spec needs the field "accountId"',
		]);
	});
});

describe("claims", () => {
	const two = (a: string, b: string, files: Files = base) =>
		said({ ...files, "a.yaml": policy(a, "a"), "b.yaml": policy(b, "b") });
	test("two policies that claim one role are refused together, whatever its case", () => {
		expect(two("taskRole: { name: Orders }", "suspend: true\ntaskRole: { name: orders }")).toEqual([
			'policies/a.yaml:5:21 error DuplicateClaim role Orders is also claimed by AccessPolicy "b" in policies/b.yaml:6 -> one policy, with several workloads or a ref to the other\'s role',
			'policies/b.yaml:6:21 error DuplicateClaim role orders is also claimed by AccessPolicy "a" in policies/a.yaml:5 -> one policy, with several workloads or a ref to the other\'s role',
		]);
	});
	test("so are two that claim one service or family", () => {
		const w = "workloads: [{ cluster: prod, services: [s], taskFamilies: [f] }]";
		expect(two(w, w).map((l) => l.split(" error ")[1]?.split(" -> ")[0])).toEqual([
			'DuplicateClaim service prod/s is also claimed by AccessPolicy "b" in policies/b.yaml:5',
			'DuplicateClaim task family f is also claimed by AccessPolicy "b" in policies/b.yaml:5',
			'DuplicateClaim service prod/s is also claimed by AccessPolicy "a" in policies/a.yaml:5',
			'DuplicateClaim task family f is also claimed by AccessPolicy "a" in policies/a.yaml:5',
		]);
	});
	test("a service named twice in one policy is refused", () => {
		expect(two("workloads: [{ cluster: c, services: [s, s] }]", "suspend: true")).toHaveLength(2);
	});
	test.each([
		["another cluster", "workloads: [{ cluster: x, services: [s] }]", "workloads: [{ cluster: y, services: [s] }]"],
		["a role that is only checked", "taskRole: { name: r }", "taskRole: { mode: Unmanaged, name: r }"],
		["a role by ref", "taskRole: { name: r }", "taskRole: { ref: a }"],
	])("%s is no claim of the same", (_, a, b) => {
		expect(two(a, b)).toEqual([]);
	});
	test("one name in two accounts is two roles", () => {
		expect(two("accountRef: prod\ntaskRole: { name: r }", "accountRef: dev\ntaskRole: { name: r }", both)).toEqual([]);
	});
	test("one managed role in both uses must be described alike", () => {
		expect(
			ofPolicy("taskRole: { mode: Managed, name: r }\nexecutionRole: { mode: Managed, name: r }").filter((l) =>
				l.includes("DuplicateClaim"),
			),
		).toEqual([]);
		expect(
			ofPolicy("taskRole: { mode: Managed, name: r }\nexecutionRole: { mode: Managed, name: r, tags: { a: b } }").filter((l) =>
				l.includes("DuplicateClaim"),
			),
		).toHaveLength(2);
	});
});

describe("references to other policies", () => {
	test("a policy that does not exist is named with the nearest", () => {
		expect(ofPolicy("taskRole: { ref: ordes }", {})).toEqual([
			'5:20 error UnknownReference no AccessPolicy "ordes" -> did you mean "orders"?',
		]);
	});
	test("a circle is refused at each of its policies", () => {
		const files = { ...base, "a.yaml": policy("taskRole: { ref: b }", "a"), "b.yaml": policy("taskRole: { ref: a }", "b") };
		expect(said(files)).toEqual([
			"policies/a.yaml:5:20 error CircularReference the task role refers in a circle: a -> b -> a",
			"policies/b.yaml:5:20 error CircularReference the task role refers in a circle: b -> a -> b",
		]);
	});
	test("a policy of another account has no role here", () => {
		const files = {
			...both,
			"a.yaml": policy("accountRef: dev\ntaskRole: { ref: b }", "a"),
			"b.yaml": policy("accountRef: prod\ntaskRole: {}", "b"),
		};
		expect(said(files)).toEqual(['policies/a.yaml:6:20 error UnknownReference AccessPolicy "b" is not in account dev']);
	});
	test("a policy without that role is said so", () => {
		expect(ofPolicy("executionRole: { ref: b }", { "b.yaml": policy("taskRole: {}", "b") })).toEqual([
			'5:25 error UnknownReference AccessPolicy "b" has no executionRole',
		]);
	});
	test("a rename from what is still there is refused", () => {
		const renamed = policy("taskRole: {}", "new").replace(
			"{ name: new }",
			"{ name: new, annotations: { ecs-access.dev/renamed-from: old } }",
		);
		expect(said({ ...base, "a.yaml": renamed, "b.yaml": policy("suspend: true", "old") })).toEqual([
			"policies/a.yaml:3:68 error InvalidValue AccessPolicy/old is still there, in policies/b.yaml:1 -> delete the annotation, or the old document",
		]);
	});
});

describe("permission sets", () => {
	const set = doc(
		"PermissionSet",
		"table-rw",
		'params: { table: { pattern: "^[a-z-]+$" }, kind: { enum: [a, b], default: a }, count: { type: integer, default: 1 } }\nstatements: [{ actions: [dynamodb:GetItem], resources: ["arn:aws:dynamodb:*:*:table/${param.table}"] }]',
	);
	const uses = (use: string, text = set) => ofPolicy(`taskRole:\n  permissionSets:\n  - ${use}`, { "s.yaml": text });
	test.each([
		[
			"a set that does not exist",
			"{ name: table-r }",
			'7:15 error UnknownReference no PermissionSet "table-r" -> did you mean "table-rw"?',
		],
		[
			"a parameter that is missing",
			"{ name: table-rw }",
			'7:7 error InvalidParameter PermissionSet "table-rw" needs the parameter "table" -> add table to params',
		],
		[
			"a parameter that does not exist",
			"{ name: table-rw, params: { table: a, tabel: b } }",
			'7:45 error InvalidParameter PermissionSet "table-rw" has no parameter "tabel" -> did you mean "table"?',
		],
		[
			"a wildcard",
			'{ name: table-rw, params: { table: "*" } }',
			'7:42 error InvalidParameter parameter "table" of PermissionSet "table-rw" is "*", wildcards and variables are refused -> name one thing; the set may say allowWildcards: true',
		],
		[
			"a variable of IAM",
			'{ name: table-rw, params: { table: "${aws:username}" } }',
			'7:42 error InvalidParameter parameter "table" of PermissionSet "table-rw" is "${aws:username}", wildcards and variables are refused -> name one thing; the set may say allowWildcards: true',
		],
		[
			"a value that does not match",
			"{ name: table-rw, params: { table: A } }",
			'7:42 error InvalidParameter parameter "table" of PermissionSet "table-rw" is "A", it must match ^[a-z-]+$',
		],
		[
			"a value that is not one of those",
			"{ name: table-rw, params: { table: a, kind: c } }",
			'7:51 error InvalidParameter parameter "kind" of PermissionSet "table-rw" is "c", it must be one of a, b -> did you mean "a"?',
		],
		[
			"a word for a number",
			"{ name: table-rw, params: { table: a, count: many } }",
			'7:52 error InvalidParameter parameter "count" of PermissionSet "table-rw" is "many", it must be a whole number',
		],
	])("%s", (_, use, finding) => {
		expect(uses(use).filter((l) => !l.includes("UnusedPermissionSet"))).toEqual([finding]);
	});
	test("a value that interpolates is judged by what it becomes", () => {
		expect(uses("{ name: table-rw, params: { table: 't-${account.vars.env}' } }")).toEqual([]);
	});
	test("an unknown parameter is said once, in the set, however often it is used", () => {
		const wrong = set.replace("param.table", "param.tabel");
		expect(uses("{ name: table-rw, params: { table: a } }\n  - { name: table-rw, params: { table: b } }", wrong)).toEqual([
			'policies/s.yaml:6:87 error UnknownVariable unknown parameter "tabel" -> did you mean "table"?',
		]);
	});
	test("a set that no policy uses is a note, in the platform's library nothing", () => {
		expect(said({ ...base, "s.yaml": set })).toEqual([
			'policies/s.yaml:1:1 note UnusedPermissionSet no policy uses PermissionSet "table-rw"',
		]);
		expect(said({ ...base, "platform/s.yaml": set })).toEqual([]);
	});
	test("a pattern that is not one, or that does not bind the whole value", () => {
		const broken = doc(
			"PermissionSet",
			"p",
			'params: { a: { pattern: "(" }, b: { pattern: "[a-z]+" } }\nstatements: [{ actions: ["s3:*"], resources: ["*"] }]',
		);
		expect(said({ "platform/s.yaml": broken })).toEqual([
			'policies/platform/s.yaml:5:27 error InvalidParameter "(" is not a regular expression',
			'policies/platform/s.yaml:5:48 warning InvalidParameter pattern "[a-z]+" matches any value that merely holds it -> begin it with ^ and end it with $',
		]);
	});
});

describe("grants, approvals and guardrails", () => {
	const managed = { ...base, "a.yaml": policy("taskRole: {}") };
	const grant = (more: string, name = "g") =>
		doc(
			"AccessGrant",
			name,
			`policyRef: orders\nreason: why\nstatements: [{ actions: [sqs:ReceiveMessage], resources: ["*"] }]\n${more}`,
		);
	test.each([
		[
			"of a policy that does not exist",
			grant("expiresAt: 2027-01-01T00:00:00Z").replace("orders", "ordes"),
			'5:14 error UnknownReference no AccessPolicy "ordes" -> did you mean "orders"?',
		],
		[
			"that ends before it begins",
			grant("startsAt: 2027-01-02T00:00:00Z\nexpiresAt: 2027-01-01T00:00:00Z"),
			"9:14 error GrantWindow the grant ends at 2027-01-01T00:00:00Z, before it begins at 2027-01-02T00:00:00Z -> correct one of them",
		],
		[
			"whose time is over",
			grant("expiresAt: 2026-11-24T10:00:00+02:00"),
			'8:14 warning Expired AccessGrant "g" ended at 2026-11-24T08:00:00Z -> delete lines 1-8 of policies/g.yaml',
		],
		[
			"with a Deny",
			grant("expiresAt: 2027-01-01T00:00:00Z").replace("{ actions", "{ effect: Deny, actions"),
			"7:26 error InvalidStatement a Deny in a grant would fail open when the grant ends -> put it in the policy",
		],
	])("a grant %s", (_, text, finding) => {
		expect(said({ ...managed, "g.yaml": text })).toEqual([`policies/g.yaml:${finding}`]);
	});
	test("a grant to a policy whose role is only checked", () => {
		const files = {
			...base,
			"a.yaml": policy("taskRole: { mode: Unmanaged, name: r }"),
			"g.yaml": grant("expiresAt: 2027-01-01T00:00:00Z"),
		};
		expect(said(files)).toEqual([
			'policies/g.yaml:5:14 error InvalidRole AccessPolicy "orders" has no managed task role that could be given more -> name another policy',
		]);
	});
	test("two grants of the same for the same time are warnings, one after the other none", () => {
		const first = grant("expiresAt: 2027-01-01T00:00:00Z", "g");
		expect(said({ ...managed, "g.yaml": first, "h.yaml": grant("expiresAt: 2027-01-02T00:00:00Z", "h") })).toHaveLength(2);
		expect(
			said({
				...managed,
				"g.yaml": first,
				"h.yaml": grant("startsAt: 2027-01-01T00:00:00Z\nexpiresAt: 2027-01-02T00:00:00Z", "h"),
			}),
		).toEqual([]);
	});
	test("an approval whose time is over is a warning", () => {
		const approval = doc(
			"Approval",
			"a",
			`approvalId: "sha256:${"0".repeat(64)}"\nreason: seen\nexpiresAt: 2026-11-01T00:00:00Z`,
		);
		expect(said({ "platform/a.yaml": approval })).toEqual([
			'policies/platform/a.yaml:7:14 warning Expired Approval "a" ended at 2026-11-01T00:00:00Z -> delete lines 1-7 of policies/platform/a.yaml, or approve again',
		]);
	});
	const rail = (rules: string, more = "") =>
		doc("Guardrail", "g", `enforcement: Deny\nrules:\n  - ${rules}${more === "" ? "" : `\n${more}`}`);
	test.each([
		["a rule that asks for nothing", rail("{ id: a }"), '7:7 error InvalidGuardrail rule "a" asks for nothing'],
		[
			"a rule that asks for two things",
			rail("{ id: a, denyActions: ['iam:*'], denyPlaintextSecrets: true }"),
			'7:7 error InvalidGuardrail rule "a" asks for denyActions and denyPlaintextSecrets',
		],
		[
			"a rule of a later version",
			rail("{ id: a, privilegeEscalation: true }"),
			"7:16 error NotInThisVersion privilegeEscalation is not in this version",
		],
		[
			"a rule that does not exist",
			rail("{ id: a, denyAction: ['iam:*'] }"),
			'7:16 error UnknownField unknown field "denyAction" in Guardrail.spec.rules[0] -> did you mean "denyActions"?',
		],
		[
			"an action that does not exist",
			rail("{ id: a, denyActions: ['imm:*'] }"),
			"7:30 error InvalidGuardrail imm:* matches no action: the rule would never speak",
		],
		[
			"exceptions from nothing",
			rail("{ id: a, requireApprovalFor: [deletes], exceptResources: ['*'] }"),
			"7:47 error InvalidGuardrail exceptResources belongs to denyActions",
		],
		[
			"one id twice",
			rail("{ id: a, denyPlaintextSecrets: true }\n  - { id: a, denyPlaintextSecrets: true }"),
			'8:13 error DuplicateName rule id "a" is there twice',
		],
		[
			"labels that narrow a Deny",
			rail("{ id: a, denyPlaintextSecrets: true }", "match: { labels: { a: b } }"),
			"8:12 error InvalidGuardrail labels cannot narrow a Deny: the policy's author writes them",
		],
		[
			"an Account that does not exist",
			rail("{ id: a, denyPlaintextSecrets: true }", "match: { accounts: [pord] }"),
			'8:23 error UnknownReference no Account "pord" -> did you mean "prod"?',
		],
		[
			"an exception from a rule that does not exist",
			rail(
				"{ id: a, denyPlaintextSecrets: true }",
				"exceptions: [{ policy: orders, rule: b, reason: c, expiresAt: 2027-01-01T00:00:00Z }]",
			),
			'8:40 error UnknownReference no rule "b" in this guardrail',
		],
		[
			"an exception of a policy that is gone",
			rail(
				"{ id: a, denyPlaintextSecrets: true }",
				"exceptions: [{ policy: gone, rule: a, reason: c, expiresAt: 2027-01-01T00:00:00Z }]",
			),
			'8:26 warning UnknownReference no AccessPolicy "gone" -> delete the exception',
		],
		[
			"an exception whose time is over",
			rail(
				"{ id: a, denyPlaintextSecrets: true }",
				"exceptions: [{ policy: orders, rule: a, reason: c, expiresAt: 2026-01-01T00:00:00Z }]",
			),
			"8:16 warning Expired the exception of orders from a ended at 2026-01-01T00:00:00Z -> delete line 8 of policies/platform/g.yaml",
		],
	])("%s", (_, text, finding) => {
		const [first, ...others] = said({ ...managed, "platform/g.yaml": text });
		expect(first?.startsWith(`policies/platform/g.yaml:${finding}`) ? finding : first).toBe(finding);
		expect(others).toEqual([]);
	});
	test("a window of an Installation begins by a cron that does, in a time zone that exists", () => {
		const windows = (...all: readonly string[]): readonly string[] =>
			said({ "platform/i.yaml": doc("Installation", "main", `windows:\n${all.map((w) => `  - ${w}`).join("\n")}`) });
		expect(windows("{ kind: Deny, cron: '0 18 * * FRI', duration: 62h, timeZone: Europe/Berlin }")).toEqual([]);
		expect(
			windows(
				"{ kind: Allow, cron: '0 18 * *', duration: 2h }",
				"{ kind: Deny, cron: '0 0 31 2 *', duration: 2h, timeZone: Europe/Belin }",
			),
		).toEqual([
			'policies/platform/i.yaml:6:28 error InvalidWindow cron "0 18 * *": it has 4 fields and needs 5: minute, hour, day of month, month, day of week -> for example "0 18 * * FRI"',
			'policies/platform/i.yaml:7:27 error InvalidWindow cron "0 0 31 2 *": it never begins -> for example "0 18 * * FRI"',
			'policies/platform/i.yaml:7:65 error InvalidWindow no time zone "Europe/Belin" -> did you mean "Europe/Berlin"?',
		]);
	});
	test("a second Installation is refused, at both", () => {
		expect(
			said({ "platform/i.yaml": doc("Installation", "a", "{}"), "platform/j.yaml": doc("Installation", "b", "{}") }),
		).toHaveLength(2);
	});
});
