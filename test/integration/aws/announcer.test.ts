import { EventBridgeClient } from "@aws-sdk/client-eventbridge";
import { expect, test } from "vitest";
import { createAws } from "../../../controller/aws/process.ts";
import type { Announcement } from "../../../controller/model/announcement.ts";
import { createInbox, putRule } from "../../sandbox/inbox.ts";
import { useSandbox } from "../../sandbox/use.ts";

const sandbox = useSandbox();
const signal = AbortSignal.timeout(50_000);

function announcement(n: number, message = String(n)): Announcement {
	const detail = { installation: "main", message } as Announcement["detail"];
	return { type: "Step Applied", at: "2026-11-24T09:00:00Z", resources: [`arn:aws:iam::123456789012:role/r-${n}`], detail };
}

async function company() {
	const account = sandbox.newAccount();
	Object.assign(process.env, sandbox.env(account));
	const aws = createAws({
		clock: { now: () => new Date().toISOString(), millis: () => Date.now(), sleep: async () => {} },
		cacheDir: null,
		version: "0.0.0",
		reconcileId: "test",
		installation: () => "main",
		revision: () => "3f2a91c",
	});
	const inbox = await createInbox(sandbox, account);
	await putRule(
		new EventBridgeClient(sandbox.config(account)),
		{ source: ["ecs-access"], "detail-type": ["Step Applied"] },
		inbox.arn,
	);
	return { account, inbox, announcer: aws.announcer({ bus: "default", region: "eu-west-1" }) };
}

test("announcements arrive as events of ours, ten a call, and one that is too large is refused alone", async () => {
	const { account, inbox, announcer } = await company();
	const all = [...Array.from({ length: 23 }, (_, n) => announcement(n)), announcement(23, "x".repeat(300_000))];
	const results = await announcer.announce(all, signal);
	expect(results.filter((r) => r.result === "sent")).toHaveLength(23);
	expect(results[23]).toMatchObject({ result: "refused" });
	const events = await inbox.events(23);
	expect(events[0]).toMatchObject({ source: "ecs-access", "detail-type": "Step Applied", detail: { installation: "main" } });
	expect(new Set(events.flatMap((e) => e.resources)).size).toBe(23);
	expect(await sandbox.counts(account)).toMatchObject({ "events:PutEvents": 3 });
});

test("several that are large go in as many calls as they need", async () => {
	const { account, inbox, announcer } = await company();
	const all = Array.from({ length: 5 }, (_, n) => announcement(n, "é".repeat(50_000)));
	expect((await announcer.announce(all, signal)).map((r) => r.result)).toEqual(Array.from({ length: 5 }, () => "sent"));
	await inbox.events(5);
	expect(await sandbox.counts(account)).toMatchObject({ "events:PutEvents": 3 });
});

test("where nothing is taken that is an error, and what was taken before is not sent twice", async () => {
	const { account, inbox, announcer } = await company();
	await sandbox.fault(account, { kind: "throttle", operation: "events:PutEvents", times: 1_000 });
	await expect(announcer.announce([announcement(1)], signal)).rejects.toThrow(/could not put events on bus default/);
	await sandbox.clearFaults(account);
	expect(await announcer.announce([announcement(1)], signal)).toEqual([{ result: "sent" }]);
	await inbox.events(1);
});
