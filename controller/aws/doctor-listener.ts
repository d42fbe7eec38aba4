import { type CanaryListener, DOCTOR_SOURCE, type ListenAt } from "../model/doctor.ts";
import { TerminalError } from "../model/errors.ts";
import { MARK } from "../model/marks.ts";
import type { Clock } from "../model/ports.ts";
import { TRIGGERS } from "../model/triggers.ts";
import { awsCode } from "./errors.ts";
import type { CallAws } from "./operations.ts";

const TARGET = "ecs-access-canary";
/** A queue's name is free again a minute after it was deleted (SQS CreateQueue, QueueDeletedRecently). */
const BUSY = { everyMs: 5_000, most: 15 } as const;
const KEEP_SECONDS = "3600";

/**
 * A queue and a rule of its own: in the queue of the installation a controller would be first, and to look at the messages
 * of others there would bring them nearer to the dead-letter queue.
 */
export function createCanaryListener(call: CallAws, clock: Clock): CanaryListener {
	const queueUrl = async ({ name, region }: ListenAt, signal: AbortSignal): Promise<string | null> => {
		try {
			return (await call("sqs:GetQueueUrl", region, { QueueName: name }, signal)).QueueUrl ?? null;
		} catch (error) {
			if (/NonExistentQueue|QueueDoesNotExist/.test(awsCode(error) ?? "")) return null;
			throw error;
		}
	};
	/** The queue, if it is doctor's; null where there is none. */
	const ourQueue = async (at: ListenAt, signal: AbortSignal): Promise<string | null> => {
		const url = await queueUrl(at, signal);
		if (url === null) return null;
		const { Tags = {} } = await call("sqs:ListQueueTags", at.region, { QueueUrl: url }, signal);
		if (Tags[MARK.source] !== DOCTOR_SOURCE) throw taken(`queue ${at.name}`);
		return url;
	};
	/** Whether there is the rule; it is doctor's then. */
	const hasRule = async ({ name, region }: ListenAt, signal: AbortSignal): Promise<boolean> => {
		try {
			const { Arn } = await call("events:DescribeRule", region, { Name: name }, signal);
			const { Tags = [] } = await call("events:ListTagsForResource", region, { ResourceARN: Arn }, signal);
			if (!Tags.some((t) => t.Key === MARK.source && t.Value === DOCTOR_SOURCE)) throw taken(`rule ${name}`);
			return true;
		} catch (error) {
			if (awsCode(error) === "ResourceNotFound") return false;
			throw error;
		}
	};
	return {
		open: async (at, signal) => {
			const [found, hadRule] = await Promise.all([ourQueue(at, signal), hasRule(at, signal)]);
			if (found === null) await makeQueue(call, clock, at, signal);
			const Tags = [{ Key: MARK.source, Value: DOCTOR_SOURCE }];
			await call(
				"events:PutRule",
				at.region,
				{ Name: at.name, EventPattern: JSON.stringify(pattern(at)), State: "ENABLED", ...(!hadRule && { Tags }) },
				signal,
			);
			const Targets = [{ Id: TARGET, Arn: queueArn(at) }];
			await call("events:PutTargets", at.region, { Rule: at.name, Targets }, signal);
		},
		hear: async (at, WaitTimeSeconds, signal) => {
			const QueueUrl = (await queueUrl(at, signal)) ?? "";
			const input = { QueueUrl, MaxNumberOfMessages: 10, WaitTimeSeconds };
			const { Messages = [] } = await call("sqs:ReceiveMessage", at.region, input, signal);
			return Messages.map((m) => m.Body ?? "");
		},
		close: async (at, signal) => {
			if (await hasRule(at, signal)) {
				await call("events:RemoveTargets", at.region, { Rule: at.name, Ids: [TARGET] }, signal);
				await call("events:DeleteRule", at.region, { Name: at.name }, signal);
			}
			const url = await ourQueue(at, signal);
			if (url !== null) await call("sqs:DeleteQueue", at.region, { QueueUrl: url }, signal);
		},
	};
}

async function makeQueue(call: CallAws, clock: Clock, at: ListenAt, signal: AbortSignal): Promise<void> {
	const Attributes = { Policy: JSON.stringify(policy(at)), MessageRetentionPeriod: KEEP_SECONDS };
	for (let n = 1; ; n++) {
		try {
			await call(
				"sqs:CreateQueue",
				at.region,
				{ QueueName: at.name, Attributes, tags: { [MARK.source]: DOCTOR_SOURCE } },
				signal,
			);
			return;
		} catch (error) {
			if (!/QueueDeletedRecently$/.test(awsCode(error) ?? "") || n >= BUSY.most) throw error;
			await clock.sleep(BUSY.everyMs, signal);
		}
	}
}

/** What the installation's own rule for IAM hears, of the canary's tags alone. */
function pattern({ role }: ListenAt): unknown {
	const iam = TRIGGERS.find((t) => t.id === "iam");
	return {
		source: [iam?.source],
		"detail-type": iam?.detailTypes,
		detail: { eventName: ["TagRole"], requestParameters: { roleName: [role] } },
	};
}

function policy(at: ListenAt): unknown {
	return {
		Version: "2012-10-17",
		Statement: [
			{
				Effect: "Allow",
				Principal: { Service: "events.amazonaws.com" },
				Action: "sqs:SendMessage",
				Resource: queueArn(at),
				Condition: { ArnEquals: { "aws:SourceArn": arnOf(at, "events", `rule/${at.name}`) } },
			},
		],
	};
}

function queueArn(at: ListenAt): string {
	return arnOf(at, "sqs", at.name);
}

function arnOf({ partition, region, account }: ListenAt, service: string, resource: string): string {
	return `arn:${partition}:${service}:${region}:${account}:${resource}`;
}

function taken(what: string): TerminalError {
	return new TerminalError("CanaryTaken", `${what} exists and bears no mark of doctor: it is left alone`, {
		fix: "delete or rename it, or run doctor without --canary",
	});
}
