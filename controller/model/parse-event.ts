import type { Culprit, Hint } from "./hint.ts";
import { OWN_SOURCE, TRIGGERS, type Trigger, type TriggerEvent, VIA_CLOUDTRAIL } from "./triggers.ts";

export type ParsedEvent =
	/** No hint: nothing of it concerns us, such as a call that failed. */
	| {
			readonly kind: "hints";
			readonly hints: readonly Hint[];
			/** Who did it; null where the event does not say. */
			readonly culprit: Culprit | null;
			readonly eventId: string;
			/** When it happened. */
			readonly at: string;
	  }
	/** An event that no trigger asks for. */
	| { readonly kind: "unknown"; readonly source: string; readonly detailType: string }
	/** No event, or one that is not as documented. */
	| { readonly kind: "malformed"; readonly why: string };

/** What a message of the queue points at. Never throws, whatever it holds. */
export function parseEvent(body: string): ParsedEvent {
	let parsed: unknown;
	try {
		parsed = JSON.parse(body);
	} catch {
		return { kind: "malformed", why: "it is not JSON" };
	}
	const event = envelopeOf(parsed);
	if (typeof event === "string") return { kind: "malformed", why: event };
	const { source, detailType, detail, id, time } = event;
	const known = TRIGGERS.filter((t) => t.source === source && t.detailTypes.includes(detailType));
	const trigger = known.find((t) => t.eventNames?.includes(String(detail.eventName)) ?? true);
	const nothing: ParsedEvent = { kind: "hints", hints: [], culprit: null, eventId: id, at: time };
	if (trigger === undefined) {
		if (source === OWN_SOURCE || (known.length > 0 && detail.readOnly === true)) return nothing;
		return { kind: "unknown", source, detailType };
	}
	if (hasFailed(event) || detail.readOnly === true) return nothing;
	return hintsOf(trigger, event);
}

function hintsOf(trigger: Trigger, event: TriggerEvent): ParsedEvent {
	try {
		const culprit = culpritOf(event);
		return { kind: "hints", hints: trigger.hints(event), culprit, eventId: event.id, at: culprit?.at ?? event.time };
	} catch (error) {
		const why = error instanceof Error ? error.message : String(error);
		return { kind: "malformed", why: `${event.source} ${event.detailType}: ${why}` };
	}
}

/** A call that failed changed nothing; the pattern leaves it out, and a rule made by hand may not. */
function hasFailed({ detail }: TriggerEvent): boolean {
	return detail.errorCode !== undefined && detail.errorCode !== null;
}

/** The event, or what is wrong with it. */
function envelopeOf(value: unknown): TriggerEvent | string {
	if (!isRecord(value)) return "it is no JSON object";
	const { id, source, account, region, time, resources, detail } = value;
	const detailType = value["detail-type"];
	if (!isText(source) || !isText(detailType)) return "it has no source and detail-type: it is no event of EventBridge";
	if (!isText(id) || !isText(time) || !isText(region)) return `${source} ${detailType}: id, time or region is missing`;
	if (!isText(account) || !/^\d{12}$/.test(account)) return `${source} ${detailType}: account is no account id`;
	if (!isRecord(detail)) return `${source} ${detailType}: detail is missing`;
	return {
		id,
		source,
		detailType,
		account,
		region,
		time,
		detail,
		resources: Array.isArray(resources) ? resources.filter(isText) : [],
	};
}

/** Of an event that CloudTrail made (aws-facts §5.1). */
function culpritOf({ id, detailType, time, detail }: TriggerEvent): Culprit | null {
	if (!VIA_CLOUDTRAIL.has(detailType)) return null;
	const who = isRecord(detail.userIdentity) ? detail.userIdentity : {};
	const arn = [who.arn, who.principalId, who.invokedBy].find(isText);
	if (arn === undefined) return null;
	const service = isText(detail.eventSource) ? detail.eventSource.replace(/\.amazonaws\.com(\.cn)?$/, "") : "";
	return {
		arn,
		at: isText(detail.eventTime) && !Number.isNaN(Date.parse(detail.eventTime)) ? detail.eventTime : time,
		sourceIp: isText(detail.sourceIPAddress) ? detail.sourceIPAddress : null,
		userAgent: isText(detail.userAgent) ? detail.userAgent : null,
		action: `${service}:${String(detail.eventName)}`,
		eventId: isText(detail.eventID) ? detail.eventID : id,
	};
}

function isText(value: unknown): value is string {
	return typeof value === "string" && value !== "";
}

function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
	return typeof value === "object" && value !== null && !Array.isArray(value);
}
