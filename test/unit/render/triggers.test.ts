import { readFileSync } from "node:fs";
import { join } from "node:path";
import { Ajv } from "ajv";
import { expect, test } from "vitest";
import type { Plan } from "../../../controller/model/plan.ts";
import { renderPlanMarkdown } from "../../../controller/plan/render/plan-markdown.ts";
import { renderPlanText } from "../../../controller/plan/render/plan-text.ts";
import { change, plan, planFile, step } from "./fixtures.ts";

const at = { account: "123456789012", region: "eu-west-1" };
const queue = step(
	{ type: "sqs.queue", ...at, name: "ecs-access-main" },
	{
		call: { api: "sqs:CreateQueue", input: { QueueName: "ecs-access-main", Attributes: {}, Tags: {} } as never },
		why: "missing",
		diff: [change("+", "queue policy", "", { to: "lets 6 rules of this account in" })],
	},
);
const rule = step(
	{ type: "events.rule", ...at, name: "default/ecs-access-main-iam" },
	{
		call: { api: "events:PutRule", input: {} as never },
		why: "drifted",
		diff: [change("~", "rule", "", { from: "disabled", to: "enabled" })],
	},
);
const of = (p: Partial<Plan>) =>
	planFile([{ ...plan("main", "create", p.steps ?? []), key: "Triggers/main", roles: 1, workloads: 0, ...p }], {
		of: "triggers",
	});
const text = (p: Partial<Plan>) => renderPlanText(of(p), { color: false, width: 120, verbose: false });

test("a plan of triggers names queues and rules with their region, and the command that makes them", () => {
	const shown = text({ steps: [queue, rule] });
	expect(shown).toContain("+ Triggers/main  will be created");
	expect(shown).toContain("    queue ecs-access-main in eu-west-1\n      + queue policy = lets 6 rules of this account in\n");
	expect(shown).toContain("    rule ecs-access-main-iam in eu-west-1\n      ~ rule: disabled -> enabled");
	expect(shown).toContain("Next: ecs-access triggers apply ");
	expect(renderPlanMarkdown(of({ steps: [queue] }))).toContain("queue ecs-access-main in eu-west-1");
});

test("with nothing to do it says what was looked at, and asks for no policy", () => {
	const shown = text({ summary: "unchanged", unchanged: 14 });
	expect(shown).toContain("Nothing to do: all 14 queues, rules and roles by which events come are as they must be.");
});

test("the published schema holds for it", () => {
	const schema = JSON.parse(readFileSync(join(import.meta.dirname, "../../../docs/schemas/plan-file.json"), "utf8"));
	const ajv = new Ajv({ strict: true, formats: { "date-time": () => true } });
	const validate = ajv.compile(schema);
	expect([validate(JSON.parse(JSON.stringify(of({ steps: [queue, rule] })))), validate.errors]).toEqual([true, null]);
});
