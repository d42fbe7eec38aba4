import { kindOf } from "../kinds/registry.ts";
import type { AnyDesired, AnyObserved } from "../model/desired.ts";
import type { Finding } from "../model/finding.ts";
import type { CatalogView, Instance } from "../model/kind.ts";
import type { AccountAccess } from "../model/ports.ts";
import { type Fact, type Facts, type Reference, referenceId } from "../model/reference.ts";
import { type Target, type TargetType, targetId } from "../model/target.ts";

/** One instance with everything that was read for it. */
export interface Gathered {
	readonly instance: Instance;
	readonly desired: readonly AnyDesired[];
	readonly findings: readonly Finding[];
}

export interface GatheredAccount {
	readonly instances: readonly Gathered[];
	readonly facts: Facts;
	/** By targetId. */
	readonly observed: ReadonlyMap<string, AnyObserved>;
}

/** service -> task definition -> secret -> key is the longest chain there is. */
const ROUNDS = 4;
const TARGET_TYPES: readonly TargetType[] = ["iam.role", "ecs.service", "ecs.family"];

/**
 * Reads what the instances of one account need, in as few calls as the ports allow: references in rounds until nothing
 * new appears, then every target of a type at once.
 */
export async function gather(
	instances: readonly Instance[],
	deps: {
		readonly access: AccountAccess;
		readonly view: CatalogView;
		readonly now: string;
	},
	signal: AbortSignal,
): Promise<GatheredAccount> {
	const known = new Map<string, Fact>();
	const facts: Facts = { now: deps.now, get: (ref) => known.get(referenceId(ref)) };
	for (let round = 0; round < ROUNDS; round++) {
		const asked = new Map<string, Reference>();
		for (const i of instances) {
			for (const ref of kindOf(i.resource.kind).references(i, deps.view, facts)) {
				if (!known.has(referenceId(ref))) asked.set(referenceId(ref), ref);
			}
		}
		if (asked.size === 0) break;
		const refs = [...asked.values()];
		const answers = await deps.access.resolve(refs, signal);
		for (const [n, ref] of refs.entries()) known.set(referenceId(ref), answers[n] ?? { type: "unknown", reason: "not answered" });
	}
	const gathered = instances.map((instance): Gathered => {
		const { desired, findings } = kindOf(instance.resource.kind).expand(instance, deps.view, facts);
		return { instance, desired, findings };
	});
	const observed = new Map<string, AnyObserved>();
	const all = gathered.flatMap((g) => g.desired);
	await Promise.all(
		TARGET_TYPES.map(async (type) => {
			const targets = unique(all.filter((d) => d.target.type === type).map((d) => d.target));
			if (targets.length === 0) return;
			for (const o of await deps.access.provider(type).observe(targets as readonly Target<typeof type>[], signal)) {
				observed.set(targetId(o.target), o as AnyObserved);
			}
		}),
	);
	return { instances: gathered, facts, observed };
}

function unique(targets: readonly Target[]): readonly Target[] {
	return [...new Map(targets.map((t) => [targetId(t), t])).values()];
}
