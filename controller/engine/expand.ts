import { kindOf } from "../kinds/registry.ts";
import type { CatalogView, Expansion, Instance } from "../model/kind.ts";
import type { Facts } from "../model/reference.ts";

/**
 * What one instance wants. Pure as the kind's own `expand`; where that asks for no fact, its answer is the same before AWS
 * was read and after, so that it is made once a catalog.
 */
export function expandInstance(instance: Instance, view: CatalogView, facts: Facts): Expansion {
	const made = alone.get(view) ?? new WeakMap<Instance, Alone>();
	alone.set(view, made);
	const known = made.get(instance);
	if (known !== undefined && known.now === facts.now) return known.expansion;
	let asked = false;
	const watched: Facts = {
		now: facts.now,
		get: (ref) => {
			asked = true;
			return facts.get(ref);
		},
		used: (key) => {
			asked = true;
			return facts.used?.(key);
		},
	};
	const expansion = kindOf(instance.resource.kind).expand(instance, view, watched);
	if (!asked) made.set(instance, { now: facts.now, expansion });
	return expansion;
}

interface Alone {
	readonly now: Facts["now"];
	readonly expansion: Expansion;
}

/** By view, so that it ends with it: a controller makes one for each pass. */
const alone = new WeakMap<CatalogView, WeakMap<Instance, Alone>>();
