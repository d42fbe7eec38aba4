import type { Answer, Checked } from "../engine/doctor.ts";
import { escapeTerminal } from "../plan/render/escape.ts";
import { createPaint, type Style } from "../plan/render/palette.ts";
import { structured } from "./structured.ts";

/** What `doctor -o json` prints: docs/schemas/doctor-report.json. */
export interface DoctorReport {
	readonly apiVersion: "ecs-access.dev/v1alpha1";
	readonly kind: "DoctorReport";
	/** Null where the source could not be read. */
	readonly installation: string | null;
	readonly checkedAt: string;
	readonly counts: Readonly<Record<Answer["result"], number>>;
	readonly checks: readonly Checked[];
}

export function doctorReport(of: Pick<DoctorReport, "installation" | "checkedAt" | "checks">): DoctorReport {
	const number = (result: Answer["result"]): number => of.checks.filter((c) => c.result === result).length;
	return {
		apiVersion: "ecs-access.dev/v1alpha1",
		kind: "DoctorReport",
		installation: of.installation,
		checkedAt: of.checkedAt,
		counts: { ok: number("ok"), warning: number("warning"), failed: number("failed"), skipped: number("skipped") },
		checks: of.checks,
	};
}

const STYLES: Readonly<Record<Answer["result"], Style>> = { ok: "add", warning: "warning", failed: "error", skipped: "dim" };

export async function renderDoctor(report: DoctorReport, format: "text" | "json" | "yaml", color: boolean): Promise<string> {
	if (format !== "text") return structured(format, report);
	const paint = createPaint(color);
	const several = new Set(report.checks.map((c) => c.account)).size > 2;
	const nameOf = (c: Checked): string => escapeTerminal(several && c.account !== null ? `${c.id} ${c.account}` : c.id);
	const width = Math.max(...report.checks.map((c) => nameOf(c).length));
	const lines = report.checks.flatMap((c) => {
		const head = `${paint(STYLES[c.result], c.result.padEnd(7))}  ${nameOf(c).padEnd(width)}  ${escapeTerminal(c.message)}`;
		const fix = c.fix === undefined ? [] : [`${" ".repeat(11 + width)}${paint("command", escapeTerminal(c.fix))}`];
		return [head, ...fix];
	});
	const { counts } = report;
	const parts = (["ok", "warning", "failed", "skipped"] as const).flatMap((r) => (counts[r] === 0 ? [] : [`${counts[r]} ${r}`]));
	return `${[...lines, "", `${report.checks.length} checks: ${parts.join(", ")}.`].join("\n")}\n`;
}
