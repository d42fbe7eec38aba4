import { kindOf } from "../kinds/registry.ts";
import type { Account } from "../model/account.ts";
import type { AnyDesired, AnyObserved } from "../model/desired.ts";
import type { Finding } from "../model/finding.ts";
import type { CatalogView, Instance } from "../model/kind.ts";
import type { AccountAccess } from "../model/ports.ts";
import { type Fact, type Facts, type Reference, referenceId } from "../model/reference.ts";
import type { Asks } from "../model/rotation-ask.ts";
import { type Target, type TargetType, targetId } from "../model/target.ts";
import { bindingReferences } from "../plan/binding-references.ts";
import { roleReferences } from "../plan/role-references.ts";
import { rotationReferences } from "../plan/rotation/references.ts";
import { expandInstance } from "./expand.ts";

/** One instance with everything that was read for it. */
export interface Gathered {
	readonly instance: Instance;
	readonly desired: readonly AnyDesired[];
	readonly findings: readonly Finding[];
}

export interface GatheredAccount {
	readonly instances: readonly Gathered[];
	readonly facts: Facts;
	/** By targetId. */
	readonly observed: ReadonlyMap<string, AnyObserved>;
	/** Resolves more references into `facts`; what is known already is not asked again. */
	readonly learn: (refs: readonly Reference[]) => Promise<void>;
}

/** service -> task definition -> secret -> key is the longest chain there is. */
const ROUNDS = 4;
const TARGET_TYPES: readonly TargetType[] = ["iam.role", "ecs.service", "ecs.family", "secretsmanager.secret"];

/**
 * Reads what the instances of one account need, in as few calls as the ports allow: references in rounds until nothing
 * new appears, then every target of a type at once.
 */
export async function gather(
	instances: readonly Instance[],
	deps: {
		readonly access: AccountAccess;
		readonly view: CatalogView;
		readonly now: string;
		/** A part of the account: who deploys to it is a question to all of it, and costs more than the rest. */
		readonly alone?: boolean;
		/** What is remembered of an instance's derived roles; absent: nothing is. */
		readonly used?: Facts["used"];
		/** Rotations that somebody asked for. */
		readonly asked?: Asks;
		/** A person looks at the plan: who uses a secret is then read of those that rest, too. */
		readonly shown?: boolean;
	},
	signal: AbortSignal,
): Promise<GatheredAccount> {
	const known = new Map<string, Fact>();
	const facts: Facts = {
		now: deps.now,
		get: (ref) => known.get(referenceId(ref)),
		...(deps.used !== undefined && { used: deps.used }),
	};
	const learn = async (refs: readonly Reference[]): Promise<void> => {
		const wanted = deps.alone === true ? refs.filter((r) => r.type !== "passers") : refs;
		const asked = [...new Map(wanted.map((r) => [referenceId(r), r])).values()].filter((r) => !known.has(referenceId(r)));
		if (asked.length === 0) return;
		const answers = await deps.access.resolve(asked, signal);
		for (const [n, ref] of asked.entries())
			known.set(referenceId(ref), answers[n] ?? { type: "unknown", reason: "not answered" });
	};
	for (let round = 0; round < ROUNDS; round++) {
		const before = known.size;
		await learn(instances.flatMap((i) => kindOf(i.resource.kind).references(i, deps.view, facts)));
		if (known.size === before) break;
	}
	const gathered = instances.map((instance): Gathered => {
		const { desired, findings } = expandInstance(instance, deps.view, facts);
		return { instance, desired, findings };
	});
	const observed = new Map<string, AnyObserved>();
	const all = gathered.flatMap((g) => g.desired);
	await Promise.all(
		TARGET_TYPES.map(async (type) => {
			const targets = unique(all.filter((d) => d.target.type === type).map((d) => d.target));
			if (targets.length === 0) return;
			for (const o of await deps.access.provider(type).observe(targets as readonly Target<typeof type>[], signal)) {
				observed.set(targetId(o.target), o as AnyObserved);
			}
		}),
	);
	const { account } = deps.access;
	const { now, view } = deps;
	const by = { installation: view.installation, now, asked: deps.asked ?? new Map(), shown: deps.shown === true };
	await learn(rotationReferences(gathered, observed, by));
	// What was rolled out, then the roles of a revision that is gone back to.
	let moves: readonly Reference[] = [];
	for (let round = 0; round < 2; round++) {
		moves = bindingReferences(account, all, observed, facts);
		await learn(moves);
	}
	const roles = rolesIn(
		account,
		moves.flatMap((ref) => facts.get(ref) ?? []),
	);
	await learn(roleReferences(account, [...observed.values(), ...roles]));
	return { instances: gathered, facts, observed, learn };
}

/** Roles that were looked at without being wanted, as if they were. */
function rolesIn(account: Account, found: readonly Fact[]): readonly AnyObserved[] {
	const { accountId } = account;
	if (accountId === null) return [];
	return found.flatMap((f): AnyObserved[] => {
		if (f.type !== "iam.role") return [];
		const { arn, state } = f;
		const name = arn.slice(arn.lastIndexOf("/") + 1);
		const target = { type: "iam.role", account: accountId, region: "global", name } as const;
		return [{ target, exists: true, arn, state, fingerprint: "", owner: null, holdUntil: null, lastUsed: null }];
	});
}

function unique(targets: readonly Target[]): readonly Target[] {
	return [...new Map(targets.map((t) => [targetId(t), t])).values()];
}
