import type { Arn, Region } from "../model/ids.ts";
import type { Fact, Revision, RevisionsReference } from "../model/reference.ts";
import type { PastDeployment } from "../model/target.ts";
import { brief } from "./errors.ts";
import type { CallAws } from "./operations.ts";
import { instantOf } from "./rollouts.ts";
import { revisionParts, type TaskDefinitions, type TaskDefinitionView } from "./task-definition.ts";

/** A revision of ours that was registered and not rolled out is among the newest, or it is made again. */
const REVISIONS_LOOKED_AT = 10;
/** Two rounds of ours and somebody else's are four; DescribeServiceRevisions takes at most twenty. */
const DEPLOYMENTS_LOOKED_AT = 10;

export interface RevisionsDeps {
	readonly call: CallAws;
	readonly taskDefinitions: TaskDefinitions;
}

/** The newest revisions of a family; of a service also what was rolled out to it lately, and what that ran. */
export async function readRevisions(ref: RevisionsReference, deps: RevisionsDeps, signal: AbortSignal): Promise<Fact> {
	const { region, taskDefinition } = ref;
	try {
		const deployments = ref.service === null ? [] : await readDeployments(ref.service, region, deps.call, signal);
		const views = new Map<Arn, TaskDefinitionView>();
		const look = async (arn: string): Promise<void> => {
			const view = views.get(arn) ?? (await deps.taskDefinitions.get(arn, region, signal));
			if (view !== undefined) views.set(view.arn, view);
		};
		const own = revisionParts(taskDefinition);
		const newest = await deps.taskDefinitions.newest(own.family, region, signal);
		if (newest !== undefined) views.set(newest.arn, newest);
		const last = newest === undefined ? own.number : revisionParts(newest.arn).number;
		const first = ref.service === null ? 1 : own.number;
		const numbers = Array.from({ length: REVISIONS_LOOKED_AT }, (_, n) => last - n).filter((n) => n >= first);
		const arns = new Set([
			taskDefinition,
			...numbers.map((n) => `${own.prefix}:${n}`),
			...deployments.map((d) => d.taskDefinition),
		]);
		await Promise.all([...arns].map(look));
		const base = views.get(taskDefinition)?.bound?.base;
		if (base !== undefined) await look(base);
		const found = [...views.values()].sort((a, b) => revisionParts(b.arn).number - revisionParts(a.arn).number);
		const bindings = await deps.taskDefinitions.bindings(found, signal);
		const revisions = found.flatMap((view, n): Revision[] => {
			const binding = bindings[n];
			return binding === undefined ? [] : [{ arn: view.arn, binding, bound: view.bound, registeredBy: view.registeredBy }];
		});
		return { type: "ecs.revisions", revisions, deployments };
	} catch (error) {
		signal.throwIfAborted();
		return { type: "unknown", reason: brief(error) };
	}
}

/** Newest first; kept by ECS for 90 days (ListServiceDeployments). */
export async function readDeployments(
	name: string,
	region: Region,
	call: CallAws,
	signal: AbortSignal,
): Promise<readonly PastDeployment[]> {
	const slash = name.indexOf("/");
	const [cluster, service] = [name.slice(0, slash), name.slice(slash + 1)];
	const input = { cluster, service, maxResults: DEPLOYMENTS_LOOKED_AT };
	const { serviceDeployments = [] } = await call("ecs:ListServiceDeployments", region, input, signal);
	const listed = serviceDeployments
		.toSorted((a, b) => (b.createdAt?.getTime() ?? 0) - (a.createdAt?.getTime() ?? 0))
		.slice(0, DEPLOYMENTS_LOOKED_AT);
	const revisionArns = [...new Set(listed.flatMap((d) => d.targetServiceRevisionArn ?? []))];
	if (revisionArns.length === 0) return [];
	const going = listed.filter((d) => d.status === "IN_PROGRESS").flatMap((d) => d.serviceDeploymentArn ?? []);
	const no: readonly string[] = [];
	const [{ serviceRevisions = [] }, hooked] = await Promise.all([
		call("ecs:DescribeServiceRevisions", region, { serviceRevisionArns: revisionArns }, signal),
		going.length === 0 ? no : pausedOf(going, region, call, signal),
	]);
	const ran = new Map(serviceRevisions.map((r) => [r.serviceRevisionArn, r.taskDefinition]));
	return listed.flatMap((d): PastDeployment[] => {
		const taskDefinition = ran.get(d.targetServiceRevisionArn);
		if (taskDefinition === undefined) return [];
		return [
			{
				taskDefinition,
				status: d.status ?? "PENDING",
				reason: d.statusReason ?? null,
				at: instantOf(d.createdAt),
				paused: d.serviceDeploymentArn !== undefined && hooked.includes(d.serviceDeploymentArn),
			},
		];
	});
}

/** Those that stand at a hook until somebody calls ContinueServiceDeployment (aws-facts §4.5). */
async function pausedOf(
	serviceDeploymentArns: string[],
	region: Region,
	call: CallAws,
	signal: AbortSignal,
): Promise<readonly string[]> {
	const { serviceDeployments = [] } = await call("ecs:DescribeServiceDeployments", region, { serviceDeploymentArns }, signal);
	return serviceDeployments.flatMap((d) =>
		d.lifecycleHookDetails?.some((h) => h.status === "AWAITING_ACTION") === true ? (d.serviceDeploymentArn ?? []) : [],
	);
}
