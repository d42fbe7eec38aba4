import { expect, test } from "vitest";
import { foldHistory, whatWords, whoWords } from "../../../controller/cli/history-words.ts";
import { entry } from "./state-fixture.ts";

const KIM = {
	arn: "arn:aws:sts::123456789012:assumed-role/Admin/kim",
	at: "2026-11-24T09:12:00Z",
	sourceIp: "203.0.113.9",
	userAgent: "aws-cli/2.17",
	action: "iam:PutRolePolicy",
	eventId: "e1",
};
const DRIFTED = {
	event: "drifted",
	api: null,
	outcome: 'inline policy "quick-fix" was added',
	since: KIM.at,
	culprit: KIM,
	actor: "arn:aws:sts::123456789012:assumed-role/controller/i-1",
} as const;

test("a drift in the history says what, since when, who, from where and with what; its healing says whose change it was", () => {
	const drift = entry("2026-11-24T09:12:04Z", DRIFTED);
	expect(whatWords(drift)).toMatch(/^drifted role \S+ since 2026-11-24 09:12 UTC: inline policy "quick-fix" was added$/);
	expect(whoWords(drift)).toBe(`by ${KIM.arn} (iam:PutRolePolicy from 203.0.113.9 with aws-cli/2.17)`);
	expect(whatWords(entry("2026-11-24T09:30:00Z", { ...DRIFTED, why: "named" }))).toMatch(/was added, as an event told later$/);
	expect(whoWords(entry("2026-11-24T09:12:05Z", { culprit: KIM }))).toContain(`, changed by ${KIM.arn}`);
	const { culprit: _culprit, ...unknown } = DRIFTED;
	expect(whoWords(entry("2026-11-24T09:12:04Z", unknown))).toBe("by somebody whom no event names");
});

test("what others wrote is text, and a long user agent is cut", () => {
	const evil = { ...KIM, arn: "a\u001b[2J", userAgent: `\u202e${"x".repeat(500)}` };
	const words = whoWords(entry("2026-11-24T09:12:04Z", { ...DRIFTED, culprit: evil }));
	expect(words).toMatch(/^by a\\x1b\[2J .* with \\u202ex{59}…\)$/);
});

test("the same change by two people is two lines", () => {
	const lee = { ...KIM, arn: "arn:aws:iam::123456789012:user/lee" };
	const entries = [entry("2026-11-24T10:00:00Z", { ...DRIFTED, culprit: lee }), entry("2026-11-24T09:12:00Z", DRIFTED)];
	expect(foldHistory(entries).map((f) => f.entry.culprit?.arn)).toEqual([lee.arn, KIM.arn]);
});
