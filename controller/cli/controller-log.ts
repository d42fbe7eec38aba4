import type { Logger } from "pino";
import type { AnnouncementsEvent } from "../engine/announcements.ts";
import type { ConsumerEvent } from "../engine/consumer.ts";
import type { ManagerEvent } from "../engine/manager.ts";
import { TerminalError } from "../model/errors.ts";
import { targetId } from "../model/target.ts";

/** One line for each thing that happened, none for nothing (ARCHITECTURE.md, Style): a constant message, and fields. */
export function createControllerLog(log: Logger): (event: ManagerEvent) => void {
	return (event) => {
		switch (event.type) {
			case "admitted":
				return log.info({ revision: event.revision, resources: event.keys, changed: event.changed }, "revision in force");
			case "refused":
				return log.error(
					{
						revision: event.revision,
						reason: event.reason,
						why: event.message,
						...(event.byWord && { fix: `if it is meant: ecs-access admit ${event.revision} --reason "…"` }),
					},
					"revision refused",
				);
			case "fetchFailed":
				return log.warn({ error: event.error.message }, "source not read");
			case "resynced": {
				const { account, keys, withWork, calls, milliseconds } = event;
				return log.debug({ account, resources: keys, withWork, calls, milliseconds }, "resynced");
			}
			case "resyncFailed":
				return log.error({ account: event.account, error: event.error.message }, "account not read");
			case "pass": {
				const { key, outcome, waitedMs, tookMs, error } = event.pass;
				const fields = { key, outcome, waitedMs, tookMs, ...(error !== null && { error: error.message }) };
				return outcome === "done" ? log.debug(fields, "pass") : log.warn(fields, "pass ended early");
			}
			case "applied":
				for (const { plan, step, outcome, error } of event.pass.execution.runs) {
					const fields = {
						key: plan.key,
						target: targetId(step.target),
						api: step.call.api,
						why: step.why,
						effect: step.effect,
						revision: event.pass.file.revision.id,
						plan: plan.id,
						reconcileId: event.pass.reconcileId,
					};
					if (error === null) log.info({ ...fields, requestId: outcome?.requestId }, "step applied");
					else log.error({ ...fields, error: error.message }, "step failed");
				}
		}
	};
}

export function createAnnouncementsLog(log: Logger): (event: AnnouncementsEvent) => void {
	/** Where there is no bus, each is lost for the same reason, which is said once. */
	let said: string | null = null;
	const lost = ({ announcement: { type, detail }, why }: Extract<AnnouncementsEvent, { type: "lost" }>): void => {
		const level = said === why ? "debug" : "warn";
		said = why;
		log[level]({ type, key: detail.key, why }, "announcement lost");
	};
	return (event) => {
		switch (event.type) {
			case "announced":
				return log.debug({ count: event.count }, "announced");
			case "unheard":
				return log.warn({ error: event.error.message, waiting: event.waiting }, "announcements not sent yet");
			case "lost":
				return lost(event);
		}
	};
}

export function createConsumerLog(log: Logger): (event: ConsumerEvent) => void {
	return (event) => {
		switch (event.type) {
			case "heard":
				return log.debug({ eventId: event.eventId, hints: event.hints }, "event heard");
			case "unknown":
				return log.debug({ source: event.source, detailType: event.detailType }, "event of no trigger");
			case "malformed":
				return log.warn({ messageId: event.messageId, why: event.why }, "message left for the dead-letter queue");
			case "deaf":
				return log.warn({ error: event.error.message, ...fixOf(event.error) }, "events not heard");
			case "hearing":
				return log.info("events heard again");
		}
	};
}

/** What to do, where that is known. */
function fixOf(error: Error): { readonly fix?: string } {
	return error instanceof TerminalError && error.fix !== undefined ? { fix: error.fix } : {};
}
