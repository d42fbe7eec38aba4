import { ECSClient, ListClustersCommand } from "@aws-sdk/client-ecs";
import { CreateRoleCommand, GetRoleCommand, IAMClient, ListRolesCommand, PutRolePolicyCommand } from "@aws-sdk/client-iam";
import { ListSchedulesCommand, SchedulerClient } from "@aws-sdk/client-scheduler";
import { expect, test } from "vitest";
import type { FaultKind } from "./faults.ts";
import { ecsTasksTrust, roleSeed, seedDocument } from "./seed-data.ts";
import { useSandbox } from "./use.ts";

const sandbox = useSandbox();
const AssumeRolePolicyDocument = JSON.stringify(ecsTasksTrust);
const PolicyDocument = JSON.stringify(seedDocument({ Effect: "Allow", Action: "s3:*", Resource: "*" }));

function fresh(maxAttempts = 1) {
	const account = sandbox.newAccount();
	const config = { ...sandbox.config(account), maxAttempts };
	return { account, iam: new IAMClient(config), ecs: new ECSClient(config), scheduler: new SchedulerClient(config) };
}

test.each<[FaultKind, string, string, string]>([
	["throttle", "Throttling", "ThrottlingException", "ThrottlingException"],
	["serverError", "ServiceFailureException", "ServerException", "ServerException"],
	["unavailable", "ServiceUnavailable", "ServiceUnavailableException", "ServiceUnavailableException"],
	["denied", "AccessDenied", "AccessDeniedException", "AccessDeniedException"],
	["expiredToken", "ExpiredToken", "ExpiredTokenException", "ExpiredTokenException"],
])("%s reads as the error of its service", async (kind, query, json, rest) => {
	const { account, iam, ecs, scheduler } = fresh();
	await sandbox.fault(account, { kind });
	await expect(iam.send(new ListRolesCommand({}))).rejects.toMatchObject({ name: query });
	await expect(ecs.send(new ListClustersCommand({}))).rejects.toMatchObject({ name: json });
	await expect(scheduler.send(new ListSchedulesCommand({}))).rejects.toMatchObject({ name: rest });
});

test("a denial names caller, action and role", async () => {
	const { account, iam } = fresh();
	await sandbox.fault(account, { kind: "denied", operation: "iam:Put*" });
	const put = iam.send(new PutRolePolicyCommand({ RoleName: "web", PolicyName: "p", PolicyDocument }));
	await expect(put).rejects.toThrow(
		`User: arn:aws:sts::${account}:assumed-role/Admin/kim is not authorized to perform: iam:PutRolePolicy on resource: role web`,
	);
});

test("a fault hits the matching calls of its account only, after some and so many times", async () => {
	const { account, iam } = fresh();
	const other = fresh();
	await sandbox.fault(account, { kind: "throttle", operation: "iam:List*", after: 1, times: 2 });
	const outcomes: string[] = [];
	for (let n = 0; n < 5; n++) {
		outcomes.push(
			await iam.send(new ListRolesCommand({})).then(
				() => "ok",
				(error: Error) => error.name,
			),
		);
		await other.iam.send(new ListRolesCommand({}));
	}
	expect(outcomes).toEqual(["ok", "Throttling", "Throttling", "ok", "ok"]);
	expect(await sandbox.counts(account)).toEqual({ "iam:ListRoles": 5 });
	await sandbox.resetCounts(account);
	expect(await sandbox.counts(account)).toEqual({});
});

test("an SDK client survives a throttled and a reset attempt, and each is counted", async () => {
	const { account, iam } = fresh(3);
	await sandbox.fault(account, { kind: "throttle", times: 1 });
	await sandbox.fault(account, { kind: "reset", times: 1 });
	await iam.send(new ListRolesCommand({}));
	expect(await sandbox.counts(account)).toEqual({ "iam:ListRoles": 3 });
});

test("a write whose answer is lost has happened; one that was reset has not", async () => {
	const { account, iam } = fresh();
	const create = (RoleName: string) => iam.send(new CreateRoleCommand({ RoleName, AssumeRolePolicyDocument }));
	await sandbox.fault(account, { kind: "lostAnswer", operation: "iam:CreateRole", times: 1 });
	await expect(create("lost")).rejects.toMatchObject({ code: "ECONNRESET" });
	await sandbox.fault(account, { kind: "reset", operation: "iam:CreateRole", times: 1 });
	await expect(create("reset")).rejects.toMatchObject({ code: "ECONNRESET" });
	await iam.send(new GetRoleCommand({ RoleName: "lost" }));
	await expect(iam.send(new GetRoleCommand({ RoleName: "reset" }))).rejects.toMatchObject({ name: "NoSuchEntityException" });
});

test("a call that hangs gets no answer, and faults can be cleared", async () => {
	const { account, iam } = fresh();
	const requestHandler = { requestTimeout: 200, throwOnRequestTimeout: true };
	const hasty = new IAMClient({ ...sandbox.config(account), maxAttempts: 1, requestHandler });
	await sandbox.fault(account, { kind: "hang" });
	await expect(hasty.send(new ListRolesCommand({}))).rejects.toMatchObject({ name: "TimeoutError" });
	await sandbox.clearFaults(account);
	await iam.send(new ListRolesCommand({}));
});

test.each(["before", "after"] as const)("the second write can be held %s it happens, and dropped", async (when) => {
	const { account, iam } = fresh();
	await sandbox.seed(account, { roles: [roleSeed("web")] });
	const put = (PolicyName: string) => iam.send(new PutRolePolicyCommand({ RoleName: "web", PolicyName, PolicyDocument }));
	const hold = await sandbox.hold(account, { writes: true, after: 1, when });
	await put("one");
	await iam.send(new GetRoleCommand({ RoleName: "web" }));
	const second = put("two").then(
		() => "answered",
		() => "cut",
	);
	expect(await hold.reached(AbortSignal.timeout(10_000))).toEqual({ operation: "iam:PutRolePolicy" });
	await hold.drop();
	expect(await second).toBe("cut");
	const details = await iam.send(new ListRolesCommand({}));
	expect(details.Roles).toHaveLength(1);
	const { ListRolePoliciesCommand } = await import("@aws-sdk/client-iam");
	const names = (await iam.send(new ListRolePoliciesCommand({ RoleName: "web" }))).PolicyNames;
	expect(names).toEqual(when === "before" ? ["one"] : ["one", "two"]);
});

test("a held call goes on when it is released", async () => {
	const { account, iam } = fresh();
	const hold = await sandbox.hold(account, { operation: "iam:CreateRole" });
	const created = iam.send(new CreateRoleCommand({ RoleName: "web", AssumeRolePolicyDocument }));
	await hold.reached(AbortSignal.timeout(10_000));
	await expect(iam.send(new GetRoleCommand({ RoleName: "web" }))).rejects.toMatchObject({ name: "NoSuchEntityException" });
	await hold.release();
	expect((await created).Role?.RoleName).toBe("web");
});

test("a caller that dies while it is held leaves nothing behind", async () => {
	const { account, iam } = fresh();
	const hold = await sandbox.hold(account, { operation: "iam:CreateRole" });
	const gone = new AbortController();
	const create = iam.send(new CreateRoleCommand({ RoleName: "web", AssumeRolePolicyDocument }), { abortSignal: gone.signal });
	await hold.reached(AbortSignal.timeout(10_000));
	gone.abort();
	await expect(create).rejects.toMatchObject({ name: "AbortError" });
	// Had it gone on, it would have been forwarded before the next call: there is one lock and one order.
	await expect(iam.send(new GetRoleCommand({ RoleName: "web" }))).rejects.toMatchObject({ name: "NoSuchEntityException" });
	await hold.release();
});
