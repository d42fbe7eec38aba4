import { serviceFingerprint } from "../model/binding.ts";
import { ConflictError } from "../model/errors.ts";
import type { Region } from "../model/ids.ts";
import type { Clock, Outcome } from "../model/ports.ts";
import type { RestartCall } from "../model/rotation.ts";
import type { Deployment, Existing } from "../model/target.ts";
import { AwsError } from "./errors.ts";
import type { CallAws } from "./operations.ts";
import type { RotationMemory } from "./rotation-memory.ts";

export interface RestartDeps {
	readonly call: CallAws;
	readonly clock: Clock;
	readonly account: string;
	readonly memory: RotationMemory;
}

/**
 * Fargate starts 20 tasks a second in a region, 100 at once, for everybody in the account (aws-facts §4.5): a rotation takes
 * half of the pace and half of the burst, so that a deployment or an autoscaler never waits for it.
 */
const TASKS_A_SECOND = 10;
const TASKS_AT_ONCE = 50;

/** Replaces the tasks of a service; nothing of it changes. */
export async function restartService(
	input: RestartCall["input"],
	precondition: string | null,
	live: Existing<"ecs.service">,
	observe: (signal: AbortSignal) => Promise<Existing<"ecs.service">>,
	deps: RestartDeps,
	signal: AbortSignal,
): Promise<Outcome> {
	const { region, name } = live.target;
	if (serviceFingerprint(live.state) !== precondition)
		throw new ConflictError(`service ${name} has changed since it was planned: plan again`);
	await takeTurn(live.state.desiredCount, `${deps.account}/${region}`, deps, signal);
	const before = primary(live);
	try {
		const { $metadata } = await deps.call("ecs:UpdateService", region as Region, { ...input, forceNewDeployment: true }, signal);
		return { result: "applied", requestId: $metadata.requestId ?? null };
	} catch (error) {
		// The answer may have been lost: a new deployment says that it was taken.
		if (!(error instanceof AwsError)) throw error;
		const now = primary(await observe(signal));
		if (now !== undefined && now.id !== before?.id) return { result: "applied", requestId: null };
		throw error;
	}
}

/** Waits until so many tasks may start. */
async function takeTurn(tasks: number, place: string, { memory, clock }: RestartDeps, signal: AbortSignal): Promise<void> {
	const now = clock.millis();
	const interval = 1000 / TASKS_A_SECOND;
	const arrival = Math.max(memory.launches.get(place) ?? 0, now);
	memory.launches.set(place, arrival + tasks * interval);
	const wait = arrival - now - (TASKS_AT_ONCE - Math.min(tasks, TASKS_AT_ONCE)) * interval;
	if (wait > 0) await clock.sleep(wait, signal);
}

function primary({ state }: Existing<"ecs.service">): Deployment | undefined {
	return state.rollouts?.deployments.find((d) => d.status === "PRIMARY");
}
