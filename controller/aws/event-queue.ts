import { TerminalError } from "../model/errors.ts";
import type { Region } from "../model/ids.ts";
import type { EventQueue } from "../model/ports.ts";
import { awsCode } from "./errors.ts";
import type { CallAws } from "./operations.ts";

/** SQS's own most, for one receive and for one removal. */
const BATCH = 10;

/**
 * The queue of an installation, by its name in the account of the credentials. It is looked up when it is first needed,
 * and again after it was gone. Throws TerminalError `QueueMissing`.
 */
export function createEventQueue(deps: { readonly call: CallAws; readonly name: string; readonly region: Region }): EventQueue {
	const { call, name, region } = deps;
	let known: string | undefined;
	const withUrl = async <T>(work: (url: string) => Promise<T>, signal: AbortSignal): Promise<T> => {
		try {
			known ??= (await call("sqs:GetQueueUrl", region, { QueueName: name }, signal)).QueueUrl ?? "";
			return await work(known);
		} catch (error) {
			known = undefined;
			if (!/NonExistentQueue|QueueDoesNotExist/.test(awsCode(error) ?? "")) throw error;
			throw new TerminalError("QueueMissing", `there is no event queue ${name}`, {
				fix: "make it with ecs-access triggers apply; until then only the resync sees what others change",
			});
		}
	};
	return {
		name,
		receive: (waitSeconds, signal) =>
			withUrl(async (QueueUrl) => {
				const input = { QueueUrl, MaxNumberOfMessages: BATCH, WaitTimeSeconds: waitSeconds };
				const { Messages = [] } = await call("sqs:ReceiveMessage", region, input, signal);
				return Messages.map((m) => ({ id: m.MessageId ?? "", body: m.Body ?? "", receipt: m.ReceiptHandle ?? "" }));
			}, signal),
		remove: (messages, signal) =>
			withUrl(async (QueueUrl) => {
				for (let n = 0; n < messages.length; n += BATCH) {
					const Entries = messages.slice(n, n + BATCH).map((m, i) => ({ Id: String(i), ReceiptHandle: m.receipt }));
					await call("sqs:DeleteMessageBatch", region, { QueueUrl, Entries }, signal);
				}
			}, signal),
	};
}
