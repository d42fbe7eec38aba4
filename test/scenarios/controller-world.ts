import { stringify } from "yaml";
import { createAccountAccess } from "../../controller/aws/account.ts";
import { type AwsShared, createAwsShared } from "../../controller/aws/shared.ts";
import { beginToRemember } from "../../controller/engine/budget-use.ts";
import { createManager, type Manager, type ManagerEvent } from "../../controller/engine/manager.ts";
import { createPasses } from "../../controller/engine/pass.ts";
import { againAfterRollout } from "../../controller/engine/rollouts.ts";
import { digest } from "../../controller/model/digest.ts";
import { TerminalError } from "../../controller/model/errors.ts";
import type { Store } from "../../controller/model/ports.ts";
import type { Artifact } from "../../controller/model/resource.ts";
import { createCatalogue } from "../../controller/policy/catalogue.ts";
import { openStore } from "../../controller/store/sqlite.ts";
import { iamOf } from "../e2e/live.ts";
import { createFastClock } from "../fast-clock.ts";
import type { Sandbox } from "../sandbox/sandbox.ts";
import { serviceSeed, taskDefinitionSeed } from "../sandbox/seed-data.ts";
import { documentOf } from "./world.ts";

/** The controller's manager over sandbox accounts, with a source that a test writes. */
export interface ControllerWorld {
	readonly account: string;
	readonly iam: ReturnType<typeof iamOf>;
	readonly clock: ReturnType<typeof createFastClock>;
	/** Writes a file below the source root: text, or documents. A revision comes of it with the next `commit`. */
	readonly write: (path: string, ...documents: readonly (object | string)[]) => void;
	readonly remove: (path: string) => void;
	/** What was written is the tip, and the manager looks at it and carries it out. `rewritten`: no descendant; `unseen`: not yet. */
	readonly commit: (how?: { readonly rewritten?: true; readonly unseen?: true }) => Promise<void>;
	readonly manager: () => Manager;
	/** Everything is looked at, and what that asks for is done. */
	readonly resync: () => Promise<void>;
	/** Waits until no key waits or runs. */
	readonly idle: () => Promise<void>;
	readonly events: ManagerEvent[];
	readonly store: () => Store;
	/** The process ends, and another begins with the same memory, or with none. */
	readonly restart: (memory?: "lost") => void;
	/** The git server cannot be reached. */
	readonly unreachable: (yes: boolean) => void;
	readonly services: (...names: readonly string[]) => Promise<void>;
	/** Milliseconds in which a write may still start. */
	lease: () => number;
	/** More Accounts, each with credentials of its own sandbox account. */
	readonly withAccount: (name: string) => string;
}

const actions = createCatalogue();

/** What several controllers of one company have in common, and the fence of the lease that this one has. */
export interface Replica {
	readonly account: string;
	readonly store: Store;
	readonly clock: ControllerWorld["clock"];
	readonly fence: number;
}

/** An Installation that enforces, and an Account `prod`, are there; the store has remembered for a day. */
export function createControllerWorld(sandbox: Sandbox, spec: object = {}, faster?: number, replica?: Replica): ControllerWorld {
	process.env.AWS_ENDPOINT_URL = sandbox.endpoint;
	const account = replica?.account ?? sandbox.newAccount();
	const clock = replica?.clock ?? createFastClock(faster);
	const accounts = new Map([["prod", account]]);
	const shareds = new Map<string, AwsShared>();
	const sharedOf = (name: string): AwsShared => {
		const id = accounts.get(name) ?? account;
		const known = shareds.get(name) ?? { ...createAwsShared(clock), credentials: async () => sandbox.config(id).credentials };
		shareds.set(name, known);
		return known;
	};
	const files = new Map<string, string>();
	const revisions = new Map<string, Artifact>();
	const events: ManagerEvent[] = [];
	let store = replica?.store ?? openStore({ path: ":memory:" });
	let tip: { readonly artifact: Artifact; readonly rewritten: boolean } | null = null;
	let broken = false;
	let passes = 0;
	const yesterday = { ...clock, now: () => new Date(clock.millis() - 86_400_000).toISOString() };
	const remembers = beginToRemember(store, yesterday);

	const reached = <T>(value: T): T => {
		if (broken) throw new Error("the git server cannot be reached");
		return value;
	};
	const world: ControllerWorld = {
		account,
		iam: iamOf(sandbox, account),
		clock,
		write: (path, ...documents) =>
			void files.set(path, documents.map((d) => (typeof d === "string" ? d : stringify(d))).join("---\n")),
		remove: (path) => void files.delete(path),
		commit: async (how = {}) => {
			await remembers;
			const id = digest([...files].sort());
			const artifact: Artifact = {
				revision: { kind: "commit", id: id.slice(7, 47) },
				digest: id,
				root: "policies",
				files: new Map(files),
				source: "directory",
				partial: null,
			};
			revisions.set(artifact.revision.id, artifact);
			tip = { artifact, rewritten: how.rewritten === true };
			if (how.unseen === true) return;
			await manager.poll(signal());
			await manager.idle();
		},
		manager: () => manager,
		resync: async () => {
			await manager.resync(signal());
			await manager.idle();
		},
		idle: () => manager.idle(),
		events,
		store: () => store,
		restart: (memory) => {
			if (memory === "lost") store = openStore({ path: ":memory:" });
			manager = start();
		},
		unreachable: (yes) => {
			broken = yes;
		},
		services: async (...names) => {
			await sandbox.seed(account, {
				clusters: [{ name: "prod" }],
				taskDefinitions: names.map((name) =>
					taskDefinitionSeed(name, { taskRoleArn: `arn:aws:iam::${account}:role/ecs-access/${name}-task` }),
				),
				services: names.map((name) => serviceSeed("prod", name)),
			});
		},
		lease: () => 60_000,
		withAccount: (name) => {
			const id = sandbox.newAccount();
			accounts.set(name, id);
			world.write(`platform/${name}.yaml`, documentOf("Account", name, { accountId: id, region: "eu-west-1" }));
			return id;
		},
	};
	const start = (): Manager => {
		const own = store;
		return createManager({
			source: {
				peek: async () => reached(tip?.artifact.revision.id ?? null),
				fetch: async ({ previous, force }) => {
					if (reached(tip) === null) throw new Error("nothing was committed");
					const { artifact, rewritten } = tip as NonNullable<typeof tip>;
					if (rewritten && !force && previous !== null && previous !== artifact.revision.id) {
						throw new TerminalError("NotDescendant", "it does not descend");
					}
					return artifact;
				},
				fetchRevision: async (revision) => {
					const found = reached(revisions.get(revision));
					if (found === undefined) throw new TerminalError("RevisionGone", `no revision ${revision}`);
					return found;
				},
			},
			actions,
			passes: createPasses({
				actions,
				access: (a, { revision, reconcileId }) =>
					createAccountAccess({
						account: a,
						installation: "main",
						reconcileId,
						revision,
						version: "0.0.0",
						clock,
						cacheDir: null,
						shared: sharedOf(a.name),
					}),
				store: own,
				shared: false,
				newStore: false,
				clock,
				reconcileId: () => `pass-${++passes}`,
				leaseRemaining: () => world.lease(),
				...(replica !== undefined && { leaseFence: replica.fence }),
			}),
			store: own,
			clock,
			random: () => 0.5,
			pollMs: 15_000,
			again: againAfterRollout,
			observe: (event) => void events.push(event),
		});
	};
	let manager = start();
	world.write("platform/installation.yaml", documentOf("Installation", "main", { mode: "Enforce", ...spec }));
	world.write("platform/prod.yaml", documentOf("Account", "prod", { accountId: account, region: "eu-west-1" }));
	return world;
}

function signal(): AbortSignal {
	return AbortSignal.timeout(50_000);
}
