import type { AnyDesired, AnyObserved } from "../../model/desired.ts";
import { isRotation } from "../../model/desired.ts";
import type { Instant, ResourceKey } from "../../model/ids.ts";
import type { Reference } from "../../model/reference.ts";
import type { ConsumersReference } from "../../model/rotation.ts";
import type { Asks } from "../../model/rotation-ask.ts";
import { markOf, type RotationMark } from "../../model/rotation-marks.ts";
import { type Existing, targetId } from "../../model/target.ts";
import { causeOf, type Glance, sightOf } from "./sight.ts";

type Rotation = Extract<AnyDesired, { target: { type: "secretsmanager.secret" } }>;

/**
 * Who uses a secret, where that must be known: closely while it moves, and at all where a person looks at the plan. A
 * rotation that rests asks nothing, so that a thousand of them cost a resync one call each.
 */
export function rotationReferences(
	instances: readonly { readonly instance: { readonly key: ResourceKey }; readonly desired: readonly AnyDesired[] }[],
	observed: ReadonlyMap<string, AnyObserved>,
	by: {
		readonly installation: string;
		readonly now: Instant;
		readonly asked: Asks;
		readonly shown: boolean;
	},
): readonly Reference[] {
	return instances.flatMap(({ instance: { key }, desired }) =>
		desired.filter(isRotation).flatMap((d): readonly Reference[] => {
			const secret = observed.get(targetId(d.target));
			if (secret?.exists !== true || secret.unreadable !== undefined) return [];
			const ask = by.asked.get(key) ?? null;
			const moves = isMoving(d, secret as Existing<"secretsmanager.secret">, { ...by, key, ask });
			return moves || by.shown ? [consumersReference(d, secret as Existing<"secretsmanager.secret">)] : [];
		}),
	);
}

function isMoving(d: Rotation, secret: Existing<"secretsmanager.secret">, glance: Glance): boolean {
	const s = sightOf(d, secret, glance, { consumers: null, unread: null });
	return s.id !== null || causeOf(s) !== null;
}

/** `since`: the last move of the label that the consumers have to follow. */
export function consumersReference(d: Rotation, { arn, state }: Existing<"secretsmanager.secret">): ConsumersReference {
	const { regions, consumers } = d.wanted;
	const mark = (m: RotationMark): string | null => markOf(state.tags, m);
	const id = mark("id");
	const since =
		id === null || mark("verified") !== null
			? null
			: (mark("reverted") ?? (mark("promotedVersion") === id ? mark("promotedAt") : null));
	return { type: "secret.consumers", account: d.target.account, secret: arn, regions, ...consumers, since };
}
