import { expect, test } from "vitest";
import { PERMISSIONS } from "../../../controller/model/permissions.ts";

test("no permission is listed twice, each says why, and no more can be written than roles of ours, workloads, secrets that are rotated and their listener rules, the store and the event path", () => {
	expect(new Set(PERMISSIONS.map((p) => p.action)).size).toBe(PERMISSIONS.length);
	for (const p of PERMISSIONS) expect(p.why).not.toBe("");
	const onAnything = PERMISSIONS.filter((p) => p.access === "write" && p.on === "*");
	expect(onAnything.map((p) => p.action)).toEqual(["ecs:RegisterTaskDefinition"]);
	expect(new Set(PERMISSIONS.filter((p) => p.access === "write").map((p) => p.on))).toEqual(
		new Set(["role", "table", "queue", "rule", "bus", "*", "cluster", "secret", "listener rule"]),
	);
});

test("secrets are written by rotations alone, none is made or deleted, and only a rule's target and a task definition are passed a role", () => {
	const ofSecrets = PERMISSIONS.filter((p) => /^secretsmanager:|^ssm:|^kms:/.test(p.action));
	expect(ofSecrets.filter((p) => p.access === "write").map((p) => p.action)).toEqual([
		"secretsmanager:PutSecretValue",
		"secretsmanager:UpdateSecretVersionStage",
		"secretsmanager:RotateSecret",
		"secretsmanager:TagResource",
		"secretsmanager:UntagResource",
	]);
	for (const p of ofSecrets.filter((s) => s.access === "write")) expect(p.why).toContain("SecretRotation");
	expect(ofSecrets.find((p) => p.action === "secretsmanager:GetSecretValue")?.why).toContain("git credentials");
	const passing = PERMISSIONS.filter((p) => "grantedBy" in p && p.grantedBy.some((a: string) => a === "iam:PassRole"));
	expect(passing.map((p) => p.action)).toEqual(["ecs:RegisterTaskDefinition", "events:PutTargets"]);
});
