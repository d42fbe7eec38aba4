import { ECSClient, RegisterTaskDefinitionCommand } from "@aws-sdk/client-ecs";
import { CreateRoleCommand, GetRoleCommand, IAMClient, ListRolesCommand, PutRolePolicyCommand } from "@aws-sdk/client-iam";
import { AssumeRoleCommand, STSClient } from "@aws-sdk/client-sts";
import { expect, test } from "vitest";
import { ecsTasksTrust, roleSeed, type SeedStatement, seedDocument } from "./seed-data.ts";
import { useSandbox } from "./use.ts";

const sandbox = useSandbox();
const AssumeRolePolicyDocument = JSON.stringify(ecsTasksTrust);
const statement: SeedStatement = { Effect: "Allow", Action: "s3:GetObject", Resource: "*" };
test("with a lag, IAM's reads show the past, a new role can be neither assumed nor passed, and writes answer at once", async () => {
	const account = sandbox.newAccount();
	const iam = new IAMClient(sandbox.config(account));
	const ecs = new ECSClient(sandbox.config(account));
	await sandbox.seed(account, { roles: [roleSeed("old")] });
	// Hours, so that only `tick` makes it end.
	await sandbox.configure(account, { iamLagMs: 3600_000 });
	const names = async () => (await iam.send(new ListRolesCommand({}))).Roles?.map((role) => role.RoleName);
	const { Role } = await iam.send(new CreateRoleCommand({ RoleName: "new", AssumeRolePolicyDocument }));
	await iam.send(
		new PutRolePolicyCommand({ RoleName: "new", PolicyName: "p", PolicyDocument: JSON.stringify(seedDocument(statement)) }),
	);
	expect(await names()).toEqual(["old"]);
	await expect(iam.send(new GetRoleCommand({ RoleName: "new" }))).rejects.toMatchObject({ name: "NoSuchEntityException" });
	const RoleArn = Role?.Arn ?? "";
	const assume = () => new STSClient(sandbox.config(account)).send(new AssumeRoleCommand({ RoleArn, RoleSessionName: "s" }));
	const register = () =>
		ecs.send(
			new RegisterTaskDefinitionCommand({
				family: "web",
				taskRoleArn: RoleArn,
				containerDefinitions: [{ name: "web", image: "web", memory: 64 }],
			}),
		);
	await expect(assume()).rejects.toMatchObject({ name: "AccessDenied" });
	await expect(register()).rejects.toMatchObject({
		name: "AccessDeniedException",
		message: expect.stringContaining(`iam:PassRole on resource: ${RoleArn}`),
	});
	await sandbox.tick(account, 3601);
	expect((await names())?.sort()).toEqual(["new", "old"]);
	await assume();
	await register();
});
