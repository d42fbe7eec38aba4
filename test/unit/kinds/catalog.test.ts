import { describe, expect, test } from "vitest";
import { KIND_SCHEMAS } from "../../../controller/kinds/generated/schemas.ts";
import { KINDS } from "../../../controller/kinds/registry.ts";
import { FINDINGS } from "../../../controller/model/findings.ts";
import { catalog, DEV, doc, lines, PROD, policy } from "./world.ts";

const files = {
	"platform/a.yaml": `${PROD}---\n${DEV}`,
	"a.yaml": policy("accountRefs: [dev, prod]", "orders-api"),
	"b.yaml": policy("accountRef: prod", "billing"),
};

describe("only", () => {
	const keys = (...only: string[]) => catalog(files, { only }).instances.map((i) => i.key);
	test("a policy means all its accounts, an instance that one", () => {
		expect(keys("AccessPolicy/orders-api")).toEqual(["AccessPolicy/orders-api@dev", "AccessPolicy/orders-api@prod"]);
		expect(keys("AccessPolicy/orders-api@prod", "AccessPolicy/billing")).toEqual([
			"AccessPolicy/orders-api@prod",
			"AccessPolicy/billing",
		]);
	});
	test("what is not there is an error with the nearest, never nothing to do", () => {
		expect(lines(catalog(files, { only: ["AccessPolicy/order-api"] }).findings)).toEqual([
			"- error UnknownReference no AccessPolicy/order-api in this source -> did you mean AccessPolicy/orders-api, AccessPolicy/orders-api@dev, AccessPolicy/orders-api@prod?",
		]);
		expect(lines(catalog(files, { only: ["Account/prod"] }).findings)[0]).toMatch(
			/^- error UnknownReference Account\/prod has nothing of its own to plan/,
		);
	});
});

test("without an Installation it is the default one, and the source is what the artifact says", () => {
	expect(catalog(files).view).toMatchObject({ installation: "default", source: "directory" });
	const text = doc("Installation", "main", "source: github.com/acme/access");
	expect(catalog({ ...files, "platform/i.yaml": text }).view).toMatchObject({
		installation: "main",
		source: "github.com/acme/access",
	});
});

test("without an Account there is the caller's own, and with a wrong one there is none", () => {
	const only = (more: Record<string, string>, defaults?: { accountId: string; region: string }) =>
		catalog({ "a.yaml": policy("suspend: true"), ...more }, defaults === undefined ? {} : { defaults }).view.accounts;
	expect(only({})).toMatchObject([{ name: "default", accountId: null, region: null, regions: [], origin: null }]);
	expect(only({}, { accountId: "123456789012", region: "us-gov-west-1" })).toMatchObject([
		{ name: "default", accountId: "123456789012", regions: ["us-gov-west-1"], partition: "aws-us-gov" },
	]);
	expect(only({ "platform/a.yaml": doc("Account", "prod", "region: eu-west-1") })).toEqual([]);
});

test("an Account has its defaults", () => {
	expect(catalog({ "platform/a.yaml": PROD }).view.accounts).toMatchObject([
		{
			name: "prod",
			accountId: "123456789012",
			region: "eu-west-1",
			regions: ["eu-west-1"],
			partition: "aws",
			rolePath: "/ecs-access/",
			permissionsBoundary: null,
			labels: { env: "prod" },
			deployers: [],
			assumeRole: null,
		},
	]);
});

test("every kind of the registry has a definition, and the other way round", () => {
	expect(KINDS.map((k) => [k.kind, k.plural])).toEqual(KIND_SCHEMAS.map((k) => [k.kind, k.plural]));
});

test("every finding's id is in the registry of findings", async () => {
	const { readdirSync, readFileSync } = await import("node:fs");
	const root = new URL("../../../controller/kinds/", import.meta.url);
	const ids = new Set<string>();
	for (const name of readdirSync(root, { recursive: true, encoding: "utf8" })) {
		if (!name.endsWith(".ts") || name.startsWith("generated")) continue;
		const text = readFileSync(new URL(name, root), "utf8");
		for (const [, id = ""] of text.matchAll(/(?:problem|warning|say|error|\bid:)\s*\(?\s*"([A-Z]\w+)"/g)) ids.add(id);
	}
	expect(ids.size).toBeGreaterThan(30);
	expect([...ids].filter((id) => !Object.hasOwn(FINDINGS, id))).toEqual([]);
});
