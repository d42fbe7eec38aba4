import { digest, stableJson } from "./digest.ts";
import type { Digest } from "./ids.ts";
import { isMark } from "./marks.ts";
import type { QueueAttributes, QueueState, TriggerCall, TriggerState } from "./trigger-target.ts";

/** The state after a call that succeeded; null: there is no such thing. A call on what is not there leaves it so. */
export function applyTriggerCall(state: TriggerState | null, call: TriggerCall): TriggerState | null {
	switch (call.api) {
		case "sqs:CreateQueue": {
			const { Attributes, Tags } = call.input;
			return state ?? { ...queueOf(Attributes), tags: Tags };
		}
		case "sqs:SetQueueAttributes":
			return state === null || !("redrive" in state)
				? state
				: { ...state, ...queueOf({ ...attributesOf(state), ...call.input.Attributes }) };
		case "events:PutRule": {
			const rule = state === null || !("pattern" in state) ? null : state;
			const { EventPattern, Tags } = call.input;
			return { pattern: EventPattern, enabled: true, targets: rule?.targets ?? {}, tags: rule?.tags ?? Tags ?? {} };
		}
		case "events:PutTargets":
			return state === null || !("pattern" in state) ? state : { ...state, targets: { ...state.targets, ...call.input.Targets } };
		case "events:PutPermission": {
			const allows = state !== null && "allows" in state ? state.allows : {};
			return { allows: { ...allows, [call.input.StatementId]: call.input.Principal } };
		}
	}
}

export function attributesOf(state: QueueState): QueueAttributes {
	return { Policy: state.policy, RedrivePolicy: state.redrive, MessageRetentionPeriod: state.retentionSeconds };
}

function queueOf(a: QueueAttributes): Omit<QueueState, "tags"> {
	return { policy: a.Policy, redrive: a.RedrivePolicy, retentionSeconds: a.MessageRetentionPeriod };
}

/** Whether the call would change nothing that is compared. */
export function isTriggerAlready(state: TriggerState | null, call: TriggerCall): boolean {
	if (state === null) return false;
	if (call.api === "sqs:CreateQueue") {
		return triggerFingerprint(state) === triggerFingerprint({ ...queueOf(call.input.Attributes), tags: call.input.Tags });
	}
	const after = applyTriggerCall(state, call);
	return after !== null && stableJson(after) === stableJson(state);
}

/** What must still be so immediately before a write: of the tags our marks alone. */
export function triggerFingerprint(state: TriggerState): Digest {
	if (!("tags" in state)) return digest(state);
	return digest({ ...state, tags: Object.fromEntries(Object.entries(state.tags).filter(([key]) => isMark(key))) });
}
