import type { PutEventsRequestEntry, PutEventsResultEntry } from "@aws-sdk/client-eventbridge";
import type { Announcement } from "../model/announcement.ts";
import type { Region } from "../model/ids.ts";
import type { Announced, Announcer } from "../model/ports.ts";
import { OWN_SOURCE } from "../model/triggers.ts";
import type { CallAws } from "./operations.ts";

/** PutEvents: ten entries, and 256 KB with all their fields, https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-putevents.html */
const ENTRIES = 10;
const BYTES = 256 * 1024;
/** EventBridge's own trouble; what it says otherwise it will say again. */
const PASSING = new Set(["InternalFailure", "InternalException", "ThrottlingException", "ServiceUnavailable"]);

/** Puts announcements on a bus of the account of the credentials, as events with the source `ecs-access`. */
export function createAnnouncer(deps: { readonly call: CallAws; readonly bus: string; readonly region: Region }): Announcer {
	const { call, bus, region } = deps;
	return {
		announce: async (announcements, signal) => {
			const results: Announced[] = [];
			for (const batch of batches(announcements.map((a) => entryOf(a, bus)))) {
				const [only] = batch;
				if (batch.length === 1 && only !== undefined && sizeOf(only) > BYTES) {
					results.push({ result: "refused", why: `it is larger than ${BYTES} bytes` });
					continue;
				}
				try {
					const { Entries = [] } = await call("events:PutEvents", region, { Entries: batch }, signal);
					results.push(...batch.map((_, n) => resultOf(Entries[n])));
				} catch (error) {
					// What went before is on its way: of a batch that failed alone it is said that it must come again.
					if (results.length === 0) throw error;
					const why = error instanceof Error ? error.message : String(error);
					const left = announcements.length - results.length;
					results.push(...Array.from({ length: left }, (): Announced => ({ result: "retry", why })));
					break;
				}
			}
			return results;
		},
	};
}

function entryOf({ type, at, resources, detail }: Announcement, bus: string): PutEventsRequestEntry {
	return {
		Source: OWN_SOURCE,
		DetailType: type,
		Detail: JSON.stringify(detail),
		Resources: [...resources],
		Time: new Date(at),
		EventBusName: bus,
	};
}

function resultOf(entry: PutEventsResultEntry | undefined): Announced {
	if (entry?.ErrorCode === undefined) return { result: "sent" };
	const why = `${entry.ErrorCode}: ${entry.ErrorMessage ?? ""}`;
	return { result: PASSING.has(entry.ErrorCode) ? "retry" : "refused", why };
}

/** As many in one call as it takes. */
function batches(entries: readonly PutEventsRequestEntry[]): PutEventsRequestEntry[][] {
	const all: PutEventsRequestEntry[][] = [];
	let bytes = 0;
	for (const entry of entries) {
		const size = sizeOf(entry);
		const last = all.at(-1);
		if (last === undefined || last.length === ENTRIES || bytes + size > BYTES) {
			all.push([entry]);
			bytes = size;
		} else {
			last.push(entry);
			bytes += size;
		}
	}
	return all;
}

/** As EventBridge counts: 14 bytes for the time, and each text in UTF-8. */
function sizeOf({ Source = "", DetailType = "", Detail = "", Resources = [] }: PutEventsRequestEntry): number {
	return 14 + [Source, DetailType, Detail, ...Resources].reduce((sum, text) => sum + Buffer.byteLength(text), 0);
}
