import { execFile } from "node:child_process";
import { cpSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { expect, test } from "vitest";

const run = promisify(execFile);
const root = join(import.meta.dirname, "../../..");
const GENERATED = [
	"controller/model/generated/specs.ts",
	"controller/kinds/generated/schemas.ts",
	"crds/editor-schema.json",
	"docs/kinds.md",
];

test("what is generated is as the CustomResourceDefinitions say", async () => {
	await run(process.execPath, [join(root, "crds/generate.ts"), "--check"], { cwd: root });
});

test("a changed definition makes every generated file stale, and generating makes it right", async () => {
	const copy = mkdtempSync(join(tmpdir(), "ecs-access-crds-"));
	try {
		for (const folder of ["crds", "controller/model/generated", "controller/kinds/generated"])
			cpSync(join(root, folder), join(copy, folder), { recursive: true });
		cpSync(join(root, "docs/kinds.md"), join(copy, "docs/kinds.md"));
		cpSync(join(root, "package.json"), join(copy, "package.json"));
		symlinkSync(join(root, "node_modules"), join(copy, "node_modules"));
		const crd = join(copy, "crds/approvals.ecs-access.dev.yaml");
		writeFileSync(
			crd,
			readFileSync(crd, "utf8")
				.replace("reason]", "because]")
				.replace("reason: { description: Why.", "because: { description: For what."),
		);
		const check = () => run(process.execPath, [join(copy, "crds/generate.ts"), "--check"], { cwd: copy });
		const failed: unknown = await check().then(
			() => null,
			(error: unknown) => error,
		);
		expect(failed).toMatchObject({ code: 1, stderr: `stale: ${GENERATED.join(", ")}; run npm run generate\n` });
		await run(process.execPath, [join(copy, "crds/generate.ts")], { cwd: copy });
		await check();
		expect(readFileSync(join(copy, "controller/model/generated/specs.ts"), "utf8")).toContain("readonly because: string;");
	} finally {
		rmSync(copy, { recursive: true, force: true });
	}
});

test("the editor's schema accepts what the parser accepts, and refuses an unknown field", async () => {
	const { Ajv } = await import("ajv");
	const schema = JSON.parse(readFileSync(join(root, "crds/editor-schema.json"), "utf8")) as object;
	const validate = new Ajv({ strict: false, formats: { "date-time": true } }).compile(schema);
	const doc = (spec: object) => ({ apiVersion: "ecs-access.dev/v1alpha1", kind: "AccessPolicy", metadata: { name: "a" }, spec });
	expect(validate(doc({ taskRole: { statements: [{ actions: ["s3:GetObject"], resources: ["*"] }] } }))).toBe(true);
	expect(validate(doc({ taskRole: { statments: [] } }))).toBe(false);
	expect(validate({ ...doc({}), kind: "Approval" })).toBe(false);
});
