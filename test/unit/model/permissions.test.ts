import { expect, test } from "vitest";
import { PERMISSIONS } from "../../../controller/model/permissions.ts";

test("no permission is listed twice, each says why, and no more can be written than roles of ours and the store", () => {
	expect(new Set(PERMISSIONS.map((p) => p.action)).size).toBe(PERMISSIONS.length);
	for (const p of PERMISSIONS) expect(p.why).not.toBe("");
	expect(new Set(PERMISSIONS.filter((p) => p.access === "write").map((p) => p.on))).toEqual(new Set(["role", "table"]));
});

test("nothing that is called reads or writes a secret's value, or passes a role", () => {
	const actions = PERMISSIONS.map((p): string => p.action);
	expect(actions.filter((a) => /^secretsmanager:|^ssm:|^kms:|PassRole/.test(a))).toEqual([]);
});
