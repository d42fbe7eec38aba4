import type { Service } from "@aws-sdk/client-ecs";
import type { Arn } from "../model/ids.ts";
import type { Fact, RevisionNeeds, WorkloadReference } from "../model/reference.ts";
import { type Described, describeServices, runsTaskDefinition } from "./ecs-service.ts";
import { brief } from "./errors.ts";
import type { CallAws } from "./operations.ts";
import { familyOf, type TaskDefinitions, type TaskDefinitionView } from "./task-definition.ts";

export interface WorkloadNeedsDeps {
	readonly call: CallAws;
	readonly taskDefinitions: TaskDefinitions;
}

/**
 * What services and families need of their execution role, in the order asked: of a service by the newest ACTIVE revision
 * of its family, each that is being deployed, and the last that was deployed completely, to which ECS goes back (KINDS.md,
 * Derived execution role); of a family by the newest.
 */
export async function readWorkloads(
	refs: readonly WorkloadReference[],
	deps: WorkloadNeedsDeps,
	signal: AbortSignal,
): Promise<readonly Fact[]> {
	const services = refs.filter((r) => r.workload === "service");
	const described = await describeAll(services, deps.call, signal);
	return Promise.all(
		refs.map(async (ref): Promise<Fact> => {
			try {
				return ref.workload === "family"
					? factOf([await deps.taskDefinitions.newest(ref.name, ref.region, signal)])
					: await serviceFact(ref, described.get(ref) ?? "missing", deps, signal);
			} catch (error) {
				signal.throwIfAborted();
				return { type: "unknown", reason: brief(error) };
			}
		}),
	);
}

/** Ten services of one cluster a call; why a cluster's cannot be read stands at each of its services. */
async function describeAll(
	refs: readonly WorkloadReference[],
	call: CallAws,
	signal: AbortSignal,
): Promise<ReadonlyMap<WorkloadReference, Described>> {
	const clusters = Map.groupBy(refs, (r) => `${r.region} ${r.name.slice(0, r.name.indexOf("/"))}`);
	const answers = await Promise.all(
		[...clusters].map(async ([place, members]) => {
			const [region = "", cluster = ""] = place.split(" ");
			const names = members.map((m) => m.name.slice(m.name.indexOf("/") + 1));
			const found = await describeServices(call, region, cluster, names, signal).catch((error: unknown): Described[] => {
				signal.throwIfAborted();
				return names.map(() => ({ failure: brief(error) }));
			});
			return members.map((m, n): [WorkloadReference, Described] => [m, found[n] ?? "missing"]);
		}),
	);
	return new Map(answers.flat());
}

async function serviceFact(
	ref: WorkloadReference,
	described: Described,
	deps: WorkloadNeedsDeps,
	signal: AbortSignal,
): Promise<Fact> {
	if (described === "missing") return { type: "absent" };
	if ("failure" in described) return { type: "unknown", reason: described.failure };
	const { service } = described;
	const runs = runsTaskDefinition(service);
	if (runs === undefined) return { type: "unknown", reason: `service ${ref.name} runs no task definition` };
	const active = [...(service.deployments ?? []), ...(service.taskSets ?? [])].flatMap((d) => d.taskDefinition ?? []);
	const { taskDefinitions } = deps;
	const arns = new Set([runs, ...active, ...(await lastCompleted(ref, service, deps.call, signal))]);
	const [newest, ...others] = await Promise.all([
		taskDefinitions.newest(familyOf(runs), ref.region, signal),
		...[...arns].map((arn) => taskDefinitions.get(arn, ref.region, signal)),
	]);
	const missing = [...arns].find((_, n) => others[n] === undefined);
	if (missing !== undefined) return { type: "unknown", reason: `task definition ${missing} cannot be read` };
	return factOf([newest, ...others]);
}

/** What ECS goes back to; nothing is asked where what runs is that itself. */
async function lastCompleted(
	ref: WorkloadReference,
	service: Service,
	call: CallAws,
	signal: AbortSignal,
): Promise<readonly Arn[]> {
	const primary = service.deployments?.find((d) => d.status === "PRIMARY");
	if (primary === undefined || primary.rolloutState === "COMPLETED") return [];
	const slash = ref.name.indexOf("/");
	const { serviceDeployments = [] } = await call(
		"ecs:ListServiceDeployments",
		ref.region,
		{ cluster: ref.name.slice(0, slash), service: ref.name.slice(slash + 1), status: ["SUCCESSFUL"], maxResults: 10 },
		signal,
	);
	const last = serviceDeployments.toSorted((a, b) => (b.createdAt?.getTime() ?? 0) - (a.createdAt?.getTime() ?? 0))[0];
	const target = last?.targetServiceRevisionArn;
	if (target === undefined) return [];
	const { serviceRevisions = [] } = await call(
		"ecs:DescribeServiceRevisions",
		ref.region,
		{ serviceRevisionArns: [target] },
		signal,
	);
	return serviceRevisions.flatMap((r) => r.taskDefinition ?? []);
}

function factOf(views: readonly (TaskDefinitionView | undefined)[]): Fact {
	const revisions = new Map(views.flatMap((v) => (v === undefined ? [] : [[v.arn, needsOf(v)] as const])));
	return revisions.size === 0 ? { type: "absent" } : { type: "ecs.workload", revisions: [...revisions.values()] };
}

function needsOf({ arn, images, logs, files, secrets, otherSecrets }: TaskDefinitionView): RevisionNeeds {
	return { arn, images, logs, files, secrets: [...new Set([...Object.values(secrets), ...otherSecrets.map((s) => s.ref)])] };
}
