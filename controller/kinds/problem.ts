import type { Finding } from "../model/finding.ts";
import type { ResourceKey } from "../model/ids.ts";
import type { Origin } from "../model/resource.ts";

/** An error, with a place and what to do. */
export function problem(id: string, message: string, origin: Origin | null, fix?: string, key?: ResourceKey | null): Finding {
	return {
		id,
		severity: "error",
		message,
		origin,
		...(fix === undefined ? {} : { fix }),
		...(key === undefined || key === null ? {} : { key }),
	};
}

export function warning(id: string, message: string, origin: Origin | null, fix?: string, key?: ResourceKey | null): Finding {
	return { ...problem(id, message, origin, fix, key), severity: "warning" };
}
