import { serviceFingerprint } from "../model/binding.ts";
import type { Provider } from "../model/ports.ts";
import type { BindingWriter } from "./binding-write.ts";
import type { TaskDefinitions } from "./task-definition.ts";

/** Families by their newest ACTIVE revision, one call each: which revision that is may change at any time. */
export function createEcsFamilyProvider(deps: {
	readonly taskDefinitions: TaskDefinitions;
	readonly bind: BindingWriter;
}): Provider<"ecs.family"> {
	return {
		type: "ecs.family",
		observe: async (targets, signal) => {
			const views = await Promise.all(targets.map((t) => deps.taskDefinitions.newest(t.name, t.region, signal)));
			const bindings = await deps.taskDefinitions.bindings(views, signal);
			return targets.map((target, n) => {
				const view = views[n];
				const binding = bindings[n];
				if (view === undefined || binding === undefined) return { target, exists: false };
				return {
					target,
					exists: true,
					arn: view.arn,
					state: {
						...binding,
						taskDefinition: view.arn,
						plaintext: view.plaintext,
						containers: view.containers,
						bound: view.bound,
					},
					fingerprint: serviceFingerprint({ taskDefinition: view.arn, ...binding }),
					owner: null,
					holdUntil: null,
					lastUsed: null,
				};
			});
		},
		apply: (step, signal) => deps.bind.family(step, signal),
		// Families carry no marks: nothing of them is ours.
		listOwned: async function* () {},
	};
}
