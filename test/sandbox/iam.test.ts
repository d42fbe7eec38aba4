import {
	AttachRolePolicyCommand,
	CreatePolicyCommand,
	CreatePolicyVersionCommand,
	CreateRoleCommand,
	type CreateRoleCommandInput,
	DeletePolicyCommand,
	DeleteRoleCommand,
	type EntityType,
	GetAccountAuthorizationDetailsCommand,
	type GetAccountAuthorizationDetailsCommandInput,
	GetPolicyVersionCommand,
	GetRoleCommand,
	GetRolePolicyCommand,
	IAMClient,
	ListPolicyVersionsCommand,
	ListRolesCommand,
	PutRolePolicyCommand,
	TagRoleCommand,
	UpdateAssumeRolePolicyCommand,
} from "@aws-sdk/client-iam";
import { expect, test } from "vitest";
import { ecsTasksTrust, roleSeed, seedDocument } from "./seed-data.ts";
import { useSandbox } from "./use.ts";

const sandbox = useSandbox();
const trust = JSON.stringify(ecsTasksTrust);
const read = { Effect: "Allow", Action: "s3:GetObject", Resource: "*" } as const;
const document = JSON.stringify(seedDocument(read));

function fresh(): { account: string; iam: IAMClient } {
	const account = sandbox.newAccount();
	return { account, iam: new IAMClient(sandbox.config(account)) };
}

/** A valid document of exactly `size` characters that count. */
function sized(size: number): string {
	const empty = JSON.stringify({
		Version: "2012-10-17",
		Statement: [{ Effect: "Allow", Action: "s3:*", Resource: "arn:aws:s3:::" }],
	});
	return empty.replace("arn:aws:s3:::", `arn:aws:s3:::${"x".repeat(size - empty.length)}`);
}

async function details(iam: IAMClient, input: GetAccountAuthorizationDetailsCommandInput) {
	const pages = [];
	let Marker: string | undefined;
	do {
		const page = await iam.send(
			new GetAccountAuthorizationDetailsCommand({ ...input, ...(Marker === undefined ? {} : { Marker }) }),
		);
		pages.push(page);
		Marker = page.IsTruncated === true ? page.Marker : undefined;
	} while (Marker !== undefined);
	return pages;
}

test("authorization details come in pages of MaxItems, 100 by default, and name each role and policy once", async () => {
	const { account, iam } = fresh();
	const roles = Array.from({ length: 250 }, (_, n) => roleSeed(`role-${n}`, [read]));
	await sandbox.seed(account, { roles, policies: [{ name: "extra", document: seedDocument(read) }] });
	const Filter: EntityType[] = ["Role", "LocalManagedPolicy"];
	const pages = await details(iam, { Filter });
	expect(pages.map((page) => (page.RoleDetailList?.length ?? 0) + (page.Policies?.length ?? 0))).toEqual([100, 100, 51]);
	const names = pages.flatMap((page) => page.RoleDetailList ?? []).map((role) => role.RoleName);
	expect(new Set(names)).toEqual(new Set(roles.map((role) => role.name)));
	expect(await details(iam, { Filter, MaxItems: 1000 })).toHaveLength(1);
	await expect(details(iam, { Filter, MaxItems: 1001 })).rejects.toMatchObject({ name: "ValidationError" });
});

test("a role deleted between two pages hides no other", async () => {
	const { account, iam } = fresh();
	await sandbox.seed(account, { roles: ["a", "b", "c", "d"].map((name) => roleSeed(name)) });
	const Filter: EntityType[] = ["Role"];
	const first = await iam.send(new GetAccountAuthorizationDetailsCommand({ Filter, MaxItems: 2 }));
	await iam.send(new DeleteRoleCommand({ RoleName: "a" }));
	const second = await iam.send(new GetAccountAuthorizationDetailsCommand({ Filter, MaxItems: 2, Marker: first.Marker }));
	expect(second.RoleDetailList?.map((role) => role.RoleName)).toEqual(["c", "d"]);
});

test("managed policies in authorization details have name, id and every version", async () => {
	const { account, iam } = fresh();
	await sandbox.seed(account, { policies: [{ name: "extra", document: seedDocument(read) }] });
	await iam.send(
		new CreatePolicyVersionCommand({
			PolicyArn: `arn:aws:iam::${account}:policy/extra`,
			PolicyDocument: sized(200),
			SetAsDefault: true,
		}),
	);
	const [page] = await details(iam, { Filter: ["LocalManagedPolicy"] });
	expect(page?.Policies).toMatchObject([{ PolicyName: "extra", PolicyId: expect.stringMatching(/^A/), DefaultVersionId: "v2" }]);
	expect(page?.Policies?.[0]?.PolicyVersionList?.map((version) => version.VersionId)).toEqual(["v1", "v2"]);
});

test("every document IAM returns is URL-encoded, and decodes to what was stored", async () => {
	const { account, iam } = fresh();
	const odd = '{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"s3:*","Resource":"arn:aws:s3:::a%25b/ +é*"}]}';
	const oddTrust = trust.replace(",", " ,\n");
	await sandbox.seed(account, {
		policies: [{ name: "odd", document: odd }],
		roles: [roleSeed("odd", [], { trust: oddTrust, inline: { odd } })],
	});
	const PolicyArn = `arn:aws:iam::${account}:policy/odd`;
	const [page] = await details(iam, { Filter: ["Role", "LocalManagedPolicy"] });
	const role = page?.RoleDetailList?.[0];
	const trusts = [
		(await iam.send(new GetRoleCommand({ RoleName: "odd" }))).Role?.AssumeRolePolicyDocument,
		(await iam.send(new ListRolesCommand({}))).Roles?.[0]?.AssumeRolePolicyDocument,
		role?.AssumeRolePolicyDocument,
	];
	const documents = [
		(await iam.send(new GetRolePolicyCommand({ RoleName: "odd", PolicyName: "odd" }))).PolicyDocument,
		(await iam.send(new GetPolicyVersionCommand({ PolicyArn, VersionId: "v1" }))).PolicyVersion?.Document,
		role?.RolePolicyList?.[0]?.PolicyDocument,
		page?.Policies?.[0]?.PolicyVersionList?.[0]?.Document,
	];
	for (const text of [...trusts, ...documents]) expect(text).toMatch(/^%7B[^ /*{"]+$/);
	expect(trusts.map((text) => decodeURIComponent(text ?? ""))).toEqual([oddTrust, oddTrust, oddTrust]);
	expect(documents.map((text) => decodeURIComponent(text ?? ""))).toEqual([odd, odd, odd, odd]);
	const versions = await iam.send(new ListPolicyVersionsCommand({ PolicyArn }));
	expect(versions.Versions?.[0]?.Document).toBeUndefined();
});

test("inline documents of a role together may have 10,240 characters, white space not counted", async () => {
	const { account, iam } = fresh();
	await sandbox.seed(account, { roles: [roleSeed("full")] });
	const put = (PolicyName: string, PolicyDocument: string) =>
		iam.send(new PutRolePolicyCommand({ RoleName: "full", PolicyName, PolicyDocument }));
	await put("one", sized(10_000));
	await put("two", sized(240).replaceAll(",", ",\n\t "));
	await expect(put("two", sized(241))).rejects.toMatchObject({ name: "LimitExceededException" });
	await put("one", sized(9_999));
	await put("two", sized(241));
});

test("a managed policy may have 6,144 characters, a trust policy 2,048", async () => {
	const { account, iam } = fresh();
	const create = (PolicyName: string, size: number) =>
		iam.send(new CreatePolicyCommand({ PolicyName, PolicyDocument: sized(size) }));
	await create("fits", 6_144);
	await expect(create("large", 6_145)).rejects.toMatchObject({ name: "LimitExceededException" });
	const version = { PolicyArn: `arn:aws:iam::${account}:policy/fits`, PolicyDocument: sized(6_145) };
	await expect(iam.send(new CreatePolicyVersionCommand(version))).rejects.toMatchObject({ name: "LimitExceededException" });
	const long = trust.replace('"Effect"', `"Sid":"${"x".repeat(2_048)}","Effect"`);
	const role = (AssumeRolePolicyDocument: string) => iam.send(new CreateRoleCommand({ RoleName: "r", AssumeRolePolicyDocument }));
	await expect(role(long)).rejects.toMatchObject({ name: "LimitExceededException" });
	await role(trust);
});

test("ten managed policies can be attached to a role, and attaching twice counts once", async () => {
	const { account, iam } = fresh();
	const policies = Array.from({ length: 11 }, (_, n) => ({ name: `p${n}`, document: seedDocument(read) }));
	await sandbox.seed(account, { policies, roles: [roleSeed("many")] });
	const attach = (n: number) =>
		iam.send(new AttachRolePolicyCommand({ RoleName: "many", PolicyArn: `arn:aws:iam::${account}:policy/p${n}` }));
	for (let n = 0; n < 10; n++) await attach(n);
	await attach(0);
	await expect(attach(10)).rejects.toMatchObject({ name: "LimitExceededException" });
	const [page] = await details(iam, { Filter: ["LocalManagedPolicy"] });
	expect(page?.Policies?.find((policy) => policy.PolicyName === "p0")?.AttachmentCount).toBe(1);
});

test("a role has at most fifty tags, and their keys ignore case", async () => {
	const { account, iam } = fresh();
	await sandbox.seed(account, { roles: [roleSeed("tagged", [], { tags: { Team: "orders" } })] });
	const tag = (Tags: { Key: string; Value: string }[]) => iam.send(new TagRoleCommand({ RoleName: "tagged", Tags }));
	await tag([{ Key: "team", Value: "billing" }]);
	const role = await iam.send(new GetRoleCommand({ RoleName: "tagged" }));
	expect(role.Role?.Tags).toEqual([{ Key: "team", Value: "billing" }]);
	await tag(Array.from({ length: 49 }, (_, n) => ({ Key: `k${n}`, Value: "" })));
	await expect(tag([{ Key: "one-more", Value: "" }])).rejects.toMatchObject({ name: "LimitExceededException" });
});

test.each<[string, Partial<CreateRoleCommandInput>, string]>([
	["of 65 characters", { RoleName: "x".repeat(65) }, "ValidationError"],
	["with a character that IAM refuses", { RoleName: "orders/api" }, "ValidationError"],
	["that differs in case only", { RoleName: "TAKEN" }, "EntityAlreadyExistsException"],
	["with a path that does not end in a slash", { Path: "/ecs-access" }, "ValidationError"],
	["with a session of 30 minutes", { MaxSessionDuration: 1800 }, "ValidationError"],
])("no role %s", async (_, input, name) => {
	const { account, iam } = fresh();
	await sandbox.seed(account, { roles: [roleSeed("taken")] });
	const create = iam.send(new CreateRoleCommand({ RoleName: "fine", AssumeRolePolicyDocument: trust, ...input }));
	await expect(create).rejects.toMatchObject({ name });
});

test.each([
	["that is not JSON", "not json"],
	["with a resource", trust.replace('"Action"', '"Resource":"*","Action"')],
	["with another service's action", trust.replace("sts:AssumeRole", "s3:GetObject")],
	[
		"without a principal",
		JSON.stringify(seedDocument(read)).replace("s3:GetObject", "sts:AssumeRole").replace(',"Resource":"*"', ""),
	],
	[
		"with a principal that does not exist",
		trust.replace('{"Service":"ecs-tasks.amazonaws.com"}', '{"AWS":"arn:aws:iam::111122223333:role/ghost"}'),
	],
	["with a principal that is no ARN", trust.replace('{"Service":"ecs-tasks.amazonaws.com"}', '{"AWS":"kim"}')],
])("no trust policy %s", async (_, bad) => {
	const { account, iam } = fresh();
	await sandbox.seed(account, { roles: [roleSeed("there")] });
	const malformed = { name: "MalformedPolicyDocumentException" };
	const create = iam.send(new CreateRoleCommand({ RoleName: "fine", AssumeRolePolicyDocument: bad }));
	await expect(create).rejects.toMatchObject(malformed);
	const update = iam.send(new UpdateAssumeRolePolicyCommand({ RoleName: "there", PolicyDocument: bad }));
	await expect(update).rejects.toMatchObject(malformed);
});

test("a trust policy may name a role that exists, also in another account; once that role is deleted it shows the id", async () => {
	const { account, iam } = fresh();
	const other = fresh();
	await sandbox.seed(other.account, { roles: [roleSeed("deployer", [], { path: "/ci/" })] });
	const arn = `arn:aws:iam::${other.account}:role/ci/deployer`;
	const text = trust.replace('"ecs-tasks.amazonaws.com"', `"ecs-tasks.amazonaws.com","AWS":["${arn}","${account}"]`);
	const RoleId = (await other.iam.send(new GetRoleCommand({ RoleName: "deployer" }))).Role?.RoleId;
	await iam.send(new CreateRoleCommand({ RoleName: "r", AssumeRolePolicyDocument: text }));
	await other.iam.send(new DeleteRoleCommand({ RoleName: "deployer" }));
	const after = await iam.send(new GetRoleCommand({ RoleName: "r" }));
	expect(decodeURIComponent(after.Role?.AssumeRolePolicyDocument ?? "")).toBe(text.replace(arn, RoleId ?? ""));
	const again = iam.send(new UpdateAssumeRolePolicyCommand({ RoleName: "r", PolicyDocument: text }));
	await expect(again).rejects.toMatchObject({ message: `Invalid principal in policy: "AWS":"${arn}"` });
});

test("the old version 2008-10-17 is accepted in a trust policy", async () => {
	const { iam } = fresh();
	await iam.send(new CreateRoleCommand({ RoleName: "old", AssumeRolePolicyDocument: trust.replace("2012-10-17", "2008-10-17") }));
});

test.each([
	["with a principal", document.replace('"Resource"', '"Principal":"*","Resource"'), "MalformedPolicyDocumentException"],
	["with a dash in a Sid", document.replace('"Effect"', '"Sid":"read-only","Effect"'), "MalformedPolicyDocumentException"],
	["with a character beyond Latin-1", document.replace("s3:GetObject", "s3:Get“Object”"), "ValidationError"],
])("no inline policy %s", async (_, PolicyDocument, name) => {
	const { account, iam } = fresh();
	await sandbox.seed(account, { roles: [roleSeed("r")] });
	const put = iam.send(new PutRolePolicyCommand({ RoleName: "r", PolicyName: "p", PolicyDocument }));
	await expect(put).rejects.toMatchObject({ name });
});

test("a condition value may be a number", async () => {
	const { account, iam } = fresh();
	await sandbox.seed(account, { roles: [roleSeed("r")] });
	const PolicyDocument = document.replace("}]}", ',"Condition":{"NumericLessThan":{"aws:MultiFactorAuthAge":3600}}}]}');
	await iam.send(new PutRolePolicyCommand({ RoleName: "r", PolicyName: "p", PolicyDocument }));
});

test.each(["attached to a role", "as a boundary", "with two versions"])("a policy %s cannot be deleted", async (how) => {
	const { account, iam } = fresh();
	const PolicyArn = `arn:aws:iam::${account}:policy/used`;
	const role = how === "attached to a role" ? { attached: [PolicyArn] } : how === "as a boundary" ? { boundary: PolicyArn } : {};
	await sandbox.seed(account, { policies: [{ name: "used", document: seedDocument(read) }], roles: [roleSeed("r", [], role)] });
	if (how === "with two versions") await iam.send(new CreatePolicyVersionCommand({ PolicyArn, PolicyDocument: document }));
	await expect(iam.send(new DeletePolicyCommand({ PolicyArn }))).rejects.toMatchObject({ name: "DeleteConflictException" });
});

test("a policy that nothing uses can be deleted", async () => {
	const { account, iam } = fresh();
	const PolicyArn = `arn:aws:iam::${account}:policy/free`;
	await sandbox.seed(account, { policies: [{ name: "free", document: seedDocument(read) }] });
	await iam.send(new DeletePolicyCommand({ PolicyArn }));
	expect(await details(iam, { Filter: ["LocalManagedPolicy"] })).toMatchObject([{ Policies: [] }]);
});
