import type { Account } from "../model/account.ts";
import type { Finding } from "../model/finding.ts";
import type { AccessPolicySpec } from "../model/generated/specs.ts";
import type { CatalogView, Instance } from "../model/kind.ts";
import { didYouMean } from "../model/nearest.ts";
import type { FieldPath, Resource } from "../model/resource.ts";
import { problem } from "./problem.ts";

/** What a document of any kind says of where it applies. */
type Selecting = Pick<AccessPolicySpec, "accountRef" | "accountRefs" | "accountSelector">;

interface Selection {
	readonly accounts: readonly Account[];
	/** Whether the instances' keys name the account. */
	readonly several: boolean;
	readonly findings: readonly Finding[];
}

/** Where a policy applies: accountRef, accountRefs or accountSelector; none of them where there is but one account. */
export function selectAccounts(r: Resource<Selecting>, c: CatalogView): Selection {
	const { accountRef, accountRefs, accountSelector } = r.spec;
	const given = [accountRef, accountRefs, accountSelector].filter((v) => v !== undefined).length;
	if (given > 1) {
		const message = "a document has one of accountRef, accountRefs and accountSelector";
		return nothing(
			problem(
				"AmbiguousAccount",
				message,
				r.at(["spec", accountRef === undefined ? "accountSelector" : "accountRef"]),
				"keep one",
				r.key,
			),
		);
	}
	if (accountRef !== undefined) return byName(r, c, [accountRef], ["spec", "accountRef"], false);
	if (accountRefs !== undefined) return byName(r, c, accountRefs, ["spec", "accountRefs"], true);
	if (accountSelector !== undefined) return bySelector(r, c, accountSelector.matchLabels);
	const [only, ...others] = c.accounts;
	if (only === undefined) return { accounts: [], several: false, findings: [] };
	if (others.length === 0) return { accounts: [only], several: false, findings: [] };
	const message = `accountRef is needed: there are ${c.accounts.length} accounts`;
	return nothing(
		problem("AmbiguousAccount", message, r.at(["spec"]), `one of ${c.accounts.map((a) => a.name).join(", ")}`, r.key),
	);
}

const instances = new WeakMap<CatalogView, Map<Resource, readonly Instance[]>>();

/** The same objects for the same catalog: what is worked out for one is remembered with it. */
export function instancesOf<S extends Selecting>(r: Resource<S>, c: CatalogView): readonly Instance<S>[] {
	let known = instances.get(c);
	if (known === undefined) {
		known = new Map();
		instances.set(c, known);
	}
	let made = known.get(r);
	if (made === undefined) {
		const { accounts, several } = selectAccounts(r, c);
		made = accounts.map((account) => ({ key: several ? `${r.key}@${account.name}` : r.key, resource: r, account }));
		known.set(r, made);
	}
	return made as readonly Instance<S>[];
}

function byName(r: Resource<Selecting>, c: CatalogView, names: readonly string[], path: FieldPath, several: boolean): Selection {
	const accounts: Account[] = [];
	const findings: Finding[] = [];
	names.forEach((name, n) => {
		const account = c.accounts.find((a) => a.name === name);
		const at = r.at(several ? [...path, n] : path, "value");
		if (account === undefined) {
			if (c.broken.has(`Account/${name}`)) return;
			const known = c.accounts.map((a) => a.name);
			const fix = didYouMean(name, known) ?? `accounts: ${known.join(", ")}`;
			findings.push(problem("UnknownReference", `no Account "${name}"`, at, fix, r.key));
		} else if (accounts.includes(account)) {
			findings.push(problem("DuplicateClaim", `Account "${name}" is named twice`, at, "delete one of them", r.key));
		} else accounts.push(account);
	});
	return { accounts, several, findings };
}

/** A selector that matches nothing would quietly give up every role it had: it is an error. */
function bySelector(r: Resource<Selecting>, c: CatalogView, labels: Readonly<Record<string, string>>): Selection {
	const wanted = Object.entries(labels);
	const accounts = c.accounts.filter((a) => wanted.every(([k, v]) => a.labels[k] === v));
	const text = wanted.map(([k, v]) => `${k}=${v}`).join(", ");
	const findings =
		accounts.length > 0
			? []
			: [
					problem(
						"NoAccount",
						`no Account has the labels ${text}`,
						r.at(["spec", "accountSelector"]),
						"correct the labels, or name the accounts",
						r.key,
					),
				];
	return { accounts, several: true, findings };
}

function nothing(finding: Finding): Selection {
	return { accounts: [], several: false, findings: [finding] };
}
