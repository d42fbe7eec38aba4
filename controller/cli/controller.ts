import { join } from "node:path";
import type { Webhook } from "../api/served.ts";
import type { ObserveCall } from "../aws/call.ts";
import { type Aws, createAws } from "../aws/process.ts";
import { createAnnounce } from "../engine/announce.ts";
import { type Announcements, type AnnouncementsEvent, createAnnouncements } from "../engine/announcements.ts";
import { type Consumer, type ConsumerEvent, createConsumer } from "../engine/consumer.ts";
import { createDriftMemory } from "../engine/drift.ts";
import { WRITE_TIMEOUT_MS } from "../engine/execute.ts";
import { createExpiryTimers } from "../engine/expiry.ts";
import type { InForce } from "../engine/in-force.ts";
import { createManager, type Manager, type ManagerEvent } from "../engine/manager.ts";
import { createPasses, type Passes } from "../engine/pass.ts";
import { readPause } from "../engine/pause.ts";
import { againAfterRollout } from "../engine/rollouts.ts";
import { askRotation, watchAsks } from "../engine/rotation-asks.ts";
import { againAfterRotation } from "../engine/rotations.ts";
import { watchHistory } from "../engine/watch-history.ts";
import { createOutside } from "../idp/outside.ts";
import { digest } from "../model/digest.ts";
import { type EventHome, eventHome } from "../model/event-home.ts";
import type { InstallationSpec } from "../model/generated/specs.ts";
import type { Hint } from "../model/hint.ts";
import type { Digest, Instant, ResourceKey } from "../model/ids.ts";
import type { CatalogView } from "../model/kind.ts";
import type { PlanFile } from "../model/plan.ts";
import type { Announcer, EventQueue, Store } from "../model/ports.ts";
import type { Secret } from "../model/secret.ts";
import type { HistoryEntry } from "../model/status.ts";
import { parseStoreUrl } from "../model/store-url.ts";
import { createCatalogue } from "../policy/catalogue.ts";
import { webhookSecretFrom } from "../source/credentials.ts";
import type { LeaseHeld } from "../store/lease.ts";
import { openStore } from "../store/sqlite.ts";
import type { CliContext } from "./context.ts";
import { firstLook, sourceInForce } from "./first-look.ts";
import { type HeldLease, tryLease } from "./lease.ts";
import type { FollowFlags } from "./source-flags.ts";
import { stateHome, storePath } from "./state-dir.ts";

/** What is told of while it happens, for metrics. */
export interface Watching {
	readonly observeCall: ObserveCall;
	readonly history: (entries: readonly HistoryEntry[]) => void;
}

export interface ControllerFlags extends FollowFlags {
	readonly newStore?: boolean;
	/** Seconds between two looks at the source. */
	readonly poll?: number;
}

/** A controller with its memory open, before it is anybody's turn to write. */
export interface Controller {
	readonly installation: string;
	readonly spec: InstallationSpec;
	readonly store: Store;
	/** As it is shown: a file or a table. */
	readonly storeName: string;
	readonly aws: Aws;
	/** The right to write, or who has it. */
	readonly tryLease: (command: string, signal: AbortSignal) => Promise<HeldLease | LeaseHeld>;
	/** For as long as the lease is held; null: one that writes nothing, as the mode Observe asks. */
	readonly manager: (lease: HeldLease | null, observe: (event: ManagerEvent) => void) => Manager;
	/** Plans these keys of what is in force, and writes nothing. */
	readonly plan: (inForce: InForce, keys: readonly ResourceKey[], signal: AbortSignal) => Promise<PlanFile>;
	/** What pushes of the repository are signed with; null: the Installation names no secret. */
	readonly webhook: Webhook | null;
	/** False when a later revision says another memory, mode or place of events than this one was opened with. */
	readonly isCurrent: (inForce: InForce) => boolean;
	/** Tells a manager what only the clock says, until aborted. */
	readonly timers: (manager: Manager) => { readonly run: (signal: AbortSignal) => Promise<void> };
	/** Tells the world what a manager did and saw: `heard` is to be told of each of its events. */
	readonly announcing: (manager: () => Manager, observe: (event: AnnouncementsEvent) => void) => Announcing;
	/** Tells a manager what others did. */
	readonly consumer: (manager: Manager, observe: (event: ConsumerEvent) => void) => Consumer;
	readonly close: () => Promise<void>;
}

export interface Announcing extends Pick<Announcements, "run" | "flush"> {
	readonly heard: (event: ManagerEvent) => void;
}

/**
 * Reads the source once, to know which installation this is and where its memory is, and opens that. Nothing is planned,
 * and nothing read from AWS but what a shared store needs.
 */
export async function openController(ctx: CliContext, flags: ControllerFlags, watching?: Watching): Promise<Controller> {
	const actions = createCatalogue();
	const cacheDir = join(ctx.stateDir ?? join(stateHome(ctx), "cache"), "aws");
	let named = { installation: "default", revision: "none" };
	const aws = createAws({
		clock: ctx.clock,
		outside: createOutside(),
		cacheDir: ctx.env.AWS_ENDPOINT_URL === undefined || ctx.stateDir !== undefined ? cacheDir : null,
		version: ctx.version,
		reconcileId: crypto.randomUUID(),
		installation: () => named.installation,
		revision: () => named.revision,
		...(watching !== undefined && { observeCall: watching.observeCall }),
	});
	const look = { actions, readSecret: (id: string, signal: AbortSignal) => aws.readSecret(id, null, signal) };
	let bare: Store | null = null;
	/** What is opened until something fails is closed again: this is tried every few seconds, for as long as it takes. */
	const orClose = async <T>(work: Promise<T>): Promise<T> => {
		try {
			return await work;
		} catch (error) {
			await bare?.close();
			aws.close();
			throw error;
		}
	};
	const { artifact, view, spec } = await orClose(firstLook(ctx, flags, look));
	const { installation } = view;
	named = { installation, revision: artifact.revision.id };
	const shared = spec.store !== undefined;
	const path = storePath(ctx, installation);
	const open = async (): Promise<Store | null> =>
		shared ? aws.openStore(parseStoreUrl(spec.store), { make: true }, ctx.signal) : openStore({ path });
	bare = await orClose(open());
	const store = bare === null || watching === undefined ? bare : watchHistory(bare, watching.history);
	if (store === null) throw new Error("a store that is made where it is missing is never null");
	const callTimeoutSeconds = WRITE_TIMEOUT_MS / 1000;
	const { source, git } = await orClose(sourceInForce(ctx, flags, { ...look, store, now: spec.git }));
	const opened = openedWith(view, git);
	const drifts = createDriftMemory();
	const passesOf = (lease: HeldLease | null): Passes =>
		createPasses({
			actions,
			access: aws.access,
			store,
			shared,
			newStore: flags.newStore === true,
			clock: ctx.clock,
			reconcileId: () => crypto.randomUUID(),
			leaseRemaining: lease === null ? () => 0 : lease.remaining,
			...(lease !== null && { leaseFence: lease.fence }),
			drifts,
		});
	return {
		isCurrent: (inForce) => openedWith(inForce.catalog.view, inForce.spec.git) === opened,
		installation,
		spec,
		store,
		storeName: spec.store ?? path,
		aws,
		tryLease: (command, signal) => tryLease(ctx, { store, shared, installation, command, callTimeoutSeconds }, signal),
		plan: async (inForce, keys, signal) => {
			const accounts = new Set(inForce.catalog.instances.filter((i) => keys.includes(i.key)).map((i) => i.account.name));
			return (await passesOf(null).plan(inForce, { keys: new Set(keys), accounts }, signal)).file;
		},
		webhook:
			git?.webhookSecret === undefined || flags.git === undefined
				? null
				: {
						branch: flags.ref ?? git.branch ?? null,
						secret: webhookSecret(webhookSecretFrom(look.readSecret, git.webhookSecret, ctx.clock)),
					},
		manager: (lease, observe) => {
			const passes = passesOf(lease);
			return createManager({
				source,
				actions,
				passes,
				store,
				clock: ctx.clock,
				random: Math.random,
				pollMs: (flags.poll ?? 15) * 1000,
				again: (pass, key) => soonest(againAfterRollout(pass, key), againAfterRotation(pass, key, ctx.clock)),
				follow: (pass, key) => againAfterRotation(pass, key, ctx.clock),
				observe,
			});
		},
		timers: (manager) => {
			const { run } = createExpiryTimers({
				clock: ctx.clock,
				catalog: () => manager.state().inForce?.catalog ?? null,
				paused: () => manager.state().paused,
				readPause: () => readPause(store, ctx.clock.millis()),
				fire: (key) => manager.ask(key),
			});
			const rotations = (): readonly ResourceKey[] =>
				(manager.state().inForce?.catalog.instances ?? []).filter((i) => i.resource.kind === "SecretRotation").map((i) => i.key);
			const asks = { store, clock: ctx.clock, keys: rotations, fire: (key: ResourceKey) => manager.ask(key) };
			return { run: async (signal) => void (await Promise.all([run(signal), watchAsks(asks, signal)])) };
		},
		announcing: (manager, observe) => {
			const announcer = announcerOf(aws, () => eventHome(view.accounts, installation, spec.events));
			const announcements = createAnnouncements({ announcer, clock: ctx.clock, observe });
			const heard = createAnnounce({
				installation,
				clock: ctx.clock,
				paused: () => manager().state().paused,
				stalled: () => manager().state().inForce?.stalled ?? new Map(),
				announce: announcements.add,
			});
			return { ...announcements, heard };
		},
		consumer: (manager, observe) =>
			createConsumer({
				queue: queueOf(aws, () => eventHome(view.accounts, installation, spec.events)),
				clock: ctx.clock,
				hint: async (hint, culprit) => {
					// Remembered before the message is removed: nobody asks twice.
					if (hint.type === "rotate") await remember(hint, manager, store, ctx.clock.now());
					if ((manager.state().inForce?.referrers(hint) ?? []).length > 0) drifts.note(hint, culprit);
					manager.hint(hint);
				},
				observe,
			}),
		close: async () => {
			await store.close();
			aws.close();
		},
	};
}

/** An event asks for the rotation of every instance of that name. */
async function remember(hint: Extract<Hint, { type: "rotate" }>, manager: Manager, store: Store, at: Instant): Promise<void> {
	const keys = manager.state().inForce?.referrers(hint) ?? [];
	for (const key of keys) await askRotation(store, key, { at, by: "an event", reason: hint.reason });
}

function soonest(a: number | null, b: number | null): number | null {
	return a === null ? b : b === null ? a : Math.min(a, b);
}

/** GitHub gives up after ten seconds. */
const SECRET_MS = 8_000;

function webhookSecret(read: (signal: AbortSignal) => Promise<Secret>): () => Promise<Secret> {
	return () => read(AbortSignal.timeout(SECRET_MS));
}

/** What a controller cannot change while it runs: it is opened again. */
function openedWith(view: CatalogView, git: InstallationSpec["git"]): Digest {
	const { mode, store, events } = view.ofKind<InstallationSpec>("Installation")[0]?.spec ?? {};
	return digest([
		view.installation,
		mode ?? null,
		store ?? null,
		events ?? null,
		git ?? null,
		view.accounts.map((a) => [a.accountId, a.region, a.assumeRole]),
	]);
}

/** Where there is no bus of ours, nobody is told, and that is no failure of anything else. */
function announcerOf(aws: Aws, home: () => EventHome): Announcer {
	try {
		return aws.announcer(home());
	} catch (error) {
		const why = error instanceof Error ? error.message : String(error);
		return { announce: async (announcements) => announcements.map(() => ({ result: "refused", why })) };
	}
}

/** Where events cannot come to, they are not heard, and the resync goes on. */
function queueOf(aws: Aws, home: () => EventHome): EventQueue {
	try {
		return aws.eventQueue(home());
	} catch (error) {
		const deaf = (): Promise<never> => Promise.reject(error);
		return { name: "none", receive: deaf, remove: deaf };
	}
}
