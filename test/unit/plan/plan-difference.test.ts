import { expect, test } from "vitest";
import { planDifference } from "../../../controller/plan/plan-difference.ts";
import { plan, role, step } from "../render/fixtures.ts";

test("what moved is named once where policy and role have one name, else both", () => {
	const of = (name: string, target: string, precondition: string) =>
		plan(name, "update", [step(role(target), { precondition: `sha256:${precondition}` })]);
	const changed = (name: string, target: string) => planDifference([of(name, target, "a")], [of(name, target, "b")]);
	expect(changed("billing-task", "billing-task")).toEqual(["billing-task: the role has changed in AWS"]);
	expect(changed("billing", "billing-task")).toEqual(["billing: billing-task: the role has changed in AWS"]);
});
