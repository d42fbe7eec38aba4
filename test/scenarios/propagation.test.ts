import { PutRolePolicyCommand } from "@aws-sdk/client-iam";
import { expect, test } from "vitest";
import type { Plan, PlanFile } from "../../controller/model/plan.ts";
import { roleSeed } from "../sandbox/seed-data.ts";
import { useSandbox } from "../sandbox/use.ts";
import { createWorld } from "./world.ts";

const sandbox = useSandbox();
const READ = { Effect: "Allow", Action: "s3:GetObject", Resource: "arn:aws:s3:::orders/*" } as const;
const REMOVE = { ...READ, Action: "s3:DeleteObject" } as const;

function policy(...actions: readonly string[]): object {
	return {
		apiVersion: "ecs-access.dev/v1alpha1",
		kind: "AccessPolicy",
		metadata: { name: "orders" },
		spec: {
			workloads: [{ cluster: "prod", services: ["orders"] }],
			taskRole: {
				name: "orders-task",
				path: "/",
				adopt: true,
				statements: actions.map((action) => ({ actions: [action], resources: ["arn:aws:s3:::orders/*"] })),
			},
			management: { exclusive: true },
		},
	};
}

function calls(file: PlanFile): readonly string[] {
	return file.plans.flatMap((p) => p.steps.map((s) => s.call.api)).filter((api) => api !== "none");
}

test("what a killed run gave must have propagated before the next run takes away what it replaces", async () => {
	const world = createWorld(sandbox);
	await world.seed({ roles: [roleSeed("orders-task", [READ, REMOVE])] });
	world.write("orders.yaml", policy("s3:GetObject", "s3:PutObject"));
	await world.apply();
	const world2 = createWorld(sandbox);
	await world2.seed({ roles: [roleSeed("orders-task", [READ, REMOVE])] });
	world2.write("orders.yaml", policy("s3:GetObject", "s3:PutObject"));
	const file = await world2.plan();
	expect(calls(file).slice(-2)).toEqual(["iam:PutRolePolicy", "iam:DeleteRolePolicy"]);
	const withoutLast = (p: Plan): Plan => ({ ...p, steps: p.steps.filter((s) => s.call.api !== "iam:DeleteRolePolicy") });
	await world2.execute({ ...file, plans: file.plans.map(withoutLast) });
	world2.clock.advance(20);

	const rest = await world2.plan();
	expect(calls(rest)).toEqual(["iam:DeleteRolePolicy"]);
	const began = world2.clock.millis();
	await world2.execute(rest);
	expect(world2.clock.millis() - began).toBe(40_000);
	// The same role in the end as without the kill.
	expect((await world2.roles())["orders-task"]?.inline).toEqual((await world.roles())["orders-task"]?.inline);
});

test("what nothing of ours stands for is taken away at once", async () => {
	const world = createWorld(sandbox);
	await world.seed({ roles: [roleSeed("orders-task", [READ])] });
	world.write("orders.yaml", policy("s3:GetObject"));
	await world.apply();
	const rogue = JSON.stringify({ Version: "2012-10-17", Statement: [{ Effect: "Allow", Action: "*", Resource: "*" }] });
	await world.iam.send(new PutRolePolicyCommand({ RoleName: "orders-task", PolicyName: "rogue", PolicyDocument: rogue }));
	const began = world.clock.millis();
	const { execution } = await world.apply();
	expect(execution.runs.map((r) => r.step.call.api)).toEqual(["iam:DeleteRolePolicy"]);
	expect(world.clock.millis()).toBe(began);
});
