import { mkdirSync, mkdtempSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { commandLineError } from "../../../controller/cli/help.ts";
import { beforeAndAfter, foldHistory } from "../../../controller/cli/history-words.ts";
import { parseSelector } from "../../../controller/cli/selector.ts";
import { rootOf } from "../../../controller/cli/source-root.ts";
import { storePath } from "../../../controller/cli/state-dir.ts";
import { age, table } from "../../../controller/cli/table.ts";
import { instancesOf, keyOf, kindOf, notFound } from "../../../controller/engine/find-resource.ts";
import { entry } from "./state-fixture.ts";

describe("what is typed", () => {
	it("names a kind in any of its spellings, and a policy without one", async () => {
		expect(await Promise.all(["accesspolicies", "AccessPolicy", "accesspolicy"].map(kindOf))).toEqual([
			"AccessPolicy",
			"AccessPolicy",
			"AccessPolicy",
		]);
		expect(await keyOf(["orders-api"])).toBe("AccessPolicy/orders-api");
		expect(await keyOf(["accesspolicy", "orders-api@prod"])).toBe("AccessPolicy/orders-api@prod");
		expect(await keyOf(["permissionsets/x"])).toBe("PermissionSet/x");
		await expect(kindOf("guardrial")).rejects.toMatchObject({ fix: "did you mean guardrails?" });
	});

	it("without an account means all its instances", () => {
		const known = ["AccessPolicy/a@dev", "AccessPolicy/a@prod", "AccessPolicy/ab", "AccessPolicy/b"];
		expect(instancesOf("AccessPolicy/a", known)).toEqual(known.slice(0, 2));
		expect(instancesOf("AccessPolicy/a@dev", known)).toEqual(known.slice(0, 1));
	});

	it("is answered with the nearest names, and with none that are far", () => {
		const known = ["AccessPolicy/billing", "AccessPolicy/orders-api", "AccessPolicy/orders"];
		const fix = (name: string): string | undefined => notFound(`AccessPolicy/${name}`, known).fix;
		expect(fix("order-api")).toBe("did you mean orders-api?");
		expect(fix("ord")).toBe("did you mean orders-api or orders?");
		expect(fix("zzz")).toBe("ecs-access get lists what is known");
	});

	it("wrongly is one line with the suggestion", () => {
		expect(commandLineError("error: unknown option '--pth'\n(Did you mean --path?)")).toBe(
			"unknown option '--pth' — did you mean --path?",
		);
		expect(commandLineError("error: missing required argument 'key'")).toBe("missing required argument 'key' — see --help");
	});

	it("selects by labels as Kubernetes does", () => {
		const is = parseSelector("team=orders,env!=dev,tier");
		expect(is({ team: "orders", env: "prod", tier: "1" })).toBe(true);
		expect(is({ team: "orders", tier: "1" })).toBe(true);
		expect(is({ team: "orders", env: "dev", tier: "1" })).toBe(false);
		expect(is({ team: "orders" })).toBe(false);
		expect(() => parseSelector("a b")).toThrow(/not KEY, KEY=VALUE/);
	});

	it("as PATH finds the root that holds it", () => {
		const cwd = mkdtempSync(join(tmpdir(), "root-"));
		mkdirSync(join(cwd, "access/platform"), { recursive: true });
		mkdirSync(join(cwd, "policies/team"), { recursive: true });
		mkdirSync(join(cwd, "alone"));
		writeFileSync(join(cwd, "access/a.yaml"), "");
		writeFileSync(join(cwd, "policies/team/b.yaml"), "");
		expect(rootOf(cwd, undefined, [])).toBe("policies");
		expect(rootOf(cwd, undefined, ["access/a.yaml"])).toBe("access");
		expect(rootOf(cwd, undefined, ["policies/team/b.yaml"])).toBe("policies");
		expect(rootOf(cwd, undefined, ["alone"])).toBe("alone");
		expect(rootOf(cwd, "x", ["alone"])).toBe("x");
		expect(() => rootOf(cwd, undefined, ["access/a.yaml", "policies/team/b.yaml"])).toThrow(/not below access/);
		expect(() => rootOf(cwd, undefined, ["nowhere"])).toThrow(/no file or folder nowhere/);
	});
});

describe("where state lies", () => {
	it("follows XDG_STATE_HOME, then HOME, or the flag", () => {
		expect(storePath({ env: { XDG_STATE_HOME: "/x" }, stateDir: undefined }, "main")).toBe("/x/ecs-access/main/state.sqlite");
		expect(storePath({ env: { XDG_STATE_HOME: "relative", HOME: "/h" }, stateDir: undefined }, "main")).toBe(
			"/h/.local/state/ecs-access/main/state.sqlite",
		);
		expect(storePath({ env: {}, stateDir: "/s" }, "main")).toBe("/s/state.sqlite");
	});

	it("is never led out of its folder by a name", () => {
		expect(() => storePath({ env: { HOME: "/h" }, stateDir: undefined }, "../../etc")).toThrow(/not a DNS-1123 label/);
	});
});

describe("what is printed", () => {
	it("ages in one unit", () => {
		const ages = ["11:59:55", "11:48:00", "09:00:00"].map((t) => age(`2026-11-24T${t}Z`, "2026-11-24T12:00:00Z"));
		expect([...ages, age("2026-10-14T10:00:00Z", "2026-11-24T12:00:00Z")]).toEqual(["5s", "12m", "3h", "41d"]);
	});

	it("stands in columns, and cells are only text", () => {
		expect(
			table(
				["NAME", "STATUS"],
				[
					["orders-api", "ok"],
					["b", "\u001b[2J"],
				],
			),
		).toBe("NAME        STATUS\norders-api  ok\nb           \\x1b[2J\n");
	});

	it("folds a repeated event, and an intention into its outcome", () => {
		const drift = (at: string) => entry(at, { event: "drifted", reconcileId: at, api: null });
		const folded = foldHistory([
			drift("2026-11-24T12:00:00Z"),
			drift("2026-11-24T10:00:00Z"),
			drift("2026-11-24T09:00:00Z"),
			entry("2026-11-23T10:00:01Z"),
			entry("2026-11-23T10:00:00Z", { event: "intended" }),
			entry("2026-11-22T10:00:00Z", { event: "intended", reconcileId: "killed" }),
		]);
		expect(folded.map((f) => [f.entry.event, f.times, f.since])).toEqual([
			["drifted", 3, "2026-11-24T09:00:00Z"],
			["applied", 1, "2026-11-23T10:00:01Z"],
			["intended", 1, "2026-11-22T10:00:00Z"],
		]);
	});

	it("shows of before and after only what differs", () => {
		const lines = beforeAndAfter(
			entry("2026-11-24T12:00:00Z", { before: { a: 1, b: 2, c: 3 }, after: { a: 1, b: 4, c: 3 } }),
			(_s, t) => t,
			false,
		);
		expect(lines).toEqual(['-   "b": 2,', '+   "b": 4,']);
	});
});
