import type { Kind } from "../model/kind.ts";

/** A kind that owns nothing in AWS: it is checked, and others look at it. */
export function inertKind<S>(kind: Pick<Kind<S>, "kind" | "plural" | "platform" | "check">): Kind<S> {
	return { ...kind, instances: () => [], references: () => [], expand: () => ({ desired: [], findings: [] }) };
}
