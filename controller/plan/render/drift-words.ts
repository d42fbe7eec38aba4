import type { Drift } from "../../model/drift.ts";
import type { Culprit } from "../../model/hint.ts";
import type { Plan } from "../../model/plan.ts";
import { escapeTerminal } from "./escape.ts";
import { instantWords } from "./words.ts";

/** Who did it, and since when, of what a hand changed. All of it is text of others: what is returned is escaped. */

/**
 * ` since 2026-11-24 09:12 UTC, by arn:…`: of all that drifted in a plan the earliest time, and everybody by name. Empty where nothing is known; without an event it is when the drift was first seen.
 */
export function sinceWords(plan: Pick<Plan, "drifts">): string {
	const drifts = plan.drifts ?? [];
	const told = drifts.filter((d) => d.culprit !== null);
	const [first] = (told.length > 0 ? told : drifts.filter((d) => d.recorded)).map((d) => d.since).toSorted(byTime);
	if (first === undefined) return "";
	if (told.length === 0) return ` (first seen ${instantWords(first)})`;
	return ` since ${instantWords(first)}, by ${byWhom(told)}`;
}

function byTime(a: string, b: string): number {
	return Date.parse(a) - Date.parse(b);
}

function byWhom(told: readonly Drift[]): string {
	const names = [...new Set(told.flatMap((d) => (d.culprit === null ? [] : [d.culprit.arn])))];
	return names.map(escapeTerminal).join(" and ");
}

/** Whether the targets of a plan, or their parts, were changed by different people or at different times. */
export function differ({ drifts = [] }: Plan): boolean {
	return new Set(drifts.map((d) => `${d.since} ${d.culprit?.arn}`)).size > 1;
}

/** `iam:PutRolePolicy at 2026-11-24 09:12 UTC from 203.0.113.9 with aws-cli/2.17` */
export function howWords(culprit: Culprit): string {
	return escapeTerminal(`${culprit.action} at ${instantWords(culprit.at)}${whereWords(culprit)}`);
}

/** SDKs write long ones, and what tells them apart stands at the beginning; JSON has all of it. */
const AGENT_SHOWN = 60;

/** ` from 203.0.113.9 with aws-cli/2.17`; not escaped. */
export function whereWords({ sourceIp, userAgent }: Culprit): string {
	const agent = userAgent !== null && userAgent.length > AGENT_SHOWN ? `${userAgent.slice(0, AGENT_SHOWN)}…` : userAgent;
	return `${sourceIp === null ? "" : ` from ${sourceIp}`}${agent === null ? "" : ` with ${agent}`}`;
}

/** What has drifted, since when and by whom, in one line; not escaped, for a status. Empty where nothing has. */
export function driftWords({ drifts = [] }: Plan): string {
	return drifts
		.map(({ target, part, since, culprit }) => {
			const what = part === "role" ? target.name : `${part} of ${target.name}`;
			if (culprit === null) return `${what}, first seen ${since}`;
			return `${what} since ${since}, by ${culprit.arn} (${culprit.action})`;
		})
		.join("; ");
}
