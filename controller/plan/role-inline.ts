import type { RoleWanted } from "../model/desired.ts";
import type { StepState, Why } from "../model/plan.ts";
import type { Origin } from "../model/resource.ts";
import { statementSet } from "../policy/canonical.ts";
import type { PolicyDocument, Statement } from "../policy/document.ts";
import { type AppliedRole, wantedDocument } from "./applied.ts";
import { change, needsApproval, PHASE, type Phase, type PhasedDraft } from "./draft.ts";
import { byName, type Keys, keysOf, missingFrom, sameKeys, without } from "./statements.ts";

/** The one inline document of a role of ours. */
const INLINE_NAME = "ecs-access";

export interface InlineInput {
	readonly roleName: string;
	readonly partition: string;
	/** Live documents by name, without the ignored. */
	readonly live: Readonly<Record<string, PolicyDocument>>;
	readonly wanted: RoleWanted;
	readonly last: AppliedRole | null;
	readonly exclusive: boolean;
	/** The role is made by this plan. */
	readonly fresh: boolean;
	/** The same plan attaches something: then one write of a document may need to be two (see staged). */
	readonly attaches: boolean;
	/** The same plan takes away, or lifts, something that is not an inline document. */
	readonly detaches: boolean;
	/** Where git asks for the role. */
	readonly origin: Origin;
}

export interface InlineDiff {
	readonly drafts: readonly PhasedDraft[];
	/** On a role that is not exclusive: what git does not say, and we cannot know of. */
	readonly surplus: readonly { readonly document: string; readonly statement: Statement }[];
}

/**
 * The steps that make the union of the live inline documents what git says (KINDS.md, AccessPolicy, Rules): nothing for
 * other names or splits; whole surplus documents deleted where that suffices; otherwise `ecs-access` written whole, and
 * the documents that it replaces deleted.
 */
export function diffInline(input: InlineInput): InlineDiff {
	const expiry = expire(input);
	const { drafts, surplus } = converge({ ...input, live: expiry.live });
	return { drafts: [...expiry.drafts, ...drafts], surplus };
}

/** Expired statements leave the documents that hold them, which otherwise stay as they are. */
function expire(input: InlineInput): { readonly live: InlineInput["live"]; readonly drafts: readonly PhasedDraft[] } {
	const { partition } = input;
	if (input.wanted.expired.length === 0) return { live: input.live, drafts: [] };
	const wanted = keysOf([wantedDocument(input.wanted.statements)], partition);
	const expired = keysOf([wantedDocument(input.wanted.expired)], partition).difference(wanted);
	const live: Record<string, PolicyDocument> = { ...input.live };
	const drafts: PhasedDraft[] = [];
	for (const [name, doc] of byName(input.live)) {
		const here = keysOf([doc], partition);
		const rest = without(doc, expired, partition);
		if (rest.Statement.length === doc.Statement.length) continue;
		const source = input.wanted.expired.filter((w) => !keysOf([wantedDocument([w])], partition).isDisjointFrom(here));
		const gone = rest.Statement.length === 0;
		if (gone) delete live[name];
		else live[name] = rest;
		drafts.push({
			call: callOf(input.roleName, name, gone ? null : rest),
			why: "expired",
			phase: PHASE.expire,
			diff: source.map((w) => change(gone ? "-" : "~", "inline policy", name, { from: w.expiresAt, origin: w.origin })),
			state: "ready",
		});
	}
	return { live, drafts };
}

interface Context extends InlineInput {
	readonly wantedKeys: Keys;
	readonly applied: Keys;
	readonly intent: Why;
	/** On a role that is not exclusive, only what we once granted may go. */
	readonly stays: (key: string) => boolean;
}

function converge(input: InlineInput): InlineDiff {
	const { partition, live, last } = input;
	const document = wantedDocument(input.wanted.statements);
	const wantedKeys = keysOf([document], partition);
	const applied: Keys = last === null ? new Set() : keysOf([last.inline], partition);
	const stays = (key: string): boolean => wantedKeys.has(key) || (!input.exclusive && !applied.has(key));
	const found = keysOf(Object.values(live), partition);
	const target = wantedKeys.union(new Set([...found].filter(stays)));
	const surplus = surplusOf(live, target.difference(wantedKeys), partition);
	if (sameKeys(found, target)) return { drafts: [], surplus };

	const intent: Why = input.fresh ? "missing" : last !== null && sameKeys(applied, wantedKeys) ? "drifted" : "spec-changed";
	const c: Context = { ...input, wantedKeys, applied, intent, stays };
	const docs = byName(live).map(([name, doc]) => ({ name, doc, rest: restOf(c, doc) }));
	const left = docs.map((d) => (d.rest === null || !isForeign(c, d.rest) ? onlyIfWhole(d) : d.rest));
	const suffices = wantedKeys.isSubsetOf(keysOf(left, partition));
	const writes = docs.flatMap(({ name, doc }, n): readonly Write[] => {
		const next = left[n] ?? null;
		if (!suffices && name === INLINE_NAME) return [];
		// Beside a whole `ecs-access`, a document with nothing but what git says is one that it replaces.
		const after = !suffices && next !== null && !isForeign(c, next) ? null : next;
		return after === doc ? [] : [{ name, before: doc, after }];
	});
	if (!suffices) {
		const ours = live[INLINE_NAME] ?? null;
		writes.unshift({ name: INLINE_NAME, before: ours, after: join(document, foreignStatements(c, ours)) });
	}
	return { drafts: writes.flatMap((w) => staged(c, w, writes)), surplus };
}

interface Write {
	readonly name: string;
	readonly before: PolicyDocument | null;
	/** Null: deleted. */
	readonly after: PolicyDocument | null;
}

/** What may stay of a document, in the document itself; null: nothing. */
function restOf(c: Context, doc: PolicyDocument): PolicyDocument | null {
	const gone = new Set([...keysOf([doc], c.partition)].filter((k) => !c.stays(k)));
	if (gone.size === 0) return doc;
	const rest = without(doc, gone, c.partition);
	return rest.Statement.length === 0 ? null : rest;
}

/** Somebody else's statements stay in the document, and in the policy language version, they were written in. */
function isForeign(c: Context, doc: PolicyDocument): boolean {
	return !keysOf([doc], c.partition).isSubsetOf(c.wantedKeys);
}

function onlyIfWhole(d: { readonly doc: PolicyDocument; readonly rest: PolicyDocument | null }): PolicyDocument | null {
	return d.rest === d.doc ? d.doc : null;
}

/**
 * One document, in one write. In two or three only where one write would leave, between this role's calls, less or more
 * access than both ends: a new Deny comes first where an attachment must come before the Allows go that it replaces, and
 * an old Deny goes last where other documents or attachments go that it still covers.
 */
function staged(c: Context, w: Write, all: readonly Write[]): readonly PhasedDraft[] {
	const { name, before, after } = w;
	const added = missingFrom(after, before, c.partition);
	const removed = missingFrom(before, after, c.partition);
	const stages: (PolicyDocument | null)[] = [];
	if (before?.Version === "2012-10-17" && c.attaches && added.some(isDeny) && removed.some(isAllow)) {
		stages.push(join(before, added.filter(isDeny)));
	}
	const othersGo = c.detaches || all.some((o) => o !== w && missingFrom(o.before, o.after, c.partition).length > 0);
	if (othersGo && removed.some(isDeny) && (removed.some(isAllow) || added.length > 0)) {
		stages.push(join(after ?? { ...before, Statement: [] }, removed.filter(isDeny)));
	}
	stages.push(after);

	const drafts: PhasedDraft[] = [];
	let last = before;
	for (const stage of stages) {
		drafts.push(write(c, name, last, stage));
		last = stage;
	}
	// A document that must not be rewritten must not be rewritten by halves either.
	const waits = drafts.find((d) => d.state !== "ready")?.state;
	return waits === undefined ? drafts : drafts.map((d) => ({ ...d, state: waits }));
}

/** One write of one document, with its reason, and whether it must wait for a person's word. `after` null: delete it. */
function write(c: Context, name: string, before: PolicyDocument | null, after: PolicyDocument | null): PhasedDraft {
	const added = missingFrom(after, before, c.partition);
	const removed = missingFrom(before, after, c.partition);
	const why = whyOf(c, name, before, removed);
	const origin = c.wanted.statements.find((w) => missingFrom(wantedDocument([w]), before, c.partition).length > 0)?.origin;
	return {
		call: callOf(c.roleName, name, after),
		why,
		phase: phaseOf(added, removed, after),
		diff: [
			change(before === null ? "+" : after === null ? "-" : "~", "inline policy", name, {
				origin: (added.length > 0 ? origin : undefined) ?? (why === "drifted" ? null : c.origin),
			}),
		],
		state: before === null ? "ready" : guardDenies(c, name, before, after, why),
	};
}

function whyOf(c: Context, name: string, before: PolicyDocument | null, removed: readonly Statement[]): Why {
	if (c.fresh || before === null || name === INLINE_NAME) return c.intent;
	const surplus = keysOf([{ ...before, Statement: removed }], c.partition).difference(c.wantedKeys);
	if (surplus.size === 0) return c.intent;
	// What we never wrote, under a name that is not ours, a hand put there.
	return surplus.isDisjointFrom(c.applied) ? "drifted" : "spec-changed";
}

/**
 * A document with a Deny that somebody added is never deleted or rewritten by healing: it waits for an Approval, its
 * Allows included (KINDS.md, Drift). A Deny that nothing remembers counts as somebody's.
 */
function guardDenies(c: Context, name: string, before: PolicyDocument, after: PolicyDocument | null, why: Why): StepState {
	const foreign = keysOf([{ ...before, Statement: before.Statement.filter(isDeny) }], c.partition)
		.difference(c.wantedKeys)
		.difference(c.applied);
	if (foreign.size === 0) return "ready";
	if (why !== "drifted" && foreign.isSubsetOf(keysOf([after], c.partition))) return "ready";
	return needsApproval(`inline policy "${name}" holds a Deny that git does not ask for, and healing never removes one`);
}

function phaseOf(added: readonly Statement[], removed: readonly Statement[], after: PolicyDocument | null): Phase {
	if (added.some(isDeny)) return PHASE.restrict;
	if (added.length > 0) return PHASE.broaden;
	if (removed.some(isDeny)) return PHASE.lift;
	return after === null ? PHASE.remove : PHASE.narrow;
}

function callOf(roleName: string, name: string, after: PolicyDocument | null): PhasedDraft["call"] {
	return after === null
		? { api: "iam:DeleteRolePolicy", input: { RoleName: roleName, PolicyName: name } }
		: { api: "iam:PutRolePolicy", input: { RoleName: roleName, PolicyName: name, PolicyDocument: after } };
}

/** In a document of 2012 `${` opens a variable; what a document of 2008 says literally is said there with `${$}`. */
function foreignStatements(c: Context, doc: PolicyDocument | null): readonly Statement[] {
	if (doc === null) return [];
	return [...statementSet([doc], c.partition)]
		.filter(([key]) => c.stays(key) && !c.wantedKeys.has(key))
		.map(([, s]) => (doc.Version === "2012-10-17" ? s : (JSON.parse(JSON.stringify(s).replaceAll("${", "${$}{")) as Statement)));
}

function join(doc: PolicyDocument, more: readonly Statement[]): PolicyDocument {
	return { ...doc, Statement: wantedDocument([...doc.Statement, ...more].map((statement) => ({ statement }))).Statement };
}

function surplusOf(live: InlineInput["live"], keys: Keys, partition: string): InlineDiff["surplus"] {
	return byName(live).flatMap(([document, doc]) =>
		[...statementSet([doc], partition)].filter(([key]) => keys.has(key)).map(([, statement]) => ({ document, statement })),
	);
}

function isDeny(s: Statement): boolean {
	return s.Effect === "Deny";
}

function isAllow(s: Statement): boolean {
	return s.Effect === "Allow";
}
