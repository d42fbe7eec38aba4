import type { Store } from "../model/ports.ts";
import type { HistoryEntry } from "../model/status.ts";

/** A store that tells of each entry once it stands in the history: for metrics and announcements. */
export function watchHistory(store: Store, tell: (entries: readonly HistoryEntry[]) => void): Store {
	return {
		...store,
		append: async (entries) => {
			await store.append(entries);
			tell(entries);
		},
	};
}
