import { runUnsafeSimulation } from "@cloud-copilot/iam-simulate";
import * as fc from "fast-check";
import { expect, it } from "vitest";
import type { AccessSide, Witness } from "../../../controller/policy/access.ts";
import { createCatalogue } from "../../../controller/policy/catalogue.ts";
import { accessChange } from "../../../controller/policy/effect.ts";
import { evaluate } from "../../../controller/policy/evaluate.ts";
import { request, side } from "./arbitraries.ts";

const RUNS = 800;

/** An independent simulator of IAM, for a principal of the account that owns the resource. */
function simulated(access: AccessSide, asked: Witness): string {
	const policy = (doc: unknown, i: number) => ({ name: `p${i}`, policy: doc });
	const result = runUnsafeSimulation(
		{
			request: {
				principal: "arn:aws:iam::123456789012:role/r",
				action: asked.action,
				resource: { resource: asked.resource, accountId: "123456789012" },
				contextVariables: Object.fromEntries(Object.entries(asked.context).map(([k, v]) => [k, v[0] ?? ""])),
			},
			identityPolicies: access.documents.map(policy),
			serviceControlPolicies: [],
			resourceControlPolicies: [],
			...(access.boundary !== null &&
				access.boundary !== "unknown" && { permissionBoundaryPolicies: [policy(access.boundary, 0)] }),
		},
		{},
	);
	return String(result);
}

const WORDS: Readonly<Record<string, string>> = {
	Allowed: "allowed",
	ImplicitlyDenied: "implicitDeny",
	ExplicitlyDenied: "explicitDeny",
};

it("decides as an independent simulator does, on random policies and requests", () => {
	const seen = new Map<string, number>();
	fc.assert(
		fc.property(side, request, (access, asked) => {
			const ours = evaluate(access, asked);
			seen.set(ours, (seen.get(ours) ?? 0) + 1);
			if (ours !== "unknown") expect(ours).toBe(WORDS[simulated(access, asked)]);
		}),
		{ numRuns: RUNS },
	);
	// Undecided is allowed for, but must stay the exception, and the rest must not be all of one kind.
	expect(seen.get("unknown") ?? 0).toBeLessThan(RUNS / 10);
	for (const decision of ["allowed", "explicitDeny", "implicitDeny"]) expect(seen.get(decision)).toBeGreaterThan(RUNS / 50);
});

it("agrees with every witness: refused on one side of the change, allowed on the other", () => {
	const catalogue = createCatalogue();
	let witnesses = 0;
	fc.assert(
		fc.property(side, side, (before, after) => {
			const { gains, losses } = accessChange(before, after, catalogue);
			for (const [lines, from, to] of [
				[gains, before, after],
				[losses, after, before],
			] as const) {
				for (const { witness } of lines) {
					// `*` stands for any resource, which the simulator cannot be asked about.
					if (witness === null || witness.resource === "*") continue;
					witnesses++;
					expect([simulated(from, witness), simulated(to, witness)]).toEqual([expect.stringMatching(/Denied$/), "Allowed"]);
				}
			}
		}),
		{ numRuns: 300 },
	);
	expect(witnesses).toBeGreaterThan(100);
});
