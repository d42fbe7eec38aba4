import { spawn } from "node:child_process";
import { once } from "node:events";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import { CreateRoleCommand, GetRoleCommand, IAMClient, ListAccountAliasesCommand, ListRolesCommand } from "@aws-sdk/client-iam";
import { AssumeRoleCommand, GetCallerIdentityCommand, STSClient } from "@aws-sdk/client-sts";
import { expect, test } from "vitest";
import { ecsTasksTrust, roleSeed } from "./seed-data.ts";
import { useSandbox } from "./use.ts";

const sandbox = useSandbox();

test("an account sees its own roles and no other's", async () => {
	const [one, two] = [sandbox.newAccount(), sandbox.newAccount()];
	await sandbox.seed(one, { roles: [roleSeed("only-in-one")] });
	const names = async (account: string) =>
		(await new IAMClient(sandbox.config(account)).send(new ListRolesCommand({}))).Roles?.map((role) => role.RoleName);
	expect(await names(one)).toEqual(["only-in-one"]);
	expect(await names(two)).toEqual([]);
});

test("the caller of an account is who the seed says", async () => {
	const account = sandbox.newAccount();
	const sts = new STSClient(sandbox.config(account));
	const before = await sts.send(new GetCallerIdentityCommand({}));
	expect(before).toMatchObject({ Account: account, Arn: `arn:aws:sts::${account}:assumed-role/Admin/kim` });
	await sandbox.seed(account, { alias: "acme", caller: `arn:aws:iam::${account}:user/lee` });
	expect(await sts.send(new GetCallerIdentityCommand({}))).toMatchObject({ Arn: `arn:aws:iam::${account}:user/lee` });
	const aliases = await new IAMClient(sandbox.config(account)).send(new ListAccountAliasesCommand({}));
	expect(aliases.AccountAliases).toEqual(["acme"]);
});

test("assumed credentials act, and are counted, in the account of the role", async () => {
	const [home, other] = [sandbox.newAccount(), sandbox.newAccount()];
	await sandbox.seed(other, { roles: [roleSeed("deployer")] });
	const assumed = await new STSClient(sandbox.config(home)).send(
		new AssumeRoleCommand({ RoleArn: `arn:aws:iam::${other}:role/deployer`, RoleSessionName: "test" }),
	);
	const { AccessKeyId = "", SecretAccessKey = "", SessionToken = "" } = assumed.Credentials ?? {};
	const credentials = { accessKeyId: AccessKeyId, secretAccessKey: SecretAccessKey, sessionToken: SessionToken };
	const there = { ...sandbox.config(home), credentials };
	expect(await new STSClient(there).send(new GetCallerIdentityCommand({}))).toMatchObject({
		Account: other,
		Arn: `arn:aws:sts::${other}:assumed-role/deployer/test`,
	});
	await new IAMClient(there).send(new GetRoleCommand({ RoleName: "deployer" }));
	expect(await sandbox.counts(home)).toEqual({ "sts:AssumeRole": 1 });
	expect(await sandbox.counts(other)).toEqual({ "sts:GetCallerIdentity": 1, "iam:GetRole": 1 });
});

test("an action that moto lacks is NotImplemented, in the shape of its service, and not retried", async () => {
	const account = sandbox.newAccount();
	const { GenerateServiceLastAccessedDetailsCommand } = await import("@aws-sdk/client-iam");
	const { ECSClient, ListDaemonsCommand } = await import("@aws-sdk/client-ecs");
	const iam = new IAMClient(sandbox.config(account));
	const ecs = new ECSClient(sandbox.config(account));
	await expect(
		iam.send(new GenerateServiceLastAccessedDetailsCommand({ Arn: `arn:aws:iam::${account}:role/x` })),
	).rejects.toMatchObject({
		name: "NotImplemented",
	});
	await expect(ecs.send(new ListDaemonsCommand({}))).rejects.toMatchObject({ name: "NotImplemented" });
	expect(await sandbox.counts(account)).toEqual({ "iam:GenerateServiceLastAccessedDetails": 1, "ecs:ListDaemons": 1 });
});

test("fifty clients at once make no error", async () => {
	const account = sandbox.newAccount();
	const iam = new IAMClient({ ...sandbox.config(account), maxAttempts: 1 });
	const trust = JSON.stringify(ecsTasksTrust);
	const create = (n: number) => iam.send(new CreateRoleCommand({ RoleName: `role-${n}`, AssumeRolePolicyDocument: trust }));
	await Promise.all(Array.from({ length: 150 }, (_, n) => (n % 3 === 2 ? iam.send(new ListRolesCommand({})) : create(n))));
	expect((await iam.send(new ListRolesCommand({ MaxItems: 1000 }))).Roles).toHaveLength(100);
});

test("thousands of roles are seeded in one call, and a reset empties this account only", async () => {
	const [account, other] = [sandbox.newAccount(), sandbox.newAccount()];
	const statement = { Effect: "Allow", Action: "s3:GetObject", Resource: "*" } as const;
	await sandbox.seed(account, { roles: Array.from({ length: 2000 }, (_, n) => roleSeed(`role-${n}`, [statement])) });
	await sandbox.seed(other, { roles: [roleSeed("stays")] });
	const count = async (id: string) =>
		(await new IAMClient(sandbox.config(id)).send(new ListRolesCommand({ MaxItems: 1000 }))).Roles?.length;
	expect(await count(account)).toBe(1000);
	await sandbox.reset(account);
	expect(await count(account)).toBe(0);
	expect(await count(other)).toBe(1);
});

test("a stopped sandbox has ended, and a process that forgets to stop one can end", async () => {
	const start = `import { startSandbox } from ${JSON.stringify(fileURLToPath(new URL("sandbox.ts", import.meta.url)))};
		const sandbox = await startSandbox(); console.log(sandbox.endpoint);`;
	const down = (endpoint: string) =>
		fetch(endpoint).then(
			() => false,
			() => true,
		);
	for (const script of [`${start} await sandbox.stop(); console.log("stopped");`, start]) {
		const child = spawn(process.execPath, ["--input-type=module-typescript", "-e", script], {
			stdio: ["ignore", "pipe", "inherit"],
		});
		const lines: string[] = [];
		createInterface(child.stdout).on("line", (line) => lines.push(line));
		expect(await once(child, "exit")).toEqual([0, null]);
		expect(lines).toHaveLength(script === start ? 1 : 2);
		await expect.poll(() => down(lines[0] ?? ""), { timeout: 10_000 }).toBe(true);
	}
});

test("nothing goes on running after the process that started a sandbox is killed", async () => {
	const script = `import { startSandbox } from ${JSON.stringify(fileURLToPath(new URL("sandbox.ts", import.meta.url)))};
		const sandbox = await startSandbox(); console.log(sandbox.endpoint); setInterval(() => {}, 1000);`;
	const parent = spawn(process.execPath, ["--input-type=module-typescript", "-e", script], {
		stdio: ["ignore", "pipe", "inherit"],
	});
	const [endpoint] = (await once(createInterface(parent.stdout), "line")) as [string];
	expect((await fetch(endpoint)).status).toBeGreaterThan(0);
	parent.kill("SIGKILL");
	await expect
		.poll(
			() =>
				fetch(endpoint).then(
					() => "up",
					() => "down",
				),
			{ timeout: 10_000 },
		)
		.toBe("down");
});
