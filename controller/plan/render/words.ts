import { shortDigest } from "../../model/digest.ts";
import type { Digest } from "../../model/ids.ts";
import type { Plan, PlanFile, Step, StepState, Waiting } from "../../model/plan.ts";
import type { Origin } from "../../model/resource.ts";
import type { Target, TargetType } from "../../model/target.ts";
import type { AccessEffect, AccessLine, Witness } from "../../policy/access.ts";
import type { PolicyDocument, Statement } from "../../policy/document.ts";
import { escapeTerminal } from "./escape.ts";

/** The words of a plan, apart from the symbols and colours that carry them. Everything returned is escaped for a terminal. */

export type WaitingState = Exclude<StepState, "ready">;

export function waitingOf(step: Step): WaitingState | null {
	return step.state === "ready" ? null : step.state;
}

/** `orders-api`, `orders-api@prod`, `orders-api (prod)` where the file speaks of several accounts; other kinds in full. */
export function planName(plan: Plan, accounts: number): string {
	const name = plan.key.replace(/^AccessPolicy\//, "");
	return escapeTerminal(accounts > 1 && !name.includes("@") ? `${name} (${plan.account})` : name);
}

export function originWords(origin: Origin | null | undefined): string {
	return origin == null ? "" : escapeTerminal(`${origin.path}:${origin.line}`);
}

const NOUNS: Readonly<Record<TargetType, string>> = {
	"iam.role": "role",
	"ecs.service": "service",
	"ecs.family": "family",
	"sqs.queue": "queue",
	"events.rule": "rule",
	"events.bus": "event bus",
	"secretsmanager.secret": "secret",
};

function isTrigger(target: Target): boolean {
	return target.type === "sqs.queue" || target.type === "events.rule" || target.type === "events.bus";
}

/** `role /ecs-access/billing-task`, `service prod/search`, `family nightly`, `queue ecs-access-main in eu-west-1`. */
export function targetWords(target: Target, path?: string): string {
	const where = target.region === "global" || !isTrigger(target) ? "" : ` in ${target.region}`;
	const name = target.type === "events.rule" ? target.name.replace(/^default\//, "") : target.name;
	return escapeTerminal(`${NOUNS[target.type]} ${target.type === "iam.role" ? (path ?? "") : ""}${name}${where}`);
}

/** The path of a role as its steps know it; undefined where none says it. */
export function pathOf(steps: readonly Step[]): string | undefined {
	for (const step of steps) {
		if (step.path !== undefined) return step.path;
		if (step.call.api === "iam:CreateRole") return step.call.input.Path;
	}
	return undefined;
}

/** `everything`, or `s3:PutObject on arn:aws:s3:::invoices-prod/*, when …`; long lists end in `and 4 more`. */
export function accessWords(line: AccessLine, verbose: boolean): string {
	const when = line.when === null ? "" : `, when ${line.when}`;
	if (isEverything(line)) return escapeTerminal(`everything${when}`);
	return escapeTerminal(`${list(line.actions, verbose)} on ${list(line.resources, verbose)}${when}`);
}

/** True where a line was shortened by `accessWords`. */
export function isShortened(line: AccessLine): boolean {
	return line.actions.length > LISTED || line.resources.length > LISTED;
}

export function isEverything(line: AccessLine): boolean {
	return line.actions.length === 1 && /^\*(:\*)?$/.test(line.actions[0] ?? "") && line.resources.join() === "*";
}

const LISTED = 4;

function list(items: readonly string[], verbose: boolean): string {
	if (verbose || items.length <= LISTED) return items.join(", ");
	return `${items.slice(0, LISTED - 1).join(", ")} and ${items.length - LISTED + 1} more`;
}

export function witnessWords(w: Witness): string {
	const context = Object.entries(w.context).map(([key, values]) => `${key}=${values.join("|")}`);
	return escapeTerminal(`${w.action} on ${w.resource}${context.length > 0 ? ` with ${context.join(", ")}` : ""}`);
}

/** The effect of several steps on one role, as one word. */
export function combinedEffect(steps: readonly Step[]): AccessEffect {
	const effects = new Set(steps.map((s) => s.effect));
	if (effects.has("unknown")) return "unknown";
	const broadens = effects.has("broadens") || effects.has("both");
	const narrows = effects.has("narrows") || effects.has("both");
	if (broadens) return narrows ? "both" : "broadens";
	return narrows ? "narrows" : "none";
}

/** The marker behind a role; narrowing has none, since nobody needs to be warned of less. */
export function effectMarker(effect: AccessEffect): string {
	if (effect === "unknown") return "BROADENS (not decided, so it counts as broader)";
	return effect === "broadens" || effect === "both" ? "BROADENS" : "";
}

/** One word for the counts. */
export function waitingWord(waiting: Waiting, target: Target): string {
	if (waiting === "reference")
		return target.type === "iam.role" || target.type === "secretsmanager.secret" ? "reference" : "binding";
	return WAITING_WORDS[waiting];
}

const WAITING_WORDS: Readonly<Record<Waiting, string>> = {
	approval: "approval",
	budget: "budget",
	guardrail: "guardrail",
	freeze: "freeze",
	paused: "paused",
	suspended: "suspended",
	hold: "hold",
	lease: "lease",
	"not-owned": "not ours",
	contested: "contested",
	reference: "reference",
	propagation: "propagation",
	rollout: "rollout",
	failed: "failed rollout",
	"in-use": "in use",
	retention: "retention",
};

/** `waits for approval`; the detail follows after a colon. */
export const WAITS_FOR: Readonly<Record<Waiting, string>> = {
	approval: "waits for approval",
	budget: "waits for approval, beyond the budget",
	guardrail: "waits: refused by a guardrail",
	freeze: "waits",
	paused: "waits",
	suspended: "waits: suspended in git",
	hold: "waits: on hold",
	lease: "waits for the lease",
	"not-owned": "waits: not ours",
	contested: "waits: contested",
	reference: "waits for what does not exist yet",
	propagation: "waits for IAM to propagate",
	rollout: "waits for the rollout",
	failed: "waits: failed, and not tried again",
	"in-use": "waits: in use",
	retention: "waits: still retained",
};

/** The line to type or to change that ends a wait. `command` is ready to paste; `advice` is a sentence. */
export function endOfWait(
	state: WaitingState,
	plan: Plan,
	target: Target,
): { readonly command?: string; readonly advice?: string } {
	if (state.command !== undefined) {
		const advice = state.advice === undefined ? {} : { advice: escapeTerminal(state.advice) };
		return { command: escapeTerminal(state.command), ...advice };
	}
	if (state.advice !== undefined) return { advice: escapeTerminal(state.advice) };
	switch (state.waiting) {
		case "approval":
		case "budget":
			// Of a comparison: the id is of what AWS has, which was not read.
			return plan.approvalId === null ? { advice: APPROVAL_BY_PLAN } : { command: approveCommand(plan.approvalId) };
		case "hold":
			if (target.type === "secretsmanager.secret")
				return {
					command: escapeTerminal(
						`aws secretsmanager untag-resource --secret-id ${target.name} --tag-keys ecs-access.dev/hold-until`,
					),
				};
			return target.type === "iam.role"
				? { command: escapeTerminal(`aws iam untag-role --role-name ${target.name} --tag-keys ecs-access.dev/hold-until`) }
				: {};
		case "guardrail":
			return { advice: "ends when the policy asks for less, or the guardrail names an exception" };
		case "suspended":
			return { advice: "ends when git no longer says suspend: true" };
		case "reference":
			return { advice: "ends by itself when it exists: run plan again" };
		case "failed":
			return { advice: "ends when the policy, or the task definition that runs, changes" };
		case "contested":
			return target.type === "iam.role" ? {} : { advice: RENDER_ADVICE };
		case "in-use":
			return { advice: "ends when nothing names it any more: run plan again" };
		case "retention":
		case "propagation":
		case "lease":
		case "freeze":
		case "rollout":
			return { advice: "ends by itself with time: run plan again" };
		default:
			return {};
	}
}

const RENDER_ADVICE = "ends when the pipeline registers what git says (ecs-access render task-definition), or git changes";

/** What stands against writing now, over a whole plan; null where nothing does. Not escaped. */
export function haltWords({ halt, request }: PlanFile): string | null {
	if (halt === undefined) return null;
	const words = halt.detail.replace(/^\w+/, (word) => word.toUpperCase());
	if (halt.waiting === "paused") return `${words}. Nothing is written.`;
	return request.duringFreeze === undefined
		? `${words}. Nothing is written but what takes away what has expired.`
		: `${words}. Going on all the same: ${request.duringFreeze}`;
}

/** Beneath what waits in a comparison of two revisions. */
const APPROVAL_BY_PLAN = "ecs-access plan, against the account, gives the id to approve";

export function approveCommand(approvalId: Digest): string {
	return `ecs-access approve ${shortDigest(approvalId)} --reason "…"`;
}

/** Of nothing of it may anything be written: it bears no mark of ours, or somebody else's. */
export function isForeign(plan: Plan): boolean {
	return plan.steps.length > 0 && plan.steps.every((s) => waitingOf(s)?.waiting === "not-owned");
}

/** `214 roles and 96 workloads are as git says.`; what there is none of is left out. */
export function asGitSays(roles: number, workloads: number, rotations = 0): string {
	const parts = [
		roles === 0 ? "" : count(roles, "role"),
		workloads === 0 ? "" : count(workloads, "workload"),
		rotations === 0 ? "" : count(rotations, "rotation"),
	].filter((p) => p !== "");
	if (parts.length === 0) return "no AccessPolicy here asks for a role or names a workload.";
	const all = parts.length === 3 ? `${parts[0]}, ${parts[1]} and ${parts[2]}` : parts.join(" and ");
	return `${all} ${roles + workloads + rotations === 1 ? "is" : "are"} as git says.`;
}

/** `1 role`, `2 roles`. */
export function count(n: number, one: string, many = `${one}s`): string {
	return `${n} ${n === 1 ? one : many}`;
}

/** The same command line again with the plan's own flags, for a person to paste. */
export function commandWords(verb: "apply" | "plan", file: PlanFile): string {
	const r = file.request;
	const words = ["ecs-access", ...(file.of === undefined ? [] : [file.of]), verb];
	if (r.git !== undefined) {
		words.push("--git", r.git.url);
		if (r.git.ref !== undefined) words.push("--ref", r.git.ref);
		if (r.git.subdir !== undefined) words.push("--subdir", r.git.subdir);
	} else if (r.path !== undefined && r.path !== "policies") words.push("--path", r.path);
	for (const key of r.only ?? []) words.push("--only", key);
	if (r.prune) words.push("--prune");
	if (r.requireSignatures === true) words.push("--require-signatures");
	if (r.allowedSigners !== undefined) words.push("--allowed-signers", r.allowedSigners);
	if (r.duringFreeze !== undefined) words.push("--during-freeze", r.duringFreeze);
	return escapeTerminal(words.map(shellWord).join(" "));
}

export function shellWord(word: string): string {
	return /^[\w@%+=:,./-]+$/.test(word) ? word : `'${word.replace(/'/g, `'\\''`)}'`;
}

/** Who may become a role, as its trust policy names them: `ecs-tasks.amazonaws.com, arn:aws:iam::…:root`. */
export function principalsOf(trust: PolicyDocument): string {
	const names = trust.Statement.filter((s) => s.Effect === "Allow").flatMap((s) => {
		if (s.NotPrincipal !== undefined) return ["anyone but a named few"];
		if (s.Principal === undefined) return [];
		return s.Principal === "*" ? ["anyone"] : Object.values(s.Principal).flat();
	});
	return escapeTerminal([...new Set(names)].join(", "));
}

/** `2026-11-24 09:12 UTC`. */
export function instantWords(instant: string): string {
	return escapeTerminal(`${instant.slice(0, 16).replace("T", " ")} UTC`);
}

/** A statement as a sentence: `may s3:GetObject on arn:…, when aws:SourceAccount is …`. */
export function statementWords(s: Statement, verbose: boolean): string {
	const of = (value: string | readonly string[] | undefined, not: string | readonly string[] | undefined): readonly string[] =>
		not === undefined ? [value ?? []].flat() : [`all but ${[not].flat().join(", ")}`];
	const conditions = Object.entries(s.Condition ?? {}).flatMap(([operator, keys]) =>
		Object.entries(keys).map(([key, values]) => `${key} ${operator} ${[values].flat().join(" or ")}`),
	);
	const line: AccessLine = {
		actions: of(s.Action, s.NotAction),
		resources: of(s.Resource, s.NotResource),
		when: conditions.length === 0 ? null : conditions.join(" and "),
		witness: null,
	};
	return `${s.Effect === "Allow" ? "may" : "must not"} ${accessWords(line, verbose)}`;
}
