import { existsSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import type { AnyDesired, AnyObserved, RoleWanted } from "../../../controller/model/desired.ts";
import type { Fact, Reference } from "../../../controller/model/reference.ts";
import type { Resource } from "../../../controller/model/resource.ts";
import { targetId } from "../../../controller/model/target.ts";
import { appliedRole } from "../../../controller/plan/applied.ts";
import { planInstance } from "../../../controller/plan/instance.ts";
import type { PlanInput } from "../../../controller/plan/input.ts";
import { desire, factsOf, input, MANAGED, observe, origin, ROLE, resource, role, roleState, view, wanted } from "../../unit/plan/world.ts";

/** What a case's `input.json` says; all else is as in the unit tests' world. */
interface Case {
	/** What it shows, for who reads it. */
	readonly about: string;
	readonly wanted: Partial<RoleWanted>;
	/** Null: there is no such role. */
	readonly live: Parameters<typeof roleState>[0] | null;
	/** What was last applied; absent: nothing is remembered. */
	readonly last?: Partial<RoleWanted>;
	readonly workloads?: readonly AnyDesired[];
	readonly observed?: readonly AnyObserved[];
	readonly guardrails?: readonly object[];
	/** What is known beyond the targets. */
	readonly facts?: readonly (readonly [Reference, Fact])[];
}

const HERE = import.meta.dirname;
const cases = readdirSync(HERE, { withFileTypes: true })
	.filter((e) => e.isDirectory())
	.map((e) => e.name)
	.sort();

function inputOf(c: Case): PlanInput {
	const w = wanted(c.wanted);
	const rails = (c.guardrails ?? []).map(
		(spec, n): Resource => ({
			...resource(`rail-${n}`, { kind: "Guardrail", key: `Guardrail/rail-${n}` }),
			spec,
			at: () => origin(22, "policies/platform/guardrails.yaml"),
		}),
	);
	const live: AnyObserved = c.live === null ? { target: ROLE, exists: false } : role(roleState(c.live));
	const entry = { target: ROLE, applied: c.last === undefined ? null : appliedRole(wanted(c.last)), appliedAt: null };
	return input(w, null, {
		desired: [desire(w), ...(c.workloads ?? [])],
		observed: observe(live, ...(c.observed ?? [])),
		...(c.facts !== undefined && { facts: factsOf(MANAGED, c.facts) }),
		last: new Map([[targetId(ROLE), entry]]),
		view: view([resource(), ...rails]),
	});
}

describe("golden plans", () => {
	test.each(cases)("%s", (name) => {
		const c = JSON.parse(readFileSync(join(HERE, name, "input.json"), "utf8")) as Case;
		const made = `${JSON.stringify(planInstance(inputOf(c)), null, "\t")}\n`;
		const file = join(HERE, name, "plan.json");
		if (process.env["UPDATE_GOLDEN"] === "1") writeFileSync(file, made);
		expect(existsSync(file), `${name}/plan.json is missing: run with UPDATE_GOLDEN=1`).toBe(true);
		expect(made).toBe(readFileSync(file, "utf8"));
	});

	test("there are cases", () => {
		expect(cases.length).toBeGreaterThan(5);
	});
});
