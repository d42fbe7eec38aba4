import { expect, test } from "vitest";
import { explainPath } from "../../../controller/cli/explain.ts";
import { DEFINITIONS, KIND_SCHEMAS } from "../../../controller/kinds/generated/schemas.ts";
import type { Schema } from "../../../controller/kinds/schema.ts";
import { TerminalError } from "../../../controller/model/errors.ts";

test("a field is explained with its type, meaning, values and default", () => {
	expect(explainPath("AccessPolicy.spec.management.drift")).toBe(`KIND:     AccessPolicy
VERSION:  ecs-access.dev/v1alpha1

FIELD:    drift <string>
PATH:     AccessPolicy.spec.management.drift

DESCRIPTION:
    Enforce: what others change is put back. Report: it is only reported.

VALUES:   Enforce, Report

DEFAULT:  "Enforce"
`);
});

test("a kind is explained in any spelling, with its fields", () => {
	const text = explainPath("AccessGrant");
	expect(text).toContain("KIND:     AccessGrant\n");
	expect(text).toContain("    spec <object> -required-\n");
	expect(explainPath("accessgrants")).toBe(text);
	expect(explainPath("accessgrant")).toBe(text);
});

test("fields of lists and of named maps are reached through them", () => {
	expect(explainPath("AccessPolicy.spec.workloads.secrets.jsonKey")).toContain("The key of a JSON secret.");
	expect(explainPath("AccessPolicy.spec.workloads[].secrets[0].jsonKey")).toBe(
		explainPath("AccessPolicy.spec.workloads.secrets.jsonKey"),
	);
	expect(explainPath("PermissionSet.spec.params.table.pattern")).toContain("Regular expression that the value must match.");
	expect(explainPath("AccessGrant.spec.expiresAt")).toContain("FIELD:    expiresAt <time> -required-");
	expect(explainPath("AccessPolicy.spec.taskRole.statements")).toContain(
		"    conditions <map[string]map[string]value or []value>",
	);
	expect(explainPath("AccessPolicy.metadata.annotations")).toContain("renamed-from");
});

test.each([
	["AccesPolicy", 'no kind "AccesPolicy"', 'did you mean "AccessPolicy"?'],
	["AccessPolicy.spec.tskRole", 'no field "tskRole" in AccessPolicy.spec', 'did you mean "taskRole"?'],
	["Approval.spec.zzz", 'no field "zzz" in Approval.spec', "fields: approvalId, reason, expiresAt"],
	["AccessPolicy.spec.suspend.x", 'no field "x" in AccessPolicy.spec.suspend', "AccessPolicy.spec.suspend has no fields"],
])("%s does not exist, and the nearest is named", (path, message, fix) => {
	const thrown = (() => {
		try {
			return explainPath(path);
		} catch (error) {
			return error;
		}
	})();
	expect(thrown).toBeInstanceOf(TerminalError);
	expect(thrown).toMatchObject({ message, fix });
});

test("every field of every kind can be explained", () => {
	let fields = 0;
	const walk = (path: string, schema: Schema): void => {
		const own = schema.$ref === undefined ? schema : { ...DEFINITIONS[schema.$ref.replace("#/$defs/", "")] };
		expect(explainPath(path)).toContain("DESCRIPTION:\n    ");
		fields++;
		const within =
			own.items === undefined
				? own
				: own.items.$ref === undefined
					? own.items
					: (DEFINITIONS[own.items.$ref.replace("#/$defs/", "")] ?? {});
		for (const [name, field] of Object.entries(within.properties ?? {})) walk(`${path}.${name}`, field);
	};
	for (const k of KIND_SCHEMAS) walk(`${k.kind}.spec`, { $ref: `#/$defs/${k.spec}` });
	expect(fields).toBeGreaterThan(100);
});
