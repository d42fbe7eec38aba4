import type { Account } from "../model/account.ts";
import { deadLetterOf, type EventHome, forwarderName, permissionName, ruleName } from "../model/event-home.ts";
import type { AccountId, Arn, Region } from "../model/ids.ts";
import { iamRegion } from "../model/partition.ts";
import type { Target } from "../model/target.ts";
import type { QueueAttributes, RuleTarget, TriggerTargetType } from "../model/trigger-target.ts";
import { patternOf, TRIGGERS, type Trigger } from "../model/triggers.ts";

/** An Account whose id is known. */
export interface KnownAccount extends Account {
	readonly accountId: AccountId;
}

export interface QueueWanted {
	readonly target: Target<"sqs.queue">;
	readonly attributes: QueueAttributes;
	/** How its policy reads to a person. */
	readonly lets: string;
}

export interface RuleWanted {
	readonly target: Target<"events.rule">;
	readonly trigger: Trigger;
	readonly bus: string;
	readonly name: string;
	readonly pattern: unknown;
	readonly to: RuleTarget;
}

export interface BusWanted {
	readonly target: Target<"events.bus">;
	/** By statement id, the account that may send. */
	readonly allows: Readonly<Record<string, AccountId>>;
}

/** What one account must have so that its events come to the queue. */
export interface TriggersWanted {
	/** The dead-letter queue first. */
	readonly queues: readonly QueueWanted[];
	readonly rules: readonly RuleWanted[];
	readonly bus: BusWanted | null;
	/** The bus that the rules of other regions and accounts send to, by a role; null where none does. */
	readonly forwardsTo: Arn | null;
}

export interface TriggersInput {
	readonly installation: string;
	readonly home: EventHome;
	readonly account: KnownAccount;
	/** Every account, this one among them. */
	readonly accounts: readonly KnownAccount[];
}

/** Of the one target that each rule of ours has. */
export const TARGET_ID = "ecs-access";
/** Receives of one message before it goes to the dead-letter queue: a message that no parser takes is tried so often. */
const MAX_RECEIVES = 5;
/** SQS's default: a controller that stood still for longer begins with a resync anyway. */
const RETENTION_SECONDS = 4 * 86_400;
/** The most SQS keeps: somebody must have the time to look. */
const DEAD_RETENTION_SECONDS = 14 * 86_400;

/** Pure. Where the account is in another partition than home, nothing: no event goes from one to another. */
export function wantedTriggers(input: TriggersInput): TriggersWanted {
	const { home, account, installation } = input;
	if (account.partition !== home.account.partition) return { queues: [], rules: [], bus: null, forwardsTo: null };
	const isHome = account.accountId === home.accountId;
	const homeBus = arn(home.account.partition, "events", home.region, home.accountId, "event-bus/default");
	const role = `arn:${account.partition}:iam::${account.accountId}:role${account.rolePath}${forwarderName(installation)}`;
	const toQueue = { arn: queueArn(home, home.queue), roleArn: null, deadLetter: queueArn(home, deadLetterOf(home.queue)) };
	const toBus = { arn: homeBus, roleArn: role, deadLetter: null };
	const rule = (trigger: Trigger, region: Region, to: RuleTarget): RuleWanted => {
		const bus = trigger.where === "home" ? home.bus : "default";
		const name = ruleName(installation, trigger.id);
		const target = { type: "events.rule", account: account.accountId, region, name: `${bus}/${name}` } as const;
		return { target, trigger, bus, name, pattern: patternOf(trigger), to };
	};
	const here = isHome ? TRIGGERS.map((t) => rule(t, home.region, toQueue)) : [];
	const elsewhere = TRIGGERS.flatMap((t) =>
		regionsOf(t, account)
			.filter((region) => !isHome || region !== home.region)
			.map((region) => rule(t, region, toBus)),
	);
	return {
		queues: isHome ? queues(home, here) : [],
		rules: [...here, ...elsewhere],
		bus: isHome ? busOf(input) : null,
		forwardsTo: elsewhere.length === 0 ? null : homeBus,
	};
}

function regionsOf(trigger: Trigger, account: Account): readonly Region[] {
	if (trigger.where === "home") return [];
	if (trigger.where === "iam-region") return [iamRegion(account.partition)];
	return account.regions.length > 0 ? account.regions : account.region === null ? [] : [account.region];
}

function queues(home: EventHome, rules: readonly RuleWanted[]): readonly QueueWanted[] {
	const make = (name: string, more: Omit<QueueAttributes, "Policy">): QueueWanted => ({
		target: { type: "sqs.queue", account: home.accountId, region: home.region, name },
		attributes: { Policy: queuePolicy(home, name, rules), ...more },
		lets: `lets ${rules.length} rules of this account in`,
	});
	const dead = deadLetterOf(home.queue);
	return [
		make(dead, { RedrivePolicy: null, MessageRetentionPeriod: DEAD_RETENTION_SECONDS }),
		make(home.queue, {
			RedrivePolicy: { deadLetter: queueArn(home, dead), maxReceives: MAX_RECEIVES },
			MessageRetentionPeriod: RETENTION_SECONDS,
		}),
	];
}

/** EventBridge alone, and only for the rules that are ours: https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-use-resource-based.html */
function queuePolicy(home: EventHome, queue: string, rules: readonly RuleWanted[]): unknown {
	const sources = rules.map(({ bus, name }) =>
		arn(home.account.partition, "events", home.region, home.accountId, `rule/${bus === "default" ? name : `${bus}/${name}`}`),
	);
	return {
		Version: "2012-10-17",
		Statement: [
			{
				Sid: "EventsOfOurRules",
				Effect: "Allow",
				Principal: { Service: "events.amazonaws.com" },
				Action: "sqs:SendMessage",
				Resource: queueArn(home, queue),
				Condition: {
					ArnEquals: { "aws:SourceArn": sources },
					StringEquals: { "aws:SourceAccount": home.accountId },
				},
			},
		],
	};
}

/** Null where there are no other accounts. */
function busOf({ home, accounts, installation }: TriggersInput): BusWanted | null {
	const others = new Set(accounts.filter((a) => a.partition === home.account.partition).map((a) => a.accountId));
	others.delete(home.accountId);
	if (others.size === 0) return null;
	return {
		target: { type: "events.bus", account: home.accountId, region: home.region, name: "default" },
		allows: Object.fromEntries([...others].sort().map((id) => [permissionName(installation, id), id])),
	};
}

/** Everything that must be looked at. */
export function targetsOf(wanted: TriggersWanted, type: TriggerTargetType): readonly Target[] {
	const all = [...wanted.queues, ...wanted.rules, ...(wanted.bus === null ? [] : [wanted.bus])];
	return all.map((w) => w.target as Target).filter((t) => t.type === type);
}

function queueArn(home: EventHome, name: string): Arn {
	return arn(home.account.partition, "sqs", home.region, home.accountId, name);
}

function arn(partition: string, service: string, region: Region, account: AccountId, resource: string): Arn {
	return `arn:${partition}:${service}:${region}:${account}:${resource}`;
}
