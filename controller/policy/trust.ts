import type { AccessEffect } from "./access.ts";
import { canonicalDocument, canonicalText, list, lowerCase, sameCanonically } from "./canonical.ts";
import { allHold, arnParts, type Context, clauses } from "./conditions.ts";
import type { PolicyDocument, PrincipalMap, Statement } from "./document.ts";
import { hasVariables } from "./evaluate.ts";
import { glob, matches } from "./glob.ts";
import { conditionsImply } from "./implies.ts";
import { type Region, regionsOf, setContains, setIntersects } from "./regions.ts";

/** One principal of one statement; `not` for a NotPrincipal, whole. */
interface Trusted {
	readonly region: Region;
	readonly not: boolean;
	/** `AWS arn:…`, sorted. */
	readonly who: readonly string[];
}

/**
 * Whether more or fewer may assume the role. Conservative, statement by statement; `before` null: there is no role yet.
 * `narrows`: not broader, perhaps narrower.
 */
export function trustChange(before: PolicyDocument | null, after: PolicyDocument): AccessEffect {
	const from = trusted(before === null ? [] : [before]);
	const to = trusted([after]);
	const same = before !== null && sameCanonically(before, after);
	if (same) return "none";
	const gains = inside(to, from) ? "no" : isNew(to, from) ? "yes" : "perhaps";
	const losses = inside(from, to) ? "no" : "perhaps";
	if (gains === "no") return losses === "no" ? "none" : "narrows";
	if (gains === "perhaps") return "unknown";
	return losses === "no" ? "broadens" : "both";
}

function trusted(docs: readonly PolicyDocument[]): readonly Trusted[] {
	const canonical = docs.map((d) => canonicalDocument(d));
	return regionsOf(canonical).flatMap((region): Trusted[] => {
		const { Principal, NotPrincipal } = region.statement;
		if (NotPrincipal !== undefined) return [{ region, not: true, who: names(NotPrincipal) }];
		return names(Principal ?? {}).map((name) => ({ region, not: false, who: [name] }));
	});
}

function names(principal: "*" | PrincipalMap): readonly string[] {
	if (typeof principal === "string") return [`AWS ${principal}`];
	return Object.entries(principal)
		.flatMap(([type, ids]) => list(ids).map((id) => `${type} ${id}`))
		.sort();
}

/** Proven: whoever `a` lets in, `b` lets in. */
function inside(a: readonly Trusted[], b: readonly Trusted[]): boolean {
	const allowed = (t: Trusted) => t.region.effect === "Allow";
	const lets = a.filter(allowed);
	// A Deny counts only for somebody who is let in.
	if (lets.length === 0) return true;
	return (
		lets.every((t) => b.some((u) => allowed(u) && covered(t, u))) &&
		b.filter((u) => !allowed(u)).every((u) => a.some((t) => !allowed(t) && covered(u, t)))
	);
}

function covered(t: Trusted, by: Trusted): boolean {
	if (!setContains(by.region.actions, t.region.actions) || !conditionsImply(t.region, by.region)) return false;
	if (t.not || by.not) return t.not && by.not && canonicalText(t.who) === canonicalText(by.who);
	return t.who.every((w) => by.who.includes(w) || (w.startsWith("AWS ") && by.who.includes("AWS *")));
}

/** Certain: somebody is let in whom nothing let in before. */
function isNew(to: readonly Trusted[], from: readonly Trusted[]): boolean {
	if (to.some((t) => t.region.effect === "Deny")) return false;
	const before = from.filter((f) => f.region.effect === "Allow");
	return to.some(
		(t) =>
			!t.not &&
			before.every(
				(f) =>
					!setIntersects(f.region.actions, t.region.actions) || (!f.not && !f.who.some((w) => perhapsSame(w, t.who[0] ?? ""))),
			),
	);
}

/** An account's root stands for its principals, and `*` for all of AWS. */
function perhapsSame(a: string, b: string): boolean {
	if (a === b) return true;
	if (!a.startsWith("AWS ") || !b.startsWith("AWS ")) return false;
	const [one, other] = [account(a), account(b)];
	return one === null || other === null || one === other;
}

/** Null: any, or not to be seen (`AROA…`). */
function account(principal: string): string | null {
	return /^AWS arn:[^:]*:[^:]*::([0-9]{12}):/.exec(principal)?.[1] ?? null;
}

/**
 * Whether the trust lets ECS of that account and region assume the role for a task: sts:AssumeRole by the service
 * principal, with aws:SourceAccount and aws:SourceArn as ECS sends them (aws-facts §4.4). What cannot be decided is no.
 */
export function trustAllows(doc: PolicyDocument, servicePrincipal: string, account: string, region: string): boolean {
	// ECS documents the pattern `arn:aws:ecs:<region>:<account>:*` and no narrower one.
	const arn = `arn:${partitionOf(region)}:ecs:${region}:${account}:*`;
	const context: Context = { "aws:sourceaccount": [account], "aws:sourcearn": [arn] };
	const speaks = (s: Statement, certain: boolean) => {
		const action = list(s.Action ?? s.NotAction).some((p) => matches(glob(lowerCase(p), false), "sts:assumerole") === true);
		if (action !== (s.Action !== undefined) || !speaksTo(s, servicePrincipal)) return false;
		const held = allHold(clauses(s.Condition), context, hasVariables(doc));
		return held === true || (held === null && !certain);
	};
	return (
		doc.Statement.some((s) => s.Effect === "Allow" && speaks(s, true)) &&
		!doc.Statement.some((s) => s.Effect === "Deny" && speaks(s, false))
	);
}

/** Service principals are case-sensitive (aws-facts §1.2). `*` is everybody, services included. */
function speaksTo(s: Statement, service: string): boolean {
	const named = (p: "*" | PrincipalMap) =>
		typeof p === "string" || list(p.Service).includes(service) || list(p.AWS).includes("*");
	if (s.NotPrincipal !== undefined) return !named(s.NotPrincipal);
	return s.Principal !== undefined && named(s.Principal);
}

/**
 * The aws:SourceArn of a statement for ECS tasks that names one cluster, service or task: ECS does not support it, so no
 * task gets the role (aws-facts §4.4). Null: none.
 */
export function clusterScopedSourceArn(doc: PolicyDocument): string | null {
	for (const s of doc.Statement) {
		if (s.Effect !== "Allow" || !speaksTo(s, "ecs-tasks.amazonaws.com")) continue;
		for (const c of clauses(s.Condition)) {
			if (c.key !== "aws:sourcearn" || c.operator?.negated !== false) continue;
			const scoped = c.values.find((v) => {
				const [, , service, , , resource = "*"] = arnParts(v) ?? [];
				return service === "ecs" && /^(cluster|service|task|container-instance)\//.test(resource);
			});
			if (scoped !== undefined) return scoped;
		}
	}
	return null;
}

/** aws-facts §10. */
function partitionOf(region: string): string {
	if (region.startsWith("cn-")) return "aws-cn";
	if (region.startsWith("us-gov-")) return "aws-us-gov";
	if (region.startsWith("eusc-")) return "aws-eusc";
	if (region.startsWith("us-isob-")) return "aws-iso-b";
	if (region.startsWith("us-isof-")) return "aws-iso-f";
	if (region.startsWith("eu-isoe-")) return "aws-iso-e";
	return region.startsWith("us-iso-") ? "aws-iso" : "aws";
}
