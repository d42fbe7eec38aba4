import type { Arn, Instant, Region } from "../model/ids.ts";
import type { Provider } from "../model/ports.ts";
import type { Fact } from "../model/reference.ts";
import type { ConsumerService, ConsumersReference, ConsumerTask, SecretUse } from "../model/rotation.ts";
import { sameSecret } from "../model/secret-ref.ts";
import type { Observed, ServiceState, Target } from "../model/target.ts";
import { parseArn } from "./arn.ts";
import { brief } from "./errors.ts";
import { readRule } from "./listener-rule.ts";
import { readDeployments } from "./revisions.ts";
import { instantOf } from "./rollouts.ts";
import { familiesOf, refsOf, type SecretUsersDeps, usersIn, usesOf } from "./secret-users.ts";

export interface ConsumersDeps extends SecretUsersDeps {
	readonly services: () => Provider<"ecs.service">;
}

/** Who uses a secret, and, while they are rolled, with which tasks. What cannot be read is listed, not thrown. */
export async function readConsumers(ref: ConsumersReference, deps: ConsumersDeps, signal: AbortSignal): Promise<Fact> {
	try {
		const unread: string[] = [];
		const sweeps = await Promise.all(ref.regions.map(async (region) => ({ region, users: await usersIn(region, deps, signal) })));
		const targets = new Map<string, Target<"ecs.service">>();
		const add = (region: Region, name: string): void =>
			void targets.set(`${region}/${name}`, { type: "ecs.service", account: ref.account, region, name });
		for (const { region, users } of sweeps) {
			unread.push(...users.unread);
			const task = { region, account: ref.account };
			if (ref.auto) for (const s of users.services) if (usesOf(s.refs, ref.secret, task).length > 0) add(region, s.name);
		}
		const home = parseArn(ref.secret)?.region ?? ref.regions[0] ?? "";
		for (const c of ref.named) if ("service" in c) add(home, `${c.cluster}/${c.service}`);
		const observed = await deps.services().observe([...targets.values()], signal);
		const services = await Promise.all(observed.map((o) => serviceOf(o, ref, deps, unread, signal)));
		const families = sweeps.flatMap(({ region, users }) => familiesOf(users, ref.secret, { region, account: ref.account }));
		const rules = await Promise.all(
			ref.named.flatMap((c) => ("listenerRule" in c ? [readRule(c.listenerRule, deps.call, signal)] : [])),
		);
		return { type: "secret.consumers", consumers: { services: services.flat(), families, rules, unread } };
	} catch (error) {
		signal.throwIfAborted();
		return { type: "unknown", reason: brief(error) };
	}
}

async function serviceOf(
	o: Observed<"ecs.service">,
	ref: ConsumersReference,
	deps: ConsumersDeps,
	unread: string[],
	signal: AbortSignal,
): Promise<readonly ConsumerService[]> {
	const { target } = o;
	const isNamed = ref.named.some((c) => "service" in c && `${c.cluster}/${c.service}` === target.name);
	// One that was found and is gone since uses nothing any more.
	if (!o.exists) return isNamed ? [{ target, uses: [], state: null, tasks: null, past: null, awaits: [] }] : [];
	if (o.unreadable !== undefined) {
		unread.push(o.unreadable);
		return [];
	}
	const { state } = o;
	const view = await deps.taskDefinitions.get(state.taskDefinition, target.region, signal);
	const refs = view === undefined ? [] : refsOf(view);
	const task = { region: target.region, account: target.account };
	const uses: readonly SecretUse[] = usesOf(refs, ref.secret, task);
	const awaits = [...deps.memory.moving].filter((arn) => arn !== ref.secret && refs.some((r) => sameSecret(arn, r.ref, task)));
	const { since } = ref;
	const [tasks, past] =
		since === null
			? [null, null]
			: await Promise.all([tasksOf(o.arn, target, state, deps, signal), pastOf(target, state, since, deps, signal)]);
	return [{ target, uses, state, tasks, past, awaits }];
}

/** A service at rest is listed once in so long; one whose deployments or counts move, each time. */
const AT_REST_MS = 60_000;
/** DescribeTasks takes 100 (aws-facts §4.5). */
const TASKS_A_CALL = 100;

async function tasksOf(
	arn: Arn,
	target: Target<"ecs.service">,
	state: ServiceState,
	{ call, clock, memory }: ConsumersDeps,
	signal: AbortSignal,
): Promise<readonly ConsumerTask[]> {
	const deployments = state.rollouts?.deployments.map((d) => [d.id, d.status, d.rollout, d.running, d.pending, d.failed]);
	const signature = JSON.stringify([state.desiredCount, state.runningCount, deployments]);
	const known = memory.tasks.get(arn);
	const rests = state.rollouts?.deployments.every((d) => d.rollout === "COMPLETED") === true;
	if (known?.signature === signature && rests && clock.millis() - known.at < AT_REST_MS) return known.tasks;
	const slash = target.name.indexOf("/");
	const [cluster, serviceName] = [target.name.slice(0, slash), target.name.slice(slash + 1)];
	const found: ConsumerTask[] = [];
	let token: string | undefined;
	do {
		const input = {
			cluster,
			serviceName,
			desiredStatus: "RUNNING" as const,
			maxResults: TASKS_A_CALL,
			...(token && { nextToken: token }),
		};
		const page = await call("ecs:ListTasks", target.region, input, signal);
		const arns = page.taskArns ?? [];
		if (arns.length > 0) {
			const { tasks = [] } = await call("ecs:DescribeTasks", target.region, { cluster, tasks: arns }, signal);
			for (const t of tasks)
				found.push({
					arn: t.taskArn ?? "",
					createdAt: instantOf(t.createdAt),
					status: t.lastStatus ?? "",
					taskDefinition: t.taskDefinitionArn ?? "",
				});
		}
		token = page.nextToken;
	} while (token !== undefined && token !== "");
	memory.tasks.set(arn, { at: clock.millis(), signature, tasks: found });
	return found;
}

/** Where nothing moved since, nothing was rolled out. */
async function pastOf(
	target: Target<"ecs.service">,
	state: ServiceState,
	since: Instant,
	{ call }: ConsumersDeps,
	signal: AbortSignal,
): Promise<ConsumerService["past"]> {
	const moved = state.rollouts?.deployments.some((d) => d.updatedAt >= since || d.createdAt >= since) === true;
	return moved ? readDeployments(target.name, target.region, call, signal) : [];
}
