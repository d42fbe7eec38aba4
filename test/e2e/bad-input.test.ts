import { describe, expect, test } from "vitest";
import { useSandbox } from "../sandbox/use.ts";
import { person } from "./cli.ts";
import { documentText, policyText } from "./world.ts";

/** What git gets wrong is told with its place and what to do, before a single call is made. */

const sandbox = useSandbox();
const POLICY = policyText("orders");
const GUARDRAIL = documentText("Guardrail", "base", '{ enforcement: Deny, rules: [{ id: a, denyActions: ["iam:*"] }] }');
const big = Array.from(
	{ length: 150 },
	(_, n) => `      - { actions: [s3:GetObject], resources: ["arn:aws:s3:::${"x".repeat(50)}-${n}/*"] }`,
);

interface Case {
	readonly wrong: string;
	readonly files: Readonly<Record<string, string>>;
	/** `file:line:column  error  the message`, then what to do. */
	readonly said: readonly string[];
}

const CASES: readonly Case[] = [
	{ wrong: "no YAML", files: { "a.yaml": "kind: [unclosed\n" }, said: ["policies/a.yaml:2:1  error  not YAML"] },
	{
		wrong: "a key twice",
		files: { "a.yaml": policyText("orders", { spec: "suspend: true\n  suspend: false" }) },
		said: ['policies/a.yaml:7:3  error  duplicate key "suspend"', "keep one of them"],
	},
	{
		wrong: "an unknown kind",
		files: { "a.yaml": POLICY.replace("AccessPolicy", "AccesPolicy") },
		said: ['policies/a.yaml:2:7  error  unknown kind "AccesPolicy"', 'did you mean "AccessPolicy"?'],
	},
	{
		wrong: "an unknown field",
		files: { "a.yaml": POLICY.replace("statements", "statments") },
		said: ['policies/a.yaml:7:5  error  unknown field "statments" in AccessPolicy.spec.taskRole', 'did you mean "statements"?'],
	},
	{
		wrong: "a name twice",
		files: { "a.yaml": POLICY, "b.yaml": POLICY },
		said: ['policies/a.yaml:3:19  error  AccessPolicy "orders" is also in policies/b.yaml:1', "give one of them another name"],
	},
	{
		wrong: "a role of two owners",
		files: { "a.yaml": POLICY, "b.yaml": policyText("billing", { role: "name: orders-task" }) },
		said: ['policies/b.yaml:7:11  error  role orders-task is also claimed by AccessPolicy "orders" in policies/a.yaml:6'],
	},
	{
		wrong: "a service of two owners",
		files: { "a.yaml": POLICY, "b.yaml": policyText("billing").replace("services: [billing]", "services: [orders]") },
		said: ['policies/b.yaml:5:43  error  service prod/orders is also claimed by AccessPolicy "orders"'],
	},
	{
		wrong: "the platform's document in a team's folder",
		files: { "a.yaml": POLICY, "team/g.yaml": GUARDRAIL },
		said: [
			"policies/team/g.yaml:2:7  error  a document of kind Guardrail counts only below platform/",
			"move it to platform/g.yaml",
		],
	},
	{
		wrong: "a platform folder at another depth",
		files: { "a.yaml": POLICY, "team/platform/g.yaml": GUARDRAIL },
		said: ["policies/team/platform/g.yaml:1:1  error  platform/ counts only at the top of the source"],
	},
	{
		wrong: "a wildcard in a parameter",
		files: {
			"a.yaml": policyText("orders", { role: 'permissionSets: [{ name: rw, params: { table: "*" } }]' }),
			"rw.yaml": documentText(
				"PermissionSet",
				"rw",
				'{ params: { table: { type: string } }, statements: [{ actions: [dynamodb:GetItem], resources: ["arn:aws:dynamodb:eu-west-1:123456789012:table/${param.table}"] }] }',
			),
		},
		said: ['policies/a.yaml:7:51  error  parameter "table" of PermissionSet "rw" is "*"', "allowWildcards: true"],
	},
	{
		wrong: "a document larger than IAM takes",
		files: { "a.yaml": `${POLICY}${big.join("\n")}\n` },
		said: ["policies/a.yaml:6:3  error  the policy of role orders-task has ", "IAM allows 10,240"],
	},
	{
		wrong: "a character that IAM refuses",
		files: { "a.yaml": POLICY.replace("catalogue", "catal→gue") },
		said: ['policies/a.yaml:8:67  error  IAM does not allow the character "→" (U+2192) in a policy'],
	},
	{
		wrong: "an action that does not exist",
		files: { "a.yaml": POLICY.replace("GetObject", "GetObjct") },
		said: ["policies/a.yaml:8:21  error  no such action: s3:GetObjct", "did you mean s3:GetObject?"],
	},
	{
		wrong: "a role name of 65 characters",
		files: { "a.yaml": policyText("orders", { role: `name: ${"r".repeat(65)}` }) },
		said: ["policies/a.yaml:7:11  error  role name ", "has 65 characters, IAM allows 64", "give the role a shorter name"],
	},
	{
		wrong: "a variable that does not exist",
		files: { "a.yaml": POLICY.replace("catalogue", "${account.nam}") },
		said: ['policies/a.yaml:8:62  error  unknown variable "${account.nam}"'],
	},
	{
		wrong: "an account that does not exist",
		files: { "a.yaml": policyText("orders", { spec: "accountRef: nowhere" }) },
		said: ['policies/a.yaml:6:15  error  no Account "nowhere"'],
	},
	{
		wrong: "what comes in a later version",
		files: { "a.yaml": documentText("IdentityBinding", "orders-okta", "{ accountRef: prod }") },
		said: ["policies/a.yaml:2:7  error  kind IdentityBinding is not in this version"],
	},
	{
		wrong: "a role that is AWS's own",
		files: { "a.yaml": policyText("orders", { role: "name: AWSServiceRoleForECS" }) },
		said: ["policies/a.yaml:7:11  error  role /ecs-access/AWSServiceRoleForECS belongs to AWS"],
	},
	{
		wrong: "two accounts of one id",
		files: {
			"a.yaml": policyText("orders", { spec: "accountRef: a" }),
			"platform/a.yaml": ["a", "b"]
				.map((n) => documentText("Account", n, '{ accountId: "123456789012", region: eu-west-1 }'))
				.join("---\n"),
		},
		said: ["error  ", "123456789012"],
	},
];

describe("is refused by validate and by plan alike, with its place, and AWS is not asked:", () => {
	test.concurrent.each(CASES)("$wrong", async ({ files, said }) => {
		const account = sandbox.newAccount();
		const kim = person(sandbox, account);
		for (const [path, text] of Object.entries(files)) kim.write(`policies/${path}`, text);
		const [validated, planned] = await Promise.all([kim.run("validate"), kim.run("plan", "--out", "plan.json")]);
		expect([validated.code, planned.code]).toEqual([1, 1]);
		expect(planned.stdout).toBe(validated.stdout);
		for (const words of said) expect(planned.stdout).toContain(words);
		expect(planned.stdout).toMatch(/^\d+ errors? in \d of \d files?\. Nothing was read from AWS\.$/m);
		expect(planned.stderr).not.toContain("saved");
		expect(await sandbox.counts(account)).toEqual({});
	});

	test("apply takes nothing of a source with one mistake in it", async () => {
		const account = sandbox.newAccount();
		const kim = person(sandbox, account);
		kim.write("policies/good.yaml", POLICY);
		kim.write("policies/bad.yaml", policyText("billing", { actions: "s3:GetObjct" }));
		for (const more of [[], ["--only", "AccessPolicy/orders"], ["--prune"]]) {
			const { code, stdout } = await kim.run("apply", "--yes", ...more);
			expect([code, stdout.includes("no such action")]).toEqual([1, true]);
		}
		expect(await sandbox.counts(account)).toEqual({});
	});
});

describe("a folder", () => {
	test("inside a source root is refused, and the root named", async () => {
		const account = sandbox.newAccount();
		const kim = person(sandbox, account);
		kim.write("policies/team/a.yaml", POLICY);
		kim.write("policies/platform/g.yaml", GUARDRAIL);
		const { code, stderr } = await kim.run("plan", "--path", "policies/team");
		expect(code).toBe(1);
		expect(stderr).toMatch(/policies\/team lies inside .*policies/);
		expect(stderr).toContain("name policies; --only narrows what is planned");
		expect(await sandbox.counts(account)).toEqual({});
	});

	test("that is not there is told, with what to do", async () => {
		const kim = person(sandbox, sandbox.newAccount());
		const { code, stderr } = await kim.run("plan");
		expect([code, stderr]).toEqual([1, expect.stringMatching(/folder policies does not exist\n.*--path.*ecs-access init/)]);
	});

	test("asked for what it does not hold says what is near, and asks nothing of AWS", async () => {
		const account = sandbox.newAccount();
		const kim = person(sandbox, account);
		kim.write("policies/a.yaml", POLICY);
		const { code, stdout } = await kim.run("plan", "--only", "AccessPolicy/order");
		expect([code, stdout]).toEqual([1, expect.stringContaining("did you mean AccessPolicy/orders?")]);
		expect(await sandbox.counts(account)).toEqual({});
	});
});
