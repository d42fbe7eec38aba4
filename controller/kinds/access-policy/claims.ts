import type { Finding } from "../../model/finding.ts";
import type { AccessPolicySpec } from "../../model/generated/specs.ts";
import { interpolate } from "../../model/interpolate.ts";
import type { CatalogView, Instance } from "../../model/kind.ts";
import type { FieldPath, Origin } from "../../model/resource.ts";
import { instancesOf } from "../accounts.ts";
import { problem } from "../problem.ts";
import type { Policy } from "./roles.ts";
import { accountIdOf, isOwn, regionOf, resolveRole, roleUses, scopeOf } from "./roles.ts";

interface Claim {
	/** What is claimed, in words: `role orders-api-task`. */
	readonly what: string;
	readonly policy: Policy;
	readonly path: FieldPath;
	/** Two equal descriptions of one role within one policy are one claim. */
	readonly content: () => string;
}

const indexes = new WeakMap<CatalogView, ReadonlyMap<string, readonly Claim[]>>();

/**
 * Two policies that claim one role (case-insensitively: aws-facts §2), service, family or secret variable are refused
 * together, each naming the other's file and line. A secret variable is claimed through its service.
 */
export function claimFindings(r: Policy, c: CatalogView): readonly Finding[] {
	const index = claimIndex(c);
	const findings: Finding[] = [];
	for (const owner of instancesOf(r, c)) {
		for (const [id, claim] of claimsOf(owner, c)) {
			const all = index.get(id) ?? [];
			if (all.length < 2) continue;
			const others = all.filter((o) => !(o.policy === r && samePath(o.path, claim.path)));
			const rival = others.find((o) => o.policy !== r || o.content() !== claim.content());
			if (rival === undefined) continue;
			const place = placeOf(rival);
			const by = rival.policy === r ? "also claimed" : `also claimed by AccessPolicy "${rival.policy.metadata.name}"`;
			findings.push(
				problem(
					"DuplicateClaim",
					`${claim.what} is ${by} in ${place.path}:${place.line}`,
					placeOf(claim),
					"one policy, with several workloads or a ref to the other's role",
					r.key,
				),
			);
		}
	}
	return findings;
}

function claimIndex(c: CatalogView): ReadonlyMap<string, readonly Claim[]> {
	const known = indexes.get(c);
	if (known !== undefined) return known;
	const made = new Map<string, Claim[]>();
	for (const r of c.ofKind<AccessPolicySpec>("AccessPolicy")) {
		for (const owner of instancesOf(r, c)) {
			for (const [id, claim] of claimsOf(owner, c)) {
				const list = made.get(id);
				if (list === undefined) made.set(id, [claim]);
				else list.push(claim);
			}
		}
	}
	indexes.set(c, made);
	return made;
}

const claimed = new WeakMap<Instance<AccessPolicySpec>, readonly (readonly [string, Claim])[]>();
function claimsOf(owner: Instance<AccessPolicySpec>, c: CatalogView): readonly (readonly [string, Claim])[] {
	let known = claimed.get(owner);
	if (known === undefined) {
		known = listClaims(owner, c);
		claimed.set(owner, known);
	}
	return known;
}

function listClaims(owner: Instance<AccessPolicySpec>, c: CatalogView): readonly (readonly [string, Claim])[] {
	const policy = owner.resource;
	const account = accountIdOf(owner);
	const claims: (readonly [string, Claim])[] = [];
	for (const use of roleUses(policy.spec)) {
		if (!isOwn(use)) continue;
		const role = resolveRole(owner, use, c);
		if (role === null || "id" in role) continue;
		const path = use.spec.name === undefined ? use.path : [...use.path, "name"];
		const content = () => JSON.stringify({ ...use.spec, name: role.name });
		claims.push([`role/${account}/${role.name.toLowerCase()}`, { what: `role ${role.name}`, policy, path, content }]);
	}
	const scope = scopeOf(owner);
	policy.spec.workloads?.forEach((w, n) => {
		const path = ["spec", "workloads", n];
		const region = w.region === undefined ? regionOf(owner) : interpolate(w.region, scope).text;
		const cluster = interpolate(w.cluster ?? "", scope).text;
		w.services?.forEach((s, m) => {
			const name = interpolate(s, scope).text;
			const at = [...path, "services", m];
			claims.push([
				`service/${account}/${region}/${cluster}/${name}`,
				{ what: `service ${cluster}/${name}`, policy, path: at, content: () => at.join() },
			]);
		});
		w.taskFamilies?.forEach((f, m) => {
			const name = interpolate(f, scope).text;
			const at = [...path, "taskFamilies", m];
			claims.push([
				`family/${account}/${region}/${name}`,
				{ what: `task family ${name}`, policy, path: at, content: () => at.join() },
			]);
		});
	});
	return claims;
}

function samePath(a: FieldPath, b: FieldPath): boolean {
	return a.length === b.length && a.every((v, n) => v === b[n]);
}

/** A name stands behind its field; a role without one is its field. */
function placeOf(claim: Claim): Origin {
	const field = claim.path.at(-1);
	return claim.policy.at(claim.path, field === "name" || typeof field === "number" ? "value" : "key");
}
