import { ECSClient, ListTasksCommand } from "@aws-sdk/client-ecs";
import {
	DisableRuleCommand,
	EventBridgeClient,
	PutEventsCommand,
	PutRuleCommand,
	PutTargetsCommand,
} from "@aws-sdk/client-eventbridge";
import { CreateScheduleCommand, ListSchedulesCommand, SchedulerClient } from "@aws-sdk/client-scheduler";
import { expect, test } from "vitest";
import { createInbox } from "./inbox.ts";
import { roleSeed, taskDefinitionSeed } from "./seed-data.ts";
import { useSandbox } from "./use.ts";

const sandbox = useSandbox();
test("a rule with a schedule fires by the account's clock, and receives nothing else", async () => {
	const account = sandbox.newAccount();
	const events = new EventBridgeClient(sandbox.config(account));
	const inbox = await createInbox(sandbox, account);
	const Targets = [{ Id: "target", Arn: inbox.arn }];
	const { RuleArn } = await events.send(new PutRuleCommand({ Name: "hourly", ScheduleExpression: "rate(1 hour)" }));
	await events.send(new PutTargetsCommand({ Rule: "hourly", Targets }));
	// A rule with a schedule alone has no pattern, which is not the pattern of everything.
	await events.send(new PutEventsCommand({ Entries: [{ Source: "acme", DetailType: "Order", Detail: "{}" }] }));
	await sandbox.tick(account, 3590);
	expect(await inbox.rest()).toEqual([]);
	await sandbox.tick(account, 2 * 3600);
	expect(await inbox.events(2)).toMatchObject([
		{ source: "aws.events", "detail-type": "Scheduled Event", resources: [RuleArn], detail: {} },
		{ source: "aws.events" },
	]);
	await events.send(new DisableRuleCommand({ Name: "hourly" }));
	await sandbox.tick(account, 2 * 3600);
	expect(await inbox.rest()).toEqual([]);
	await events.send(new PutRuleCommand({ Name: "hourly", ScheduleExpression: "cron(30 3 * * ? *)" }));
	await sandbox.tick(account, 3 * 24 * 3600);
	const times = (await inbox.take(3)).map(({ Body = "" }) => String(JSON.parse(Body).time).slice(11));
	expect(times).toEqual(["03:30:00Z", "03:30:00Z", "03:30:00Z"]);
});

test("a schedule of EventBridge Scheduler fires once at its time, and can delete itself", async () => {
	const account = sandbox.newAccount();
	const scheduler = new SchedulerClient(sandbox.config(account));
	await sandbox.seed(account, { roles: [roleSeed("scheduler")] });
	const inbox = await createInbox(sandbox, account, "events", null);
	const RoleArn = `arn:aws:iam::${account}:role/scheduler`;
	const at = new Date(Date.now() + 3600_000).toISOString().slice(0, 19);
	const base = { ActionAfterCompletion: "DELETE", FlexibleTimeWindow: { Mode: "OFF" } } as const;
	const Input = '{"expire":"grant","at":"<aws.scheduler.scheduled-time>"}';
	const Target = { Arn: inbox.arn, RoleArn, Input };
	await scheduler.send(new CreateScheduleCommand({ Name: "once", ScheduleExpression: `at(${at})`, Target, ...base }));
	await expect(
		scheduler.send(new CreateScheduleCommand({ Name: "bad", ScheduleExpression: "rate(foo)", Target, ...base })),
	).rejects.toMatchObject({ name: "ValidationException" });
	await sandbox.tick(account, 3590);
	expect(await inbox.rest()).toEqual([]);
	await sandbox.tick(account, 3600);
	expect((await inbox.take(1)).map(({ Body = "" }) => JSON.parse(Body))).toEqual([{ expire: "grant", at: `${at}Z` }]);
	expect((await scheduler.send(new ListSchedulesCommand({}))).Schedules).toEqual([]);
});

test("a schedule runs a task, and a failed one ends in its dead-letter queue", async () => {
	const account = sandbox.newAccount();
	const scheduler = new SchedulerClient(sandbox.config(account));
	await sandbox.seed(account, {
		roles: [roleSeed("scheduler")],
		clusters: [{ name: "prod" }],
		taskDefinitions: [taskDefinitionSeed("nightly")],
	});
	const dead = await createInbox(sandbox, account, "dead", null);
	const arn = (resource: string) => `arn:aws:ecs:eu-west-1:${account}:${resource}`;
	const schedule = (Name: string, task: string) =>
		scheduler.send(
			new CreateScheduleCommand({
				Name,
				ScheduleExpression: "rate(1 day)",
				FlexibleTimeWindow: { Mode: "OFF" },
				Target: {
					Arn: arn("cluster/prod"),
					RoleArn: `arn:aws:iam::${account}:role/scheduler`,
					DeadLetterConfig: { Arn: dead.arn },
					EcsParameters: {
						TaskDefinitionArn: arn(`task-definition/${task}`),
						LaunchType: "FARGATE",
						NetworkConfiguration: { awsvpcConfiguration: { Subnets: ["subnet-1"] } },
					},
				},
			}),
		);
	await schedule("good", "nightly");
	await schedule("bad", "nobody");
	await sandbox.tick(account, 86_400);
	const startedBy = "chronos-schedule/good";
	const tasks = await new ECSClient(sandbox.config(account)).send(new ListTasksCommand({ cluster: "prod", startedBy }));
	expect(tasks.taskArns).toHaveLength(1);
	const [message] = await dead.take(1);
	expect(message?.MessageAttributes).toMatchObject({ SCHEDULE_ARN: { StringValue: expect.stringContaining("/bad") } });
});
