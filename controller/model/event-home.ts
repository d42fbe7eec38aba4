import type { Account } from "./account.ts";
import { digest, shortDigest } from "./digest.ts";
import { TerminalError } from "./errors.ts";
import type { EventsSpec } from "./generated/specs.ts";
import type { AccountId, Region } from "./ids.ts";

/** Where an installation hears: all events come to one account and region, where `run` works. */
export interface EventHome {
	readonly account: Account;
	readonly accountId: AccountId;
	readonly region: Region;
	/** Name of the queue; that of its dead-letter queue is `deadLetterOf`. */
	readonly queue: string;
	/** Of our own events; those of AWS come to the default bus. */
	readonly bus: string;
}

/**
 * The first Account without `assumeRole` is the one that `run` acts in by its own credentials. Both `run` and
 * `triggers apply` ask here, so that they mean the same queue. Throws TerminalError `NoEventHome`.
 */
export function eventHome(accounts: readonly Account[], installation: string, events: EventsSpec | undefined): EventHome {
	const account = accounts.find((a) => a.assumeRole === null);
	if (account === undefined || account.accountId === null || account.region === null) {
		throw new TerminalError(
			"NoEventHome",
			account === undefined
				? "every Account names assumeRole: there is none that ecs-access works in by its own credentials, and where events could come to"
				: `Account ${account.name} says no ${account.accountId === null ? "accountId" : "region"}: where events come to is not known`,
			{ fix: "declare in platform/ the account that ecs-access runs in: accountId, region, and no assumeRole" },
		);
	}
	return {
		account,
		accountId: account.accountId,
		region: account.region,
		queue: events?.queue ?? nameOf(installation, "", QUEUE_NAME),
		bus: events?.bus ?? "default",
	};
}

/** SQS: 80 characters (CreateQueue). EventBridge: 64 for a rule (PutRule). IAM: 64 for a role (aws-facts §2). */
const QUEUE_NAME = 75;
const RULE_NAME = 64;
const ROLE_NAME = 64;
const STATEMENT_NAME = 64;

export function deadLetterOf(queue: string): string {
	return `${queue}-dead`;
}

/** Of a trigger's rule. */
export function ruleName(installation: string, trigger: string): string {
	return nameOf(installation, `-${trigger}`, RULE_NAME);
}

/** The role by which rules put events on a bus of another region or account (aws-facts §10). */
export function forwarderName(installation: string): string {
	return nameOf(installation, "-events", ROLE_NAME);
}

/** The role that doctor changes a tag of, to see whether the event of it comes. */
export function canaryName(installation: string): string {
	return nameOf(`canary-${installation}`, "", ROLE_NAME);
}

/** The queue and the rule by which doctor hears of that, and of nothing else. */
export function canaryListenerName(installation: string): string {
	return nameOf(installation, "-canary", RULE_NAME);
}

/** Of the statement by which another account may send here; 64 characters (PutPermission). */
export function permissionName(installation: string, account: AccountId): string {
	return nameOf(installation, `-${account}`, STATEMENT_NAME);
}

/** A name that is too long is cut, and bears a digest so that no two are the same. */
function nameOf(installation: string, end: string, most: number): string {
	const name = `ecs-access-${installation}${end}`;
	if (name.length <= most) return name;
	const mark = `-${shortDigest(digest(installation))}`;
	return `${`ecs-access-${installation}`.slice(0, most - end.length - mark.length)}${mark}${end}`;
}
