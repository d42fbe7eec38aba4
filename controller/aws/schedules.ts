import type { Arn, Region } from "../model/ids.ts";
import { parseArn } from "./arn.ts";
import { brief } from "./errors.ts";
import type { CallAws } from "./operations.ts";

/** Something that starts ECS tasks by itself. */
export interface ScheduledTask {
	/** `Scheduler schedule nightly`, `EventBridge rule orders-nightly`. */
	readonly as: string;
	readonly region: Region;
	/** ARN, or name in a universal target; null when it does not say. */
	readonly cluster: string | null;
	/** As written: ARN, `family:revision` or family. */
	readonly taskDefinition: string | null;
	/** What it acts as. */
	readonly role: Arn | null;
	/** Roles that it puts in place of the task definition's. */
	readonly overrides: readonly string[];
}

export interface Schedules {
	readonly tasks: readonly ScheduledTask[];
	/** What could not be looked at. */
	readonly unread: readonly string[];
}

/** Everything in a region that starts tasks. Never fails for what it may not read: that is listed. */
export async function readSchedules(call: CallAws, region: Region, signal: AbortSignal): Promise<Schedules> {
	const [schedules, rules] = await Promise.all([
		tolerant(`Scheduler schedules of ${region}`, signal, () => schedulerTasks(call, region, signal)),
		tolerant(`EventBridge rules of ${region}`, signal, () => ruleTasks(call, region, signal)),
	]);
	return { tasks: [...schedules.tasks, ...rules.tasks], unread: [...schedules.unread, ...rules.unread] };
}

async function tolerant(what: string, signal: AbortSignal, read: () => Promise<Schedules>): Promise<Schedules> {
	try {
		return await read();
	} catch (error) {
		signal.throwIfAborted();
		return { tasks: [], unread: [`${what} (${brief(error)})`] };
	}
}

/** The list tells the target's ARN only; the rest is asked of those that start tasks. */
async function schedulerTasks(call: CallAws, region: Region, signal: AbortSignal): Promise<Schedules> {
	const names: { readonly Name: string; readonly GroupName?: string }[] = [];
	let token: string | undefined;
	do {
		const page = await call("scheduler:ListSchedules", region, { MaxResults: 100, ...(token && { NextToken: token }) }, signal);
		for (const s of page.Schedules ?? []) {
			if (s.Name === undefined || !startsTasks(s.Target?.Arn ?? "")) continue;
			names.push({ Name: s.Name, ...(s.GroupName !== undefined && { GroupName: s.GroupName }) });
		}
		token = page.NextToken;
	} while (token !== undefined && token !== "");
	const found = await Promise.all(
		names.map((input) =>
			tolerant(`Scheduler schedule ${input.Name}`, signal, async () => {
				const { Target: target } = await call("scheduler:GetSchedule", region, input, signal);
				return scheduled(`Scheduler schedule ${input.Name}`, region, {
					arn: target?.Arn,
					role: target?.RoleArn,
					taskDefinition: target?.EcsParameters?.TaskDefinitionArn,
					input: target?.Input,
				});
			}),
		),
	);
	return { tasks: found.flatMap((f) => f.tasks), unread: found.flatMap((f) => f.unread) };
}

/** Asked the cheap way round: which rules have a cluster as target, instead of the targets of every rule. */
async function ruleTasks(call: CallAws, region: Region, signal: AbortSignal): Promise<Schedules> {
	const [clusters, buses] = await Promise.all([listClusters(call, region, signal), eventBuses(call, region, signal)]);
	const rules = await Promise.all(
		clusters.flatMap((cluster) => buses.map((bus) => rulesFor(call, region, cluster, bus, signal))),
	);
	const distinct = new Map(rules.flat().map((r) => [`${r.bus}/${r.name}`, r]));
	const found = await Promise.all(
		[...distinct.values()].map(({ name, bus }) =>
			tolerant(`EventBridge rule ${name}`, signal, async () => {
				const parts: Schedules[] = [];
				let token: string | undefined;
				do {
					const page = await call(
						"events:ListTargetsByRule",
						region,
						{ Rule: name, EventBusName: bus, ...(token && { NextToken: token }) },
						signal,
					);
					for (const t of page.Targets ?? []) {
						if (!startsTasks(t.Arn ?? "")) continue;
						parts.push(
							scheduled(`EventBridge rule ${name}`, region, {
								arn: t.Arn,
								role: t.RoleArn,
								taskDefinition: t.EcsParameters?.TaskDefinitionArn,
								input: t.Input,
							}),
						);
					}
					token = page.NextToken;
				} while (token !== undefined && token !== "");
				return { tasks: parts.flatMap((p) => p.tasks), unread: parts.flatMap((p) => p.unread) };
			}),
		),
	);
	return { tasks: found.flatMap((f) => f.tasks), unread: found.flatMap((f) => f.unread) };
}

export async function listClusters(call: CallAws, region: Region, signal: AbortSignal): Promise<readonly Arn[]> {
	const arns: Arn[] = [];
	let token: string | undefined;
	do {
		const page = await call("ecs:ListClusters", region, { maxResults: 100, ...(token && { nextToken: token }) }, signal);
		arns.push(...(page.clusterArns ?? []));
		token = page.nextToken;
	} while (token !== undefined && token !== "");
	return arns;
}

async function eventBuses(call: CallAws, region: Region, signal: AbortSignal): Promise<readonly string[]> {
	const names: string[] = [];
	let token: string | undefined;
	do {
		const page = await call("events:ListEventBuses", region, { ...(token && { NextToken: token }) }, signal);
		names.push(...(page.EventBuses ?? []).flatMap((b) => b.Name ?? []));
		token = page.NextToken;
	} while (token !== undefined && token !== "");
	return names;
}

async function rulesFor(
	call: CallAws,
	region: Region,
	cluster: Arn,
	bus: string,
	signal: AbortSignal,
): Promise<readonly { readonly name: string; readonly bus: string }[]> {
	const names: string[] = [];
	let token: string | undefined;
	do {
		const page = await call(
			"events:ListRuleNamesByTarget",
			region,
			{ TargetArn: cluster, EventBusName: bus, ...(token && { NextToken: token }) },
			signal,
		);
		names.push(...(page.RuleNames ?? []));
		token = page.NextToken;
	} while (token !== undefined && token !== "");
	return names.map((name) => ({ name, bus }));
}

/** A cluster, or the scheduler's universal target for RunTask. */
function startsTasks(arn: string): boolean {
	const parts = parseArn(arn);
	return (parts?.service === "ecs" && parts.resource.startsWith("cluster/")) || /:aws-sdk:ecs:(run|start)Task$/i.test(arn);
}

function scheduled(
	as: string,
	region: Region,
	target: {
		readonly arn: string | undefined;
		readonly role: string | undefined;
		readonly taskDefinition: string | undefined;
		readonly input: string | undefined;
	},
): Schedules {
	const input = readInput(target.input);
	const universal = /:aws-sdk:/.test(target.arn ?? "");
	return {
		tasks: [
			{
				as,
				region,
				cluster: universal ? (input?.cluster ?? null) : (target.arn ?? null),
				taskDefinition: target.taskDefinition ?? input?.taskDefinition ?? null,
				role: target.role ?? null,
				overrides: input?.overrides ?? [],
			},
		],
		unread: input === undefined ? [`the input of ${as}`] : [],
	};
}

interface ScheduleInput {
	readonly cluster: string | null;
	readonly taskDefinition: string | null;
	readonly overrides: readonly string[];
}

/**
 * Of a target's input only the roles, the cluster and the task definition: the rest may hold secrets. A cluster target's
 * input is the TaskOverride itself, a universal target's the whole RunTask request. Undefined: no JSON.
 */
function readInput(text: string | undefined): ScheduleInput | undefined {
	if (text === undefined || text === "") return { cluster: null, taskDefinition: null, overrides: [] };
	try {
		const request = lowerKeys(JSON.parse(text));
		const override = { ...request, ...lowerKeys(request.overrides) };
		const string = (v: unknown): string | null => (typeof v === "string" ? v : null);
		return {
			cluster: string(request.cluster),
			taskDefinition: string(request.taskdefinition),
			overrides: [override.taskrolearn, override.executionrolearn].filter((v) => typeof v === "string"),
		};
	} catch {
		return undefined;
	}
}

function lowerKeys(value: unknown): Readonly<Record<string, unknown>> {
	if (typeof value !== "object" || value === null) return {};
	return Object.fromEntries(Object.entries(value).map(([k, v]) => [k.toLowerCase(), v]));
}
