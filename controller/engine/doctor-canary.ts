import type { Account } from "../model/account.ts";
import type { DoctorAccount, ListenAt, TriedCall } from "../model/doctor.ts";
import { ConflictError } from "../model/errors.ts";
import { canaryListenerName, canaryName, type EventHome } from "../model/event-home.ts";
import { parseEvent } from "../model/parse-event.ts";
import { iamRegion } from "../model/partition.ts";
import { PERMISSIONS } from "../model/permissions.ts";
import type { Clock } from "../model/ports.ts";
import { type Answer, failed, failedBy, ok, skipped, warning } from "./doctor.ts";

export interface CanaryOutcome {
	/** Whether roles can be written. */
	readonly writes: Answer;
	/** Whether the change of a tag came back as an event. */
	readonly events: Answer;
}

export interface CanaryDeps {
	readonly installation: string;
	readonly home: EventHome;
	/** The home's own. */
	readonly at: DoctorAccount;
	/** Those in which we are who the Account says. */
	readonly accounts: readonly { readonly account: Account; readonly doctor: DoctorAccount }[];
	readonly waitSeconds: number;
	/** Leave role, rule and queue where they are. */
	readonly keep: boolean;
	readonly clock: Clock;
	readonly progress: (words: string) => void;
}

/** A rule that is new hears after some time only (EventBridge PutRule), so the tag is changed again and again. */
const TAG_EVERY_MS = 20_000;
const POLL_SECONDS = 5;
/** A role that is new is not known everywhere at once (aws-facts §3.3). */
const SETTLE = { tries: 10, ms: 2_000 } as const;
const CLEAN_UP_MS = 30_000;

/** One canary on its way. */
interface Bird {
	readonly account: Account;
	readonly doctor: DoctorAccount;
	/** When each tag was written, by its value. */
	readonly sent: Map<string, number>;
	heardAfterMs: number | null;
	writes: Answer | null;
	error: unknown;
}

/**
 * Makes a role in each account, and at home a queue and a rule that hear of it; changes a tag until its event has come from
 * each account, or until the time is over; tries the other writes; takes all of it away again. Never rejects but for an abort,
 * after which it still takes away what it made.
 */
export async function runCanary(deps: CanaryDeps, signal: AbortSignal): Promise<ReadonlyMap<string, CanaryOutcome>> {
	const { home, installation } = deps;
	const role = canaryName(installation);
	const listen: ListenAt = {
		name: canaryListenerName(installation),
		account: home.accountId,
		region: home.region,
		partition: home.account.partition,
		role,
	};
	const birds: readonly Bird[] = deps.accounts.map((a) => ({
		...a,
		sent: new Map(),
		heardAfterMs: null,
		writes: null,
		error: null,
	}));
	const left: string[] = [];
	let deaf: unknown = null;
	try {
		deps.progress("making the canary");
		try {
			await deps.at.listener.open(listen, signal);
		} catch (error) {
			signal.throwIfAborted();
			deaf = error;
		}
		await Promise.all(birds.map((b) => guarded(b, signal, () => b.doctor.canary.make(role, signal))));
		if (deaf === null) await listenFor(birds, listen, deps, signal);
		await Promise.all(birds.map((b) => guarded(b, signal, () => tryWrites(b, role, signal))));
	} finally {
		if (!deps.keep) left.push(...(await takeAway(birds, listen, deps)));
	}
	const waited = clockWords(deps.waitSeconds);
	return new Map(
		birds.map((b): [string, CanaryOutcome] => [
			b.account.name,
			{ writes: withLeft(writesOf(b), left), events: eventsOf(b, deaf, role, waited, deps) },
		]),
	);
}

async function guarded(bird: Bird, signal: AbortSignal, work: () => Promise<unknown>): Promise<void> {
	if (bird.error !== null) return;
	try {
		await work();
	} catch (error) {
		signal.throwIfAborted();
		bird.error = error;
	}
}

async function listenFor(birds: readonly Bird[], listen: ListenAt, deps: CanaryDeps, signal: AbortSignal): Promise<void> {
	const { clock } = deps;
	const began = clock.millis();
	const end = began + deps.waitSeconds * 1000;
	const waiting = (): readonly Bird[] => birds.filter((b) => b.heardAfterMs === null && b.error === null && canCome(b, deps));
	let taggedAt = Number.NEGATIVE_INFINITY;
	while (waiting().length > 0 && clock.millis() < end) {
		if (clock.millis() - taggedAt >= TAG_EVERY_MS) {
			taggedAt = clock.millis();
			await Promise.all(waiting().map((b) => guarded(b, signal, () => tag(b, listen.role, clock, signal))));
		}
		const names = waiting().map((b) => b.account.name);
		deps.progress(`waiting for the event of ${names.join(", ")} (${Math.round((clock.millis() - began) / 1000)} s)`);
		const most = Math.max(1, Math.min(POLL_SECONDS, Math.ceil((end - clock.millis()) / 1000)));
		for (const body of await deps.at.listener.hear(listen, most, signal)) hear(body, birds, listen.role, clock.millis());
	}
}

async function tag({ doctor, sent }: Bird, role: string, clock: Clock, signal: AbortSignal): Promise<void> {
	for (let n = 1; ; n++) {
		const nonce = crypto.randomUUID();
		try {
			await doctor.canary.tag(role, nonce, signal);
			sent.set(nonce, clock.millis());
			return;
		} catch (error) {
			if (!(error instanceof ConflictError) || n >= SETTLE.tries) throw error;
			await clock.sleep(SETTLE.ms, signal);
		}
	}
}

/** An event counts when the parser of `run` takes it, and when it is of a tag that was written just now. */
function hear(body: string, birds: readonly Bird[], role: string, now: number): void {
	const event = parseEvent(body);
	if (event.kind !== "hints") return;
	for (const hint of event.hints) {
		if (hint.type !== "iam.role" || hint.name !== role) continue;
		for (const bird of birds.filter((b) => b.account.accountId === hint.account)) {
			const [at] = [...bird.sent].flatMap(([nonce, sent]) => (body.includes(nonce) ? [sent] : []));
			if (at !== undefined) bird.heardAfterMs ??= Math.max(0, now - at);
		}
	}
}

function canCome({ account }: Bird, { home }: CanaryDeps): boolean {
	return account.partition === home.account.partition;
}

function eventsOf(bird: Bird, deaf: unknown, role: string, waited: string, deps: CanaryDeps): Answer {
	if (!canCome(bird, deps)) return skipped(`no event goes from ${bird.account.partition} to ${deps.home.account.partition}`);
	if (deaf !== null) return failedBy(deaf);
	if (bird.heardAfterMs !== null) {
		const words = clockWords(bird.heardAfterMs / 1000);
		return ok(`a tag of role ${role} was changed, and its event was on the bus in ${deps.home.region} ${words} later`);
	}
	if (bird.error !== null) return failedBy(bird.error);
	const region = iamRegion(bird.account.partition);
	const way =
		bird.account.name === deps.home.account.name && region === deps.home.region
			? ""
			: `, and ecs-access triggers plan for what brings it to ${deps.home.region}`;
	return failed(
		`a tag of role ${role} was changed, and no event of it came to ${deps.home.region} in ${waited}`,
		`look for a CloudTrail trail of account ${bird.account.accountId} that logs management events (write) in ${region}${way}`,
	);
}

/** Writes of roles that no canary can try without touching something else. */
function untried(tried: readonly string[]): readonly string[] {
	return PERMISSIONS.filter((p) => p.on === "role" && p.access === "write" && !tried.includes(p.action)).map((p) => p.action);
}

async function tryWrites(bird: Bird, role: string, signal: AbortSignal): Promise<void> {
	const tried = await bird.doctor.canary.tryWrites(role, signal);
	const refused = tried.filter((t) => t.outcome !== "allowed");
	if (refused.length > 0) {
		bird.writes = failed(
			refused.map(refusedWords).join("; "),
			"allow them on the role path: docs/getting-started.md has the policy",
		);
		return;
	}
	const works = ["iam:CreateRole", ...(bird.sent.size > 0 ? ["iam:TagRole"] : []), ...tried.map((t) => t.action)];
	bird.writes = ok(
		`${works.join(", ")} work below ${bird.account.rolePath}; not tried: ${untried([...works, "iam:DeleteRole"]).join(", ")}`,
	);
}

function refusedWords({ action, outcome, said }: TriedCall): string {
	return `${action} ${outcome === "denied" ? "is refused" : "gave no clear answer"}${said === null ? "" : `: ${said}`}`;
}

function writesOf({ writes, error }: Bird): Answer {
	return writes ?? (error === null ? skipped("not tried") : failedBy(error));
}

function withLeft(answer: Answer, left: readonly string[]): Answer {
	if (left.length === 0) return answer;
	const message = `${answer.message}; left behind: ${left.join("; ")}`;
	const fix = answer.fix ?? "delete it by hand, or run doctor --canary again once that is allowed";
	return answer.result === "failed" ? failed(message, fix) : warning(message, fix);
}

/** Also after an interruption: nothing of ours stays behind. What could not be removed, with why. */
async function takeAway(birds: readonly Bird[], listen: ListenAt, deps: CanaryDeps): Promise<readonly string[]> {
	deps.progress("taking the canary away");
	const own = AbortSignal.timeout(CLEAN_UP_MS);
	const attempt = async (what: string, work: () => Promise<void>): Promise<readonly string[]> => {
		try {
			await work();
			return [];
		} catch (error) {
			return [`${what}: ${failedBy(error).message}`];
		}
	};
	const all = await Promise.all([
		attempt(`rule and queue ${listen.name}`, () => deps.at.listener.close(listen, own)),
		...birds.map((b) => attempt(`role ${listen.role} in ${b.account.name}`, () => b.doctor.canary.remove(listen.role, own))),
	]);
	return all.flat();
}

function clockWords(seconds: number): string {
	return seconds < 1 ? "less than 1 s" : `${Math.round(seconds)} s`;
}
