import { kindOf } from "../kinds/registry.ts";
import { digest } from "../model/digest.ts";
import type { Finding } from "../model/finding.ts";
import type { InstallationSpec } from "../model/generated/specs.ts";
import type { Digest, Instant, ResourceKey } from "../model/ids.ts";
import type { Instance } from "../model/kind.ts";
import type { Artifact } from "../model/resource.ts";
import type { Admission, Admitted } from "./admission.ts";
import type { Catalog } from "./catalog.ts";
import { createReferrers, type Referrers } from "./referrers.ts";
import { isMistake } from "./validate.ts";

/** A revision that was admitted, ready to be planned again and again. */
export interface InForce {
	readonly artifact: Artifact;
	/** Its instances are those that can be planned, and the last good ones of documents that stall. */
	readonly catalog: Catalog;
	readonly summary: Admitted;
	/** By `Kind/name`: present, not planned as they stand now, and why. */
	readonly stalled: ReadonlyMap<ResourceKey, readonly Finding[]>;
	/** Of stalled documents: only what takes away goes on. */
	readonly lastGood: ReadonlySet<ResourceKey>;
	readonly referrers: Referrers;
	readonly spec: InstallationSpec;
	/** What each key asks for, to tell which keys a revision changes. */
	readonly asks: ReadonlyMap<ResourceKey, Digest>;
}

/** Makes an admitted revision the one in force, after `before`. Pure. */
export function bringIntoForce(
	artifact: Artifact,
	catalog: Catalog,
	admitted: Extract<Admission, { admitted: true }>,
	before: InForce | null,
	now: Instant,
): InForce {
	const stalled = new Map<ResourceKey, readonly Finding[]>(admitted.stalled);
	const asks = new Map<ResourceKey, Digest>();
	const sound: Instance[] = [];
	for (const i of catalog.instances) {
		if (stalled.has(i.resource.key)) continue;
		// Not kept: of ten thousand policies what they want is most of the memory, and it is asked again when it is planned.
		const { desired, findings } = kindOf(i.resource.kind).expand(i, catalog.view, { now, get: () => undefined });
		const mistakes = findings.filter(isMistake);
		if (mistakes.length > 0) {
			stalled.set(i.resource.key, mistakes);
			continue;
		}
		sound.push(i);
		asks.set(i.key, digest([i.resource.generation, desired.map((d) => ({ ...d, origin: null }))]));
	}
	// An instance may be sound in one account and not in another; the document stalls as a whole.
	const live = sound.filter((i) => !stalled.has(i.resource.key));
	const liveKeys = new Set(live.map((i) => i.key));
	const kept = (before?.catalog.instances ?? []).filter((i) => stalled.has(i.resource.key));
	const instances = [...live, ...kept];
	return {
		artifact,
		catalog: { ...catalog, instances },
		summary: admitted.summary,
		stalled,
		lastGood: new Set(kept.map((i) => i.key)),
		referrers: createReferrers(catalog.view, instances, now),
		spec: catalog.view.ofKind<InstallationSpec>("Installation")[0]?.spec ?? {},
		asks: new Map([...asks].filter(([key]) => liveKeys.has(key))),
	};
}

/** The keys that must be looked at because `next` is in force instead of `before`: changed, new or gone. */
export function changedKeys(before: InForce, next: InForce): readonly ResourceKey[] {
	const changed = [...next.asks].filter(([key, ask]) => before.asks.get(key) !== ask).map(([key]) => key);
	const there = new Set(next.catalog.instances.map((i) => i.key));
	const gone = [...before.asks.keys()].filter((key) => !there.has(key));
	const guarded = guardsOf(before) === guardsOf(next) ? [] : [...next.asks.keys()];
	return [...new Set([...changed, ...gone, ...guarded])];
}

/** The catalog as the clock sees it now: what has ended since it was read has ended. */
export function catalogAt(inForce: InForce, now: Instant): Catalog {
	const { catalog } = inForce;
	return { ...catalog, view: { ...catalog.view, now } };
}

/** What is said over all, and decides what any key may do. */
function guardsOf({ catalog: { view } }: InForce): Digest {
	const said = ["Installation", "Account", "Guardrail", "Approval"].flatMap((kind) => view.ofKind(kind));
	return digest(said.map((r) => [r.key, r.generation]));
}
