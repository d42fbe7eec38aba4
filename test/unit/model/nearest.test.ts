import { expect, test } from "vitest";
import { didYouMean, nearest } from "../../../controller/model/nearest.ts";

test("a slip of the hand is understood, something else is not guessed at", () => {
	const fields = ["statements", "permissionSets", "tags", "trust"];
	expect(nearest("statments", fields)).toEqual(["statements"]);
	expect(nearest("permissionsets", fields)).toEqual(["permissionSets"]);
	expect(nearest("tgas", fields)).toEqual(["tags"]);
	expect(nearest("description", fields)).toEqual([]);
	expect(nearest("", fields)).toEqual([]);
});

test("the best comes first, equals in order of their letters", () => {
	expect(nearest("orders-ap", ["orders-app", "orders-api", "orders-ap", "billing"], 3)).toEqual([
		"orders-ap",
		"orders-api",
		"orders-app",
	]);
	expect(didYouMean("orders-ap", ["orders-app", "orders-api"])).toBe('did you mean "orders-api"?');
	expect(didYouMean("x", ["orders-app"])).toBeUndefined();
});
