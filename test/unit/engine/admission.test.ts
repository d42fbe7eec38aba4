import { describe, expect, test } from "vitest";
import { type Admitted, admit } from "../../../controller/engine/admission.ts";
import { loadCatalog } from "../../../controller/engine/catalog.ts";
import type { Artifact } from "../../../controller/model/resource.ts";
import { createCatalogue } from "../../../controller/policy/catalogue.ts";

const actions = createCatalogue();
const HEAD = "apiVersion: ecs-access.dev/v1alpha1\n";
const ACCOUNT = `${HEAD}kind: Account\nmetadata: { name: prod }\nspec: { accountId: "123456789012", region: eu-west-1 }\n`;
const INSTALLATION = `${HEAD}kind: Installation\nmetadata: { name: main }\nspec: { mode: Observe }\n`;
const GUARDRAIL = `${HEAD}kind: Guardrail\nmetadata: { name: base }\nspec: { enforcement: Deny, rules: [{ id: no-iam, denyActions: ["iam:*"] }] }\n`;
const POLICY = `${HEAD}kind: AccessPolicy\nmetadata: { name: orders }\nspec:\n  accountRef: prod\n  workloads: [{ cluster: prod, services: [orders] }]\n  taskRole: { statements: [{ actions: [s3:GetObject], resources: ["arn:aws:s3:::x/*"] }] }\n`;

const GOOD = {
	"platform/account.yaml": ACCOUNT,
	"platform/main.yaml": INSTALLATION,
	"platform/guard.yaml": GUARDRAIL,
	"orders.yaml": POLICY,
};
const BEFORE: Admitted = { revision: "a1", platform: true, installation: true, guardrails: 1 };

function decide(
	files: Readonly<Record<string, string>>,
	more: { before?: Admitted | null; descends?: boolean; word?: string } = {},
) {
	const artifact: Artifact = {
		revision: { kind: "commit", id: "b2" },
		digest: "sha256:0",
		root: "policies",
		files: new Map(Object.entries(files)),
		source: "directory",
		partial: null,
	};
	const catalog = loadCatalog(artifact, { actions, defaults: null, now: "2026-11-24T09:00:00Z" });
	return admit({
		artifact,
		catalog,
		before: more.before === undefined ? BEFORE : more.before,
		descends: more.descends ?? true,
		word: more.word ?? null,
	});
}

const without = (name: keyof typeof GOOD) => Object.fromEntries(Object.entries(GOOD).filter(([path]) => path !== name));

test("a good revision is admitted and remembered by what it holds", () => {
	expect(decide(GOOD)).toEqual({ admitted: true, stalled: new Map(), summary: { ...BEFORE, revision: "b2" } });
});

describe("refused as a whole", () => {
	const cases: readonly [string, Parameters<typeof decide>, string, boolean][] = [
		["a file that is not YAML, wherever it is", [{ ...GOOD, "team/x.yaml": "a: [" }], "InvalidYaml", false],
		[
			"an invalid document below platform/",
			[{ ...GOOD, "platform/guard.yaml": GUARDRAIL.replace("Deny", "Maybe") }],
			"InvalidPlatform",
			false,
		],
		["the loss of the Installation", [without("platform/main.yaml")], "InstallationLost", true],
		["the loss of the last Guardrail", [without("platform/guard.yaml")], "GuardrailsLost", true],
		["a revision that does not descend from the last", [GOOD, { descends: false }], "NotDescendant", true],
	];
	test.each(cases)("%s", (_name, args, reason, byWord) => {
		expect(decide(...args)).toMatchObject({ admitted: false, reason, byWord });
	});

	test("the loss of platform/ as a whole", () => {
		const policy = POLICY.replace("  accountRef: prod\n", "");
		expect(decide({ "orders.yaml": policy })).toMatchObject({ admitted: false, reason: "PlatformLost" });
	});
});

test("a person's word for that very revision accepts a loss, and one for another does not", () => {
	expect(decide(without("platform/guard.yaml"), { word: "b2" })).toMatchObject({ admitted: true });
	expect(decide(without("platform/guard.yaml"), { word: "c3" })).toMatchObject({ admitted: false });
	expect(decide({ ...GOOD, "x.yaml": "a: [" }, { word: "b2" })).toMatchObject({ admitted: false });
});

test("the first revision ever read is admitted, whatever it lacks", () => {
	expect(decide(without("platform/guard.yaml"), { before: null })).toMatchObject({ admitted: true });
});

test("an invalid document elsewhere stalls only itself, and counts as present", () => {
	const bad = POLICY.replace("s3:GetObject", "s3:GetObjct")
		.replace("name: orders", "name: broken")
		.replaceAll("[orders]", "[broken]");
	const decision = decide({ ...GOOD, "broken.yaml": bad });
	expect(decision).toMatchObject({ admitted: true });
	if (decision.admitted) expect([...decision.stalled.keys()]).toEqual(["AccessPolicy/broken"]);
});

test("all claimants of one thing stall, and nobody else", () => {
	const decision = decide({
		...GOOD,
		"twin.yaml": POLICY.replace("name: orders", "name: twin"),
		"other.yaml": POLICY.replace("name: orders", "name: other").replace("[orders]", "[other]"),
	});
	expect(decision).toMatchObject({ admitted: true });
	if (decision.admitted) expect([...decision.stalled.keys()].sort()).toEqual(["AccessPolicy/orders", "AccessPolicy/twin"]);
});
