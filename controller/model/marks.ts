import type { Instant, Tags } from "./ids.ts";
import type { Owner } from "./target.ts";

/** Tag keys of ours (ARCHITECTURE.md, Ownership). Role tag keys are case-insensitive in IAM (aws-facts §2). */
const MARK_PREFIX = "ecs-access.dev/";
export const MARK = {
	installation: `${MARK_PREFIX}installation`,
	owner: `${MARK_PREFIX}owner`,
	source: `${MARK_PREFIX}source`,
	deletion: `${MARK_PREFIX}deletion`,
	adopted: `${MARK_PREFIX}adopted`,
	retiredAt: `${MARK_PREFIX}retired-at`,
	holdUntil: `${MARK_PREFIX}hold-until`,
	/** Of a task definition: what it was made for, and of which (model/binding.ts). */
	binding: `${MARK_PREFIX}binding`,
	bindingBase: `${MARK_PREFIX}binding-base`,
} as const;

/** What removing our marks removes; a hold belongs to the responder who set it. */
export const OWNERSHIP_KEYS: readonly string[] = [
	MARK.installation,
	MARK.owner,
	MARK.source,
	MARK.deletion,
	MARK.adopted,
	MARK.retiredAt,
];

export function isMark(key: string): boolean {
	return key.toLowerCase().startsWith(MARK_PREFIX);
}

/** Null when the installation mark is missing: then nobody of ours owns it. */
export function ownerOf(tags: Tags): Owner | null {
	const get = tagReader(tags);
	const installation = get(MARK.installation);
	if (installation === undefined) return null;
	return {
		installation,
		owner: get(MARK.owner) ?? "",
		source: get(MARK.source) ?? "",
		deletion: get(MARK.deletion) ?? "orphan",
		adopted: get(MARK.adopted) === "true",
		retiredAt: get(MARK.retiredAt) ?? null,
	};
}

export function holdOf(tags: Tags): Instant | null {
	return tagReader(tags)(MARK.holdUntil) ?? null;
}

function tagReader(tags: Tags): (key: string) => string | undefined {
	const lower = new Map(Object.entries(tags).map(([k, v]) => [k.toLowerCase(), v]));
	return (key) => lower.get(key);
}
