import type { Arn, Tags } from "./ids.ts";

/** What `triggers` keeps: queues, the rules that fill them, and who may send to the bus. */
export interface TriggerStates {
	readonly "sqs.queue": QueueState;
	readonly "events.rule": EventRuleState;
	readonly "events.bus": EventBusState;
}
export type TriggerTargetType = keyof TriggerStates;
export type TriggerState = TriggerStates[TriggerTargetType];

/** As far as we write it. */
export interface QueueState {
	/** The policy document as JSON; null: none. */
	readonly policy: unknown;
	readonly redrive: { readonly deadLetter: Arn; readonly maxReceives: number } | null;
	readonly retentionSeconds: number;
	readonly tags: Tags;
}

export interface EventRuleState {
	/** The event pattern as JSON; null: a rule that only has a schedule. */
	readonly pattern: unknown;
	readonly enabled: boolean;
	/** By id. Those of others are seen, and left. */
	readonly targets: Readonly<Record<string, RuleTarget>>;
	readonly tags: Tags;
}

export interface RuleTarget {
	readonly arn: Arn;
	/** By which EventBridge writes to another bus; null to a queue. */
	readonly roleArn: Arn | null;
	/** Where what cannot be delivered goes. */
	readonly deadLetter: Arn | null;
}

/** A bus is nobody's of ours: of its policy only the statements that bear our name are. */
export interface EventBusState {
	/** Statement id to the account that may put events there; null: the statement says anything else. */
	readonly allows: Readonly<Record<string, string | null>>;
}

export type TriggerCall =
	| {
			readonly api: "sqs:CreateQueue";
			readonly input: { readonly QueueName: string; readonly Attributes: QueueAttributes; readonly Tags: Tags };
	  }
	| {
			readonly api: "sqs:SetQueueAttributes";
			readonly input: { readonly QueueName: string; readonly Attributes: Partial<QueueAttributes> };
	  }
	/** Tags count for a new rule only; EventBridge ignores them for one that is there. */
	| {
			readonly api: "events:PutRule";
			readonly input: {
				readonly Name: string;
				readonly EventBusName: string;
				readonly Description: string;
				readonly EventPattern: unknown;
				readonly State: "ENABLED";
				readonly Tags?: Tags;
			};
	  }
	| {
			readonly api: "events:PutTargets";
			readonly input: {
				readonly Rule: string;
				readonly EventBusName: string;
				readonly Targets: Readonly<Record<string, RuleTarget>>;
			};
	  }
	| {
			readonly api: "events:PutPermission";
			readonly input: {
				readonly EventBusName: string;
				readonly StatementId: string;
				readonly Action: "events:PutEvents";
				readonly Principal: string;
			};
	  };

/** The names of SQS, the values not yet as text. */
export interface QueueAttributes {
	readonly Policy: unknown;
	readonly RedrivePolicy: QueueState["redrive"];
	readonly MessageRetentionPeriod: number;
}
