import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { validateArtifact } from "../../../controller/engine/validate.ts";
import { actions, artifact, catalog, lines, NOW } from "./world.ts";

const root = join(import.meta.dirname, "../../../policies");
const files = Object.fromEntries(
	readdirSync(root, { recursive: true, encoding: "utf8" })
		.filter((path) => path.endsWith(".yaml"))
		.map((path) => [path, readFileSync(join(root, path), "utf8")]),
);

test("the example repository is valid, its guardrails included; what cannot be known offline is a note", () => {
	const { findings } = validateArtifact(artifact(files), { actions, now: NOW });
	expect(lines(findings.filter((f) => f.severity !== "note" || f.id !== "NotEvaluatedOffline"))).toEqual([]);
});

test("it has every kind but an approval, and the library of permission sets", () => {
	const { view } = catalog(files);
	expect([...new Set(view.resources.map((r) => r.kind))].sort()).toEqual([
		"AccessGrant",
		"AccessPolicy",
		"Account",
		"Guardrail",
		"Installation",
		"PermissionSet",
		"SecretRotation",
	]);
	expect(
		view
			.ofKind("PermissionSet")
			.map((r) => r.metadata.name)
			.toSorted(),
	).toEqual(["dynamodb-table-rw", "ecs-exec", "logs-write", "opentelemetry-write", "s3-read", "sqs-consume", "xray-write"]);
	expect(view.ofKind("PermissionSet").filter((r) => (r.spec as { description?: string }).description === undefined)).toEqual([]);
});

test("its guardrails speak: a policy that asks for iam:* is refused", () => {
	const billing = "teams/billing/billing.yaml";
	const changed = {
		...files,
		[billing]: (files[billing] ?? "").replace("[sns:Publish]", '["iam:*"]').replace(/arn:aws:sns.*payments/, "*"),
	};
	const { findings } = validateArtifact(artifact(changed), { actions, now: NOW });
	expect(
		findings.flatMap((f) => (f.guardrail === undefined ? [] : [`${f.guardrail.name}/${f.guardrail.rule} ${f.key ?? ""}`])),
	).toContain("production-baseline/no-iam AccessPolicy/billing");
});
