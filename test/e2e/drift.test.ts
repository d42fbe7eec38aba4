import { readFileSync } from "node:fs";
import { join } from "node:path";
import { EventBridgeClient } from "@aws-sdk/client-eventbridge";
import { PutRolePolicyCommand } from "@aws-sdk/client-iam";
import { Ajv } from "ajv";
import { afterEach, describe, expect, test } from "vitest";
import { createInbox, putRule } from "../sandbox/inbox.ts";
import { useSandbox } from "../sandbox/use.ts";
import type { Running } from "./cli.ts";
import { liveRoles } from "./live.ts";
import { accountWith, documentText, policyText } from "./world.ts";

/** What a hand changed, as CloudTrail tells it to a running controller, and as the controller tells it to everybody. */

const sandbox = useSandbox();
const running: Running[] = [];
afterEach(async () => {
	for (const r of running) r.kill("SIGKILL");
	await Promise.all(running.splice(0).map((r) => r.ended));
});

const EVERYTHING = JSON.stringify({ Version: "2012-10-17", Statement: [{ Effect: "Allow", Action: "*", Resource: "*" }] });
const QUICK_FIX = { RoleName: "orders-task", PolicyName: "quick-fix", PolicyDocument: EVERYTHING };
const isAnnouncement = new Ajv({ strict: true, formats: { "date-time": (s: string) => !Number.isNaN(Date.parse(s)) } }).compile(
	JSON.parse(readFileSync(join(import.meta.dirname, "../../docs/schemas/announcement.json"), "utf8")),
);

/** A controller that hears a trail, and somebody who listens to what it tells. */
async function company() {
	const { account, kim, iam } = await accountWith(sandbox, "orders");
	await sandbox.configure(account, { trail: true });
	const spec = `{ accountId: "${account}", region: us-east-1, regions: [us-east-1] }`;
	kim.write("policies/platform/installation.yaml", documentText("Installation", "main", "{ mode: Enforce, resync: 1h }"));
	kim.write("policies/platform/prod.yaml", documentText("Account", "prod", spec));
	kim.write("policies/orders.yaml", policyText("orders"));
	const triggers = await kim.run("triggers", "apply", "--yes");
	expect(triggers.code, triggers.stderr).toBe(0);
	const inbox = await createInbox(sandbox, account, "told");
	const events = new EventBridgeClient({ ...sandbox.config(account), region: "us-east-1" });
	await putRule(events, { source: ["ecs-access"] }, inbox.arn);
	const told: { readonly type: string; readonly detail: Readonly<Record<string, unknown>> }[] = [];
	const hear = async (): Promise<typeof told> => {
		for (const { Body = "" } of await inbox.rest()) {
			const event = JSON.parse(Body);
			expect(isAnnouncement(event.detail), JSON.stringify(isAnnouncement.errors)).toBe(true);
			told.push({ type: event["detail-type"], detail: event.detail });
		}
		return told;
	};
	const run = kim.start("run", "--poll", "600");
	running.push(run);
	await run.says("iam:PutRolePolicy");
	const policies = async () => Object.keys((await liveRoles(iam))["orders-task"]?.inline ?? {});
	const state = ["--path", "/nowhere", "--installation", "main"] as const;
	return { account, kim, iam, run, hear, policies, state };
}

describe("a hand's change that an event tells of", () => {
	test("is healed, stands in the history with who did it and how, and is told to whoever listens", async () => {
		const { account, kim, iam, run, hear, policies, state } = await company();
		await iam.send(new PutRolePolicyCommand(QUICK_FIX));
		await expect.poll(policies, { timeout: 20_000 }).toEqual(["ecs-access"]);
		const who = `arn:aws:sts::${account}:assumed-role/Admin/kim`;
		await expect
			.poll(async () => (await hear()).map((t) => t.type), { timeout: 20_000 })
			.toEqual(expect.arrayContaining(["Revision Admitted", "Step Applied", "Drift Detected"]));
		const [drift] = (await hear()).filter((t) => t.type === "Drift Detected");
		expect(drift?.detail).toMatchObject({
			installation: "main",
			key: "AccessPolicy/orders",
			account: "prod",
			accountId: account,
			target: { type: "iam.role", name: "orders-task" },
			part: 'inline policy "quick-fix"',
			api: "iam:DeleteRolePolicy",
			effect: "narrows",
			culprit: { arn: who, action: "iam:PutRolePolicy", sourceIp: "127.0.0.1" },
		});
		expect(JSON.stringify(await hear())).not.toContain("Statement");
		run.kill("SIGTERM");
		expect((await run.ended).code).toBe(0);
		const history = (await kim.run("history", "orders", ...state)).stdout;
		expect(history).toMatch(/drifted role orders-task.*: inline policy "quick-fix" was added/);
		expect(history).toContain(`by ${who} (iam:PutRolePolicy from 127.0.0.1 with aws-sdk-js/`);
		expect(history).toContain(`changed by ${who}`);
		expect((await kim.run("describe", "orders", ...state)).stdout).toContain(`by ${who} (iam:PutRolePolicy`);
	});

	test("again and again ends in Contested: three times healed, then left, the rival named, and told once", async () => {
		const { account, kim, iam, run, hear, policies, state } = await company();
		await sandbox.resetCounts(account);
		const rival = { until: Date.now() + 60_000, stopped: false };
		const fight = (async () => {
			while (!rival.stopped && Date.now() < rival.until) {
				if (!(await policies()).includes("quick-fix")) await iam.send(new PutRolePolicyCommand(QUICK_FIX));
				await new Promise((resolve) => setTimeout(resolve, 50));
			}
		})();
		await expect
			.poll(async () => (await hear()).filter((t) => t.type === "Resource Contested").map((t) => t.detail), { timeout: 50_000 })
			.toMatchObject([
				{
					key: "AccessPolicy/orders",
					reason: "Contested",
					message: expect.stringContaining('has changed inline policy "quick-fix" back 3 times'),
					culprit: { arn: `arn:aws:sts::${account}:assumed-role/Admin/kim` },
				},
			]);
		rival.stopped = true;
		await fight;
		expect(await policies()).toContain("quick-fix");
		expect(await sandbox.counts(account)).toMatchObject({ "iam:DeleteRolePolicy": 3 });
		run.kill("SIGTERM");
		await run.ended;
		expect((await kim.run("get", "accesspolicies", ...state)).stdout).toMatch(/^orders +prod +False +waits: contested/m);
		expect((await kim.run("describe", "orders", ...state)).stdout).toMatch(
			/Stalled +True .*Contested: arn:aws:sts.*back 3 times/,
		);
		const plan = await kim.run("plan");
		expect(plan.stdout).toMatch(/! orders +has changed since .*, by arn:aws:sts::\d+:assumed-role\/Admin\/kim/);
		expect(plan.stdout).toContain("back 3 times");
		await kim.run("apply", "--yes");
		expect(await policies()).toEqual(["ecs-access"]);
	}, 120_000);
});
