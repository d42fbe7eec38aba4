import { matchSecretRef, parseSecretRef } from "../model/secret-ref.ts";
import type { WorkloadStatus } from "../model/status.ts";
import { escapeTerminal } from "../plan/render/escape.ts";
import type { Paint } from "../plan/render/palette.ts";
import { targetWords } from "../plan/render/words.ts";

/** What each workload runs with, beside what git asks of it. Escaped. */
export function workloadLines(workloads: readonly WorkloadStatus[] | undefined, paint: Paint): readonly string[] {
	if (workloads === undefined) return ["  not looked at yet: ecs-access apply records them"];
	if (workloads.length === 0) return ["  none"];
	return workloads.flatMap((w) => {
		const head = `  ${paint("bold", targetWords(w.target))}  ${escapeTerminal(w.target.region)}`;
		if (w.live === null) return [`${head}  does not exist yet`];
		const rows = [
			...roleRow("task role", w.wanted.taskRole, w.live.taskRole),
			...roleRow("execution role", w.wanted.executionRole, w.live.executionRole),
			...secretRows(w, w.live.secrets),
		];
		const [width, wide] = [Math.max(...rows.map(([what]) => what.length)), Math.max(...rows.map(([, value]) => value.length))];
		return [
			`${head}  ${escapeTerminal(runningWords(w.live))}`,
			...rows.map(([what, value, verdict]) => {
				const said = verdict === "as git says" ? paint("dim", verdict) : paint("warning", escapeTerminal(verdict));
				return `    ${escapeTerminal(what.padEnd(width))}  ${escapeTerminal(value.padEnd(wide))}  ${said}`;
			}),
		];
	});
}

type Row = readonly [what: string, value: string, verdict: string];

/** `2 of 2 tasks running, billing:7`. */
function runningWords({ tasks, taskDefinition }: NonNullable<WorkloadStatus["live"]>): string {
	const revision = taskDefinition.slice(taskDefinition.lastIndexOf("/") + 1);
	if (tasks === null) return `newest revision ${revision}`;
	return `${tasks.running} of ${tasks.desired} ${tasks.desired === 1 ? "task" : "tasks"} running, ${revision}`;
}

function roleRow(what: string, wanted: string | null | undefined, live: string | null): readonly Row[] {
	const name = live === null ? "none" : roleName(live);
	if (wanted === undefined) return [[what, name, "not checked"]];
	return [[what, name, wanted === live ? "as git says" : `git says ${wanted === null ? "none" : roleName(wanted)}`]];
}

function roleName(arn: string): string {
	return arn.replace(/^arn:[^:]*:iam::\d*:role/, "");
}

function secretRows({ target, wanted }: WorkloadStatus, live: Readonly<Record<string, string>>): readonly Row[] {
	const asked = wanted.secrets ?? {};
	const names = [...new Set([...Object.keys(asked), ...Object.keys(live)])].sort();
	return names.map((name): Row => {
		const [git, there] = [asked[name], live[name]];
		const what = `secret ${name}`;
		if (there === undefined) return [what, secretName(git ?? ""), "missing in the task definition"];
		if (wanted.secrets === undefined || git === undefined) return [what, secretName(there), "git does not name it"];
		if (!matchSecretRef(git, there, target).matches) return [what, secretName(there), `git says ${secretName(git)}`];
		return [what, secretName(there), "as git says"];
	});
}

/** `prod/billing-db, key password`, `parameter /prod/url`. */
function secretName(ref: string): string {
	const parts = parseSecretRef(ref);
	if (parts === null) return ref;
	const name = parts.store === "parameter" ? `parameter ${parts.name}` : parts.name.replace(/-[A-Za-z0-9]{6}$/, "");
	return parts.jsonKey === null ? name : `${name}, key ${parts.jsonKey}`;
}
