import { execFile } from "node:child_process";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { promisify } from "node:util";
import { describe, expect, test } from "vitest";
import { parse } from "yaml";
import { tableDefinition } from "../../../controller/aws/store-table.ts";
import { deadLetterOf, type EventHome } from "../../../controller/model/event-home.ts";
import { ownNames } from "../../../controller/model/own-names.ts";
import { controllerPolicies, type OwnScope, planOnlyPolicy, workloadBoundary } from "../../../controller/model/own-policy.ts";
import { TRIGGERS } from "../../../controller/model/triggers.ts";
import { TARGET_ID, wantedTriggers } from "../../../controller/plan/trigger-wanted.ts";
import { COUNTED } from "../../../deploy/cloudformation/alarms.ts";

const root = join(import.meta.dirname, "../../..");
const ACCOUNT = "123456789012";
const SECRET = "arn:aws:secretsmanager:eu-west-1:123456789012:secret:prod/*";
const BUS = "arn:aws:events:eu-west-1:123456789012:event-bus/default";

interface Resource {
	readonly Type: string;
	readonly Condition?: string;
	// biome-ignore lint/suspicious/noExplicitAny: what a template holds is asserted on, not typed.
	readonly Properties: Readonly<Record<string, any>>;
}

/** The resources of a template as an account in eu-west-1 would get them. */
function deployed(name: string, values: Readonly<Record<string, unknown>> = {}): Readonly<Record<string, Resource>> {
	const template = parse(readFileSync(join(root, "deploy/cloudformation", `${name}.yaml`), "utf8"));
	const known: Record<string, unknown> = {
		"AWS::Partition": "aws",
		"AWS::AccountId": ACCOUNT,
		"AWS::Region": "eu-west-1",
		Installation: "main",
		RolePath: "/ecs-access/",
		Secrets: [SECRET],
		HomeBus: BUS,
		...values,
	};
	const fill = (part: unknown): unknown => {
		if (Array.isArray(part)) return part.map(fill);
		if (typeof part !== "object" || part === null) return part;
		const entries = Object.entries(part);
		const [only] = entries;
		if (entries.length === 1 && only?.[0] === "Ref") return known[String(only[1])] ?? part;
		if (entries.length === 1 && only?.[0] === "Fn::Sub")
			return String(only[1]).replace(/\$\{([^}]+)\}/g, (whole, key: string) => String(known[key] ?? whole));
		return Object.fromEntries(entries.map(([key, value]) => [key, fill(value)]));
	};
	return fill(template.Resources) as Readonly<Record<string, Resource>>;
}

function of(resources: Readonly<Record<string, Resource>>, type: string): readonly Resource[] {
	return Object.values(resources).filter((r) => r.Type === type);
}

const home: EventHome = {
	account: {
		name: "prod",
		accountId: ACCOUNT,
		partition: "aws",
		region: "eu-west-1",
		regions: ["eu-west-1"],
		rolePath: "/ecs-access/",
	} as unknown as EventHome["account"],
	accountId: ACCOUNT as EventHome["accountId"],
	region: "eu-west-1" as EventHome["region"],
	queue: "ecs-access-main",
	bus: "default",
};

test("the templates are as the code makes them", async () => {
	await promisify(execFile)(process.execPath, [join(root, "deploy/cloudformation/generate.ts"), "--check"], { cwd: root });
});

describe("events", () => {
	const hub = deployed("hub");
	const wanted = wantedTriggers({
		installation: "main",
		home,
		account: home.account as Parameters<typeof wantedTriggers>[0]["account"],
		accounts: [],
	});
	const shape = (rules: readonly Resource[]) =>
		rules
			.map((r) => ({ name: r.Properties.Name, pattern: r.Properties.EventPattern }))
			.sort((a, b) => (a.name < b.name ? -1 : 1));

	test("the hub has the rules that `triggers` would set up at home, each to the queue", () => {
		const atHome = wanted.rules.filter((r) => r.target.region === "eu-west-1");
		expect(atHome).toHaveLength(TRIGGERS.length);
		const rules = of(hub, "AWS::Events::Rule");
		expect(shape(rules)).toEqual(
			atHome.map(({ name, pattern }) => ({ name, pattern })).sort((a, b) => (a.name < b.name ? -1 : 1)),
		);
		for (const rule of rules) {
			expect(rule.Condition).toBeUndefined();
			expect(rule.Properties.Targets).toEqual([
				{
					Id: TARGET_ID,
					Arn: { "Fn::GetAtt": ["Events", "Arn"] },
					DeadLetterConfig: { Arn: { "Fn::GetAtt": ["DeadLetters", "Arn"] } },
				},
			]);
		}
	});

	test("the forwarder of the IAM region has the rules that `triggers` would set up there", () => {
		const there = wanted.rules.filter((r) => r.target.region === "us-east-1");
		expect(there.length).toBeGreaterThan(0);
		const rules = of(deployed("events"), "AWS::Events::Rule");
		expect(shape(rules)).toEqual(
			there.map(({ name, pattern }) => ({ name, pattern })).sort((a, b) => (a.name < b.name ? -1 : 1)),
		);
		for (const rule of rules) expect(rule.Properties.Targets[0].Arn).toBe(BUS);
	});

	test("a spoke forwards what is told in its region, and of IAM only where AWS tells it", () => {
		const rules = of(deployed("spoke"), "AWS::Events::Rule");
		expect(rules).toHaveLength(TRIGGERS.filter((t) => t.where !== "home").length);
		for (const t of TRIGGERS.filter((t) => t.where !== "home"))
			expect(rules.find((r) => r.Properties.Name === `ecs-access-main-${t.id}`)?.Condition).toBe(
				t.where === "iam-region" ? "InIamRegion" : undefined,
			);
	});

	test("the queues have the code's names, and only our own rules may send", () => {
		expect(of(hub, "AWS::SQS::Queue").map((q) => q.Properties.QueueName)).toEqual([deadLetterOf(home.queue), home.queue]);
		for (const policy of of(hub, "AWS::SQS::QueuePolicy"))
			expect(policy.Properties.PolicyDocument.Statement).toEqual([
				expect.objectContaining({
					Principal: { Service: "events.amazonaws.com" },
					Action: "sqs:SendMessage",
					Condition: {
						ArnLike: { "aws:SourceArn": "arn:aws:events:eu-west-1:123456789012:rule/ecs-access-main-*" },
						StringEquals: { "aws:SourceAccount": ACCOUNT },
					},
				}),
			]);
	});
});

describe("rights", () => {
	const own = ownNames("main");
	const scope: OwnScope = {
		partition: "aws",
		accountId: ACCOUNT,
		installation: "main",
		rolePath: "/ecs-access/",
		workloadBoundary: `arn:aws:iam::${ACCOUNT}:policy${own.path}${own.workloadBoundary}`,
		adopted: [],
		secrets: [SECRET],
		tagKeys: [],
		table: "ecs-access-main",
		spokes: ["arn:aws:iam::*:role/ecs-access-system/ecs-access-main-controller"],
	};

	test.each([
		["hub", scope],
		["spoke", { ...scope, table: null, spokes: [] }],
	])("the %s's policies are those that the code prints, and fit", (name, of) => {
		const resources = deployed(name);
		const { read, write } = controllerPolicies(of);
		const documents = {
			ControllerReads: read,
			ControllerWrites: write,
			PlanReads: planOnlyPolicy(of),
			WorkloadBoundary: workloadBoundary(of),
		};
		for (const [id, document] of Object.entries(documents)) {
			const text = JSON.stringify(resources[id]?.Properties.PolicyDocument);
			expect(JSON.parse(text), id).toEqual(JSON.parse(JSON.stringify(document)));
			expect(text.length, id).toBeLessThanOrEqual(6_144);
		}
	});

	test("the controller has its two policies, and every role of ours lies where it may not write", () => {
		for (const name of ["hub", "spoke", "events"])
			for (const role of of(deployed(name), "AWS::IAM::Role"))
				expect(role.Properties.Path, role.Properties.RoleName).toBe(own.path);
		expect(deployed("hub").ControllerRole?.Properties.ManagedPolicyArns).toEqual([
			{ Ref: "ControllerReads" },
			{ Ref: "ControllerWrites" },
		]);
	});
});

describe("what runs", () => {
	const hub = deployed("hub");

	test("one task and never two, taken back when it does not come up", () => {
		expect(hub.Service?.Properties).toMatchObject({
			DesiredCount: 1,
			DeploymentConfiguration: {
				MinimumHealthyPercent: 0,
				MaximumPercent: 100,
				DeploymentCircuitBreaker: { Enable: true, Rollback: true },
			},
		});
	});

	test.each(["Task", "OnceTask"])("%s runs as the image's user on a read-only root", (id) => {
		const [container] = hub[id]?.Properties.ContainerDefinitions ?? [];
		expect(container).toMatchObject({ User: "10001:10001", ReadonlyRootFilesystem: true });
		const volumes = /VOLUME (\[.*\])/.exec(readFileSync(join(root, "Dockerfile"), "utf8"))?.[1] ?? "";
		expect(container.MountPoints.map((m: { ContainerPath: string }) => m.ContainerPath)).toEqual(JSON.parse(volumes));
	});

	test("a way to run it is there in either mode, and only that one", () => {
		expect([hub.Service?.Condition, hub.Schedule?.Condition, hub.OnceTask?.Condition, hub.SchedulerRole?.Condition]).toEqual([
			"AsService",
			"OnSchedule",
			"OnSchedule",
			"OnSchedule",
		]);
	});

	test("the table is the code's", () => {
		expect(hub.Store?.Properties).toMatchObject(tableDefinition("ecs-access-main"));
	});

	test("each counted line is one that the controller logs, and has its alarm", () => {
		const log = readFileSync(join(root, "controller/cli/controller-log.ts"), "utf8");
		const filters = of(hub, "AWS::Logs::MetricFilter");
		const alarms = of(hub, "AWS::CloudWatch::Alarm");
		expect(filters).toHaveLength(Object.keys(COUNTED).length);
		for (const [name, { message }] of Object.entries(COUNTED)) {
			expect(log).toContain(`"${message}"`);
			expect(filters.map((f) => f.Properties.FilterPattern)).toContain(`{ $.msg = "${message}" }`);
			expect(alarms.map((a) => a.Properties.MetricName)).toContain(`main-${name}`);
		}
	});
});
