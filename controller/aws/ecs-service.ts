import type { Service } from "@aws-sdk/client-ecs";
import { serviceFingerprint } from "../model/binding.ts";
import type { Region } from "../model/ids.ts";
import type { Provider } from "../model/ports.ts";
import type { Binding, Observed, ServiceState, Target } from "../model/target.ts";
import type { BindingWriter } from "./binding-write.ts";
import { awsCode } from "./errors.ts";
import type { CallAws } from "./operations.ts";
import { rolloutsOf } from "./rollouts.ts";
import type { TaskDefinitions, TaskDefinitionView } from "./task-definition.ts";

/** DescribeServices takes at most ten (aws-facts §4.5). */
const SERVICES_A_CALL = 10;

export interface EcsServiceDeps {
	readonly call: CallAws;
	readonly taskDefinitions: TaskDefinitions;
	readonly bind: BindingWriter;
	/** Services read so far in this pass. */
	readonly read: (services: number) => void;
}

/** What AWS says of one service: there, not there, or why it cannot be known. */
export type Described = { readonly service: Service } | "missing" | { readonly failure: string };

export function createEcsServiceProvider(deps: EcsServiceDeps): Provider<"ecs.service"> {
	return {
		type: "ecs.service",
		observe: async (targets, signal) => {
			const described = await Promise.all(
				groups(targets).map(async (group) => ({
					group,
					services: await describeServices(
						deps.call,
						group.region,
						group.cluster,
						group.members.map((m) => m.service),
						signal,
					),
				})),
			);
			const at = new Map<Target, Described>();
			for (const { group, services } of described) {
				group.members.forEach((m, n) => {
					at.set(m.target, services[n] ?? "missing");
				});
			}
			deps.read(targets.length);
			const views = await Promise.all(
				targets.map((t) => {
					const d = at.get(t);
					const name = d === undefined || d === "missing" || "failure" in d ? undefined : runsTaskDefinition(d.service);
					return name === undefined ? undefined : deps.taskDefinitions.get(name, t.region, signal);
				}),
			);
			const bindings = await deps.taskDefinitions.bindings(views, signal);
			return targets.map((target, n) => observed(target, at.get(target) ?? "missing", views[n], bindings[n] ?? NOTHING));
		},
		apply: (step, signal) => deps.bind.service(step, signal),
		// Services carry no marks: nothing of them is ours.
		listOwned: async function* () {},
	};
}

const NOTHING: Binding = { taskRole: null, executionRole: null, secrets: {} };

/** Any number of services of one cluster, in the order asked. */
export async function describeServices(
	call: CallAws,
	region: Region,
	cluster: string,
	names: readonly string[],
	signal: AbortSignal,
): Promise<readonly Described[]> {
	const chunks = Array.from({ length: Math.ceil(names.length / SERVICES_A_CALL) }, (_, n) =>
		names.slice(n * SERVICES_A_CALL, (n + 1) * SERVICES_A_CALL),
	);
	const answers = await Promise.all(
		chunks.map(async (services): Promise<readonly Described[]> => {
			try {
				const input = { cluster, services: [...services], include: ["TAGS" as const] };
				const answer = await call("ecs:DescribeServices", region, input, signal);
				const found = new Map((answer.services ?? []).flatMap((s) => [[s.serviceName, s] as const, [s.serviceArn, s] as const]));
				const failures = new Map((answer.failures ?? []).map((f) => [f.arn?.replace(/^.*\//, ""), f.reason ?? "unknown"]));
				return services.map((name): Described => {
					const service = found.get(name);
					// A deleted service is described as INACTIVE for a while.
					if (service !== undefined) return service.status === "INACTIVE" ? "missing" : { service };
					const reason = failures.get(name.replace(/^.*\//, ""));
					return reason === undefined || reason === "MISSING" ? "missing" : { failure: reason };
				});
			} catch (error) {
				if (awsCode(error) === "ClusterNotFound") return services.map(() => "missing");
				throw error;
			}
		}),
	);
	return answers.flat();
}

/** Under CODE_DEPLOY and EXTERNAL it is the primary task set that says what runs (aws-facts §4.5). */
export function runsTaskDefinition(service: Service): string | undefined {
	const primarySet = service.taskSets?.find((t) => t.status === "PRIMARY")?.taskDefinition;
	const primaryDeployment = service.deployments?.find((d) => d.status === "PRIMARY")?.taskDefinition;
	return primarySet ?? service.taskDefinition ?? primaryDeployment;
}

function observed(
	target: Target<"ecs.service">,
	described: Described,
	view: TaskDefinitionView | undefined,
	binding: Binding,
): Observed<"ecs.service"> {
	if (described === "missing") return { target, exists: false };
	const service: Service = "failure" in described ? {} : described.service;
	const taskDefinition = view?.arn ?? runsTaskDefinition(service) ?? "";
	const type = service.deploymentController?.type;
	const state: ServiceState = {
		...binding,
		taskDefinition,
		controller: type === "CODE_DEPLOY" || type === "EXTERNAL" ? type : "ECS",
		express: service.resourceManagementType === "ECS",
		desiredCount: service.desiredCount ?? 0,
		runningCount: service.runningCount ?? 0,
		plaintext: view?.plaintext ?? [],
		containers: view?.containers ?? [],
		bound: view?.bound ?? null,
		rollouts: rolloutsOf(service),
	};
	return {
		target,
		exists: true,
		arn: service.serviceArn ?? "",
		state,
		fingerprint: serviceFingerprint(state),
		owner: null,
		holdUntil: null,
		lastUsed: null,
		...("failure" in described && { unreadable: `service ${target.name} cannot be read: ${described.failure}` }),
		...(!("failure" in described) &&
			view === undefined && { unreadable: `task definition ${taskDefinition} of service ${target.name} cannot be read` }),
	};
}

interface Group {
	readonly region: Region;
	readonly cluster: string;
	readonly members: { readonly target: Target<"ecs.service">; readonly service: string }[];
}

function groups(targets: readonly Target<"ecs.service">[]): readonly Group[] {
	const all = new Map<string, Group>();
	for (const target of targets) {
		const slash = target.name.indexOf("/");
		const cluster = target.name.slice(0, slash);
		const key = `${target.region}/${cluster}`;
		const group = all.get(key) ?? { region: target.region, cluster, members: [] };
		group.members.push({ target, service: target.name.slice(slash + 1) });
		all.set(key, group);
	}
	return [...all.values()];
}
