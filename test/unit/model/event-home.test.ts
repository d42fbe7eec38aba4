import { expect, test } from "vitest";
import type { Account } from "../../../controller/model/account.ts";
import { TerminalError } from "../../../controller/model/errors.ts";
import { eventHome, forwarderName, permissionName, ruleName } from "../../../controller/model/event-home.ts";
import { TRIGGERS } from "../../../controller/model/triggers.ts";
import { accountOf } from "../../account.ts";

const prod = accountOf("123456789012", { regions: [] });
const spoke: Account = {
	...prod,
	name: "spoke",
	accountId: "210987654321",
	assumeRole: { roleArn: "arn:aws:iam::210987654321:role/x" },
};

test("events come to the first account that is not acted in by another role, and to its region", () => {
	expect(eventHome([spoke, prod], "main", undefined)).toMatchObject({
		account: prod,
		region: "eu-west-1",
		queue: "ecs-access-main",
		bus: "default",
	});
	expect(eventHome([prod], "main", { queue: "mine", bus: "ours" })).toMatchObject({ queue: "mine", bus: "ours" });
});

test("where there is no such account, or it does not say where it is, nobody guesses", () => {
	for (const accounts of [[], [spoke], [{ ...prod, accountId: null }], [{ ...prod, region: null }]]) {
		expect(() => eventHome(accounts, "main", undefined)).toThrow(TerminalError);
	}
});

test("no name is longer than AWS takes, and two long installations do not meet", () => {
	const long = "a".repeat(63);
	const other = `${"a".repeat(62)}b`;
	for (const { id } of TRIGGERS) {
		expect(ruleName(long, id).length).toBeLessThanOrEqual(64);
		expect(ruleName(long, id)).not.toBe(ruleName(other, id));
	}
	expect(forwarderName(long).length).toBeLessThanOrEqual(64);
	expect(permissionName(long, "123456789012")).toMatch(/^[\w-]{1,64}$/);
	expect(eventHome([prod], long, undefined).queue.length).toBeLessThanOrEqual(75);
	expect(ruleName("main", "iam")).toBe("ecs-access-main-iam");
});
