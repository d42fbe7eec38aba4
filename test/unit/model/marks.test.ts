import { expect, test } from "vitest";
import { holdOf, isMark, ownerOf } from "../../../controller/model/marks.ts";

test("a role without the installation mark has no owner", () => {
	expect(ownerOf({ team: "orders", "ecs-access.dev/owner": "AccessPolicy/orders" })).toBeNull();
});

test("marks are read whatever the case of their keys, as IAM compares role tag keys", () => {
	const tags = {
		"ECS-Access.dev/Installation": "main",
		"ecs-access.dev/owner": "AccessPolicy/orders",
		"ecs-access.dev/adopted": "true",
	};
	expect(ownerOf(tags)).toMatchObject({
		installation: "main",
		owner: "AccessPolicy/orders",
		adopted: true,
		deletion: "orphan",
		retiredAt: null,
	});
	expect(isMark("ECS-Access.dev/Installation")).toBe(true);
});

test("a hold counts on a role that nobody marked", () => {
	expect(holdOf({ "ecs-access.dev/hold-until": "2026-12-01T00:00:00Z" })).toBe("2026-12-01T00:00:00Z");
});
