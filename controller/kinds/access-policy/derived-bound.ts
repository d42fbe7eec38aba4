import { contains, glob } from "../../policy/glob.ts";
import type { Need } from "./derived-needs.ts";

/** How far git lets a derived role go (KINDS.md, Derived execution role). */
export interface Bound {
	/** What git names itself: secrets, parameters, and whole ARNs of keys. */
	readonly declared: readonly Need[];
	/** ARN patterns of what may be asked for beyond that. */
	readonly allow: readonly string[];
}

const SUFFIX = /-(?:[A-Za-z0-9]{6}|\?{6})$/;

/** Git names it itself, whichever of the two leaves out the six characters that Secrets Manager appends. */
export function isDeclared({ declared }: Bound, n: Need): boolean {
	return declared.some(
		(d) =>
			d.type === n.type &&
			(contains(glob(d.resource, false), glob(n.resource, false)) ||
				(n.resource.endsWith("-??????") && d.resource.replace(SUFFIX, "") === n.resource.replace(SUFFIX, ""))),
	);
}

/**
 * Images and log groups are bounded by nothing but their shape, since they hold no secret; a key is of use only through a
 * secret that is granted. For the rest all of it must lie within what git says.
 */
export function isAllowed(bound: Bound, n: Need): boolean {
	if (n.type !== "secret" && n.type !== "parameter" && n.type !== "file") return true;
	const resource = glob(n.resource, false);
	return bound.allow.some(
		(pattern) =>
			contains(glob(pattern, false), resource) || (n.type === "secret" && contains(glob(`${pattern}-??????`, false), resource)),
	);
}
