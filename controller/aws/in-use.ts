import type { Region } from "../model/ids.ts";
import type { Clock, InUse } from "../model/ports.ts";
import { lastSegment } from "./arn.ts";
import { describeServices } from "./ecs-service.ts";
import { brief } from "./errors.ts";
import type { CallAws } from "./operations.ts";
import { listClusters, type Schedules } from "./schedules.ts";
import { familyOf, type TaskDefinitions } from "./task-definition.ts";

export interface InUseDeps {
	readonly call: CallAws;
	readonly clock: Clock;
	readonly taskDefinitions: TaskDefinitions;
	readonly schedules: (region: Region, signal: AbortSignal) => Promise<Schedules>;
	readonly regions: readonly Region[];
}

/** One look serves the deletions of one moment: as fresh as any read immediately before a write. */
const FRESH_MS = 5_000;
const TASKS_A_CALL = 100;

/**
 * Who still names a role, in the account's regions: services (whatever their desired count, every deployment and task
 * set), the newest ACTIVE revision of each family, running tasks and their overrides, schedules and rules (KINDS.md,
 * Deletion). Whatever cannot be looked at is `unread`, and counts as in use.
 */
export function createInUse(deps: InUseDeps): (roleName: string, signal: AbortSignal) => Promise<InUse> {
	let latest: { readonly startedAt: number; readonly usage: Promise<Usage> } | undefined;
	return async (roleName, signal) => {
		if (latest === undefined || deps.clock.millis() - latest.startedAt >= FRESH_MS) {
			latest = { startedAt: deps.clock.millis(), usage: readUsage(deps, signal) };
		}
		const { usage } = latest;
		usage.catch(() => {
			latest = undefined;
		});
		const { users, unread } = await usage;
		return { by: [...(users.get(roleName.toLowerCase()) ?? [])].sort(), unread: [...unread].sort() };
	};
}

interface Usage {
	/** By role name in lower case. */
	readonly users: Map<string, Set<string>>;
	readonly unread: Set<string>;
}

async function readUsage(deps: InUseDeps, signal: AbortSignal): Promise<Usage> {
	const usage: Usage = { users: new Map(), unread: new Set() };
	await Promise.all(deps.regions.map((region) => readRegion(region, usage, deps, signal)));
	return usage;
}

async function readRegion(region: Region, usage: Usage, deps: InUseDeps, signal: AbortSignal): Promise<void> {
	const { call } = deps;
	const names = (who: string, roles: readonly (string | null | undefined)[]): void => {
		for (const role of roles) {
			if (role == null || role === "") continue;
			const key = lastSegment(role).toLowerCase();
			usage.users.set(key, (usage.users.get(key) ?? new Set()).add(who));
		}
	};
	const look = async (what: string, read: () => Promise<void>): Promise<void> => {
		try {
			await read();
		} catch (error) {
			signal.throwIfAborted();
			usage.unread.add(`${what} (${brief(error)})`);
		}
	};
	const taskDefinition = (who: string, name: string): Promise<void> =>
		look(`task definition ${lastSegment(name)} of ${who}`, async () => {
			const view = /:\d+$/.test(name)
				? await deps.taskDefinitions.get(name, region, signal)
				: await deps.taskDefinitions.newest(familyOf(name), region, signal);
			if (view === undefined) usage.unread.add(`task definition ${lastSegment(name)} of ${who} (it cannot be described)`);
			else names(who, [view.taskRole, view.executionRole]);
		});

	const cluster = (arn: string): Promise<unknown> =>
		Promise.all([
			look(`services of ${lastSegment(arn)}`, async () => {
				const services = await describeServices(call, region, arn, await listServices(call, region, arn, signal), signal);
				await Promise.all(
					services.map(async (s) => {
						if (s === "missing") return;
						if ("failure" in s) {
							usage.unread.add(`a service of ${lastSegment(arn)} (${s.failure})`);
							return;
						}
						const { service } = s;
						const runs = [service, ...(service.deployments ?? []), ...(service.taskSets ?? [])].map((d) => d.taskDefinition);
						const who = `service ${lastSegment(arn)}/${service.serviceName ?? ""}`;
						await Promise.all([...new Set(runs)].map((td) => td && taskDefinition(who, td)));
					}),
				);
			}),
			look(`running tasks of ${lastSegment(arn)}`, () => runningTasks(arn)),
		]);

	const runningTasks = async (arn: string): Promise<void> => {
		let token: string | undefined;
		do {
			const page = await call(
				"ecs:ListTasks",
				region,
				{ cluster: arn, maxResults: TASKS_A_CALL, ...(token && { nextToken: token }) },
				signal,
			);
			const tasks = [...(page.taskArns ?? [])];
			if (tasks.length > 0) {
				const answer = await call("ecs:DescribeTasks", region, { cluster: arn, tasks }, signal);
				for (const task of answer.tasks ?? []) {
					const who = `running task ${lastSegment(arn)}/${lastSegment(task.taskArn ?? "")}`;
					names(who, [task.overrides?.taskRoleArn, task.overrides?.executionRoleArn]);
					if (task.taskDefinitionArn !== undefined) await taskDefinition(who, task.taskDefinitionArn);
				}
				// A task that ended between the two calls is no user; any other failure is not known.
				for (const f of answer.failures ?? [])
					if (f.reason !== "MISSING") usage.unread.add(`task ${f.arn ?? ""} (${f.reason ?? ""})`);
			}
			token = page.nextToken;
		} while (token !== undefined && token !== "");
	};

	const families = async (): Promise<void> => {
		let token: string | undefined;
		do {
			const page = await call(
				"ecs:ListTaskDefinitionFamilies",
				region,
				{ status: "ACTIVE", maxResults: 100, ...(token && { nextToken: token }) },
				signal,
			);
			await Promise.all((page.families ?? []).map((family) => taskDefinition(`task family ${family}`, family)));
			token = page.nextToken;
		} while (token !== undefined && token !== "");
	};

	await Promise.all([
		look(`clusters of ${region}`, async () => {
			await Promise.all((await listClusters(call, region, signal)).map(cluster));
		}),
		look(`task families of ${region}`, families),
		deps.schedules(region, signal).then(async ({ tasks, unread }) => {
			for (const u of unread) usage.unread.add(u);
			await Promise.all(
				tasks.map(async (t) => {
					names(t.as, [t.role, ...t.overrides]);
					if (t.taskDefinition !== null) await taskDefinition(t.as, t.taskDefinition);
				}),
			);
		}),
	]);
}

export async function listServices(
	call: CallAws,
	region: Region,
	cluster: string,
	signal: AbortSignal,
): Promise<readonly string[]> {
	const arns: string[] = [];
	let token: string | undefined;
	do {
		const page = await call("ecs:ListServices", region, { cluster, maxResults: 100, ...(token && { nextToken: token }) }, signal);
		arns.push(...(page.serviceArns ?? []));
		token = page.nextToken;
	} while (token !== undefined && token !== "");
	return arns;
}
