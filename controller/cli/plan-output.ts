import type { PlanFile } from "../model/plan.ts";
import type { CliContext } from "./context.ts";
import { structured } from "./structured.ts";

/** A plan on stdout in one of its formats; `next`: a text says what to run next. */
export async function printPlan(
	ctx: CliContext,
	file: PlanFile,
	format: "text" | "markdown" | "json" | "yaml",
	next: boolean | { readonly savedTo: string } = true,
): Promise<void> {
	switch (format) {
		case "json":
		case "yaml":
			return ctx.print(await structured(format, file));
		case "markdown": {
			const { renderPlanMarkdown } = await import("../plan/render/plan-markdown.ts");
			return ctx.print(renderPlanMarkdown(file));
		}
		case "text": {
			const { renderPlanText } = await import("../plan/render/plan-text.ts");
			return ctx.print(renderPlanText(file, { color: ctx.color.stdout, width: ctx.stdout.columns, verbose: ctx.verbose, next }));
		}
	}
}
