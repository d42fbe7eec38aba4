import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { AccessSide } from "../../../controller/policy/access.ts";
import { createCatalogue } from "../../../controller/policy/catalogue.ts";
import type { PolicyDocument, Statement } from "../../../controller/policy/document.ts";
import { accessChange } from "../../../controller/policy/effect.ts";
import { evaluate } from "../../../controller/policy/evaluate.ts";
import { request, side, statement } from "./arbitraries.ts";

const catalogue = createCatalogue();

type Written = Omit<Statement, "Effect"> & { readonly Effect?: "Allow" | "Deny" };

function doc(...statements: readonly Written[]): PolicyDocument {
	return { Version: "2012-10-17", Statement: statements.map((s) => ({ Effect: "Allow", ...s })) };
}

function role(...statements: readonly Written[]): AccessSide {
	return { documents: statements.length === 0 ? [] : [doc(...statements)], boundary: null };
}

function change(before: AccessSide, after: AccessSide) {
	const { effect, gains, losses } = accessChange(before, after, catalogue);
	const line = (l: (typeof gains)[number]) =>
		`${l.actions.join(", ")} on ${l.resources.join(", ")}${l.when === null ? "" : ` when ${l.when}`}, e.g. ${
			l.witness === null ? "?" : `${l.witness.action} on ${l.witness.resource}`
		}`;
	return { effect, gains: gains.map(line), losses: losses.map(line) };
}

const INVOICES = "arn:aws:s3:::invoices-prod/*";

describe("a change of access", () => {
	it("is one line a difference, as written, with a request that shows it", () => {
		expect(
			change(
				role({ Action: ["s3:GetObject", "s3:DeleteObject"], Resource: INVOICES }),
				role({ Action: ["s3:GetObject", "s3:PutObject"], Resource: INVOICES }),
			),
		).toEqual({
			effect: "both",
			gains: [`s3:PutObject on ${INVOICES}, e.g. s3:PutObject on arn:aws:s3:::invoices-prod/x`],
			losses: [`s3:DeleteObject on ${INVOICES}, e.g. s3:DeleteObject on arn:aws:s3:::invoices-prod/x`],
		});
	});

	it("shows a grant of everything by what is feared most", () => {
		expect(change(role(), role({ Action: "*", Resource: "*" })).gains).toEqual(["* on *, e.g. iam:CreateUser on *"]);
		expect(change(role(), role({ NotAction: ["iam:*", "sts:*"], Resource: "*" })).gains).toEqual([
			"not iam:*, sts:* on *, e.g. secretsmanager:GetSecretValue on *",
		]);
	});

	it("gives an example on a resource of the action's own kind", () => {
		expect(
			change(role(), role({ Action: ["s3:ListBucket", "s3:GetObject"], Resource: ["arn:aws:s3:::b", "arn:aws:s3:::b/*"] })).gains,
		).toEqual(["s3:ListBucket, s3:GetObject on arn:aws:s3:::b, arn:aws:s3:::b/*, e.g. s3:ListBucket on arn:aws:s3:::b"]);
		expect(change(role(), role({ Action: "sqs:SendMessage", Resource: "arn:aws:sqs:*:*:orders-*" })).gains).toEqual([
			"sqs:SendMessage on arn:aws:sqs:*:*:orders-*, e.g. sqs:SendMessage on arn:aws:sqs:eu-west-1:123456789012:orders-x",
		]);
	});

	it("is none where only spelling, names and splits differ", () => {
		const together = role({ Action: ["s3:GetObject", "sqs:SendMessage"], Resource: "*" });
		const apart: AccessSide = {
			documents: [doc({ Sid: "A", Action: "SQS:sendmessage", Resource: ["*"] }), doc({ Action: "s3:GetObject", Resource: "*" })],
			boundary: null,
		};
		expect(change(together, apart)).toEqual({ effect: "none", gains: [], losses: [] });
		expect(
			change(role({ Action: ["s3:*", "s3:GetObject"], Resource: "*" }), role({ Action: "s3:*", Resource: "*" })).effect,
		).toBe("none");
	});

	it("narrows where a condition is added, and broadens where one is loosened or goes", () => {
		const open = role({ Action: "s3:GetObject", Resource: "*" });
		const by = (...ids: string[]) =>
			role({ Action: "s3:GetObject", Resource: "*", Condition: { StringEquals: { "aws:ResourceAccount": ids } } });
		expect(change(open, by("1")).effect).toBe("narrows");
		expect(change(by("1"), open).effect).toBe("broadens");
		expect(change(by("1"), by("1", "2")).effect).toBe("broadens");
		expect(change(by("1", "2"), by("2")).effect).toBe("narrows");
		expect(change(by("1"), by("2")).effect).toBe("both");
	});

	it.each([
		["DateLessThan", "aws:CurrentTime", "2026-12-01T00:00:00Z", "2027-01-01T00:00:00Z"],
		["NumericLessThanEquals", "s3:max-keys", "10", "20"],
		["StringLike", "s3:prefix", "home/kim/*", "home/*"],
		["StringEquals", "s3:prefix", "a", ["a", "b"]],
		["StringNotEquals", "s3:prefix", ["a", "b"], "a"],
		["IpAddress", "aws:SourceIp", "10.1.0.0/16", "10.0.0.0/8"],
		["ArnLike", "aws:SourceArn", "arn:aws:ecs:eu-west-1:123456789012:*", "arn:aws:ecs:*:123456789012:*"],
	])("%s %s: from %s to %s broadens, and back narrows", (operator, key, tight, loose) => {
		const when = (value: string | string[]) =>
			role({ Action: "s3:ListBucket", Resource: "*", Condition: { [operator]: { [key]: value } } });
		expect(change(when(tight), when(loose))).toMatchObject({ effect: "broadens", losses: [] });
		expect(change(when(loose), when(tight))).toMatchObject({ effect: "narrows", gains: [] });
	});

	it("broadens where a Deny goes, and says what it had refused", () => {
		const all = { Action: "s3:*", Resource: "*" };
		const deny: Written = { Effect: "Deny", Action: ["s3:Delete*", "sqs:*"], Resource: "*" };
		expect(change(role(all, deny), role(all))).toEqual({
			effect: "broadens",
			gains: ["s3:Delete* on *, e.g. s3:DeleteObject on *"],
			losses: [],
		});
		expect(change(role(all), role(all, deny)).effect).toBe("narrows");
	});

	it("is no gain what a Deny refuses anyway, and no loss what a Deny had refused", () => {
		const deny: Written = { Effect: "Deny", Action: "s3:Delete*", Resource: "*" };
		const get: Written = { Action: "s3:GetObject", Resource: "*" };
		expect(change(role(get, deny), role(get, { Action: "s3:DeleteObject", Resource: "*" }, deny)).effect).toBe("none");
		expect(change(role(get, { Action: "s3:DeleteObject", Resource: "*" }, deny), role(get, deny)).effect).toBe("none");
	});

	it("looks through the boundary", () => {
		const all = role({ Action: "*", Resource: "*" });
		const within = (...statements: Written[]): AccessSide => ({ ...all, boundary: doc(...statements) });
		const s3 = within({ Action: "s3:*", Resource: "*" });
		expect(change(s3, all)).toMatchObject({ effect: "broadens", gains: ["* on *, e.g. iam:CreateUser on *"] });
		expect(change(all, s3)).toMatchObject({ effect: "narrows" });
		expect(change(s3, within({ Action: "s3:Get*", Resource: "*" }))).toMatchObject({ effect: "narrows", gains: [] });
		// Outside of the boundary nothing is gained.
		const get = doc({ Action: "s3:GetObject", Resource: "*" });
		const more = doc({ Action: ["s3:GetObject", "iam:CreateUser"], Resource: "*" });
		expect(change({ documents: [get], boundary: s3.boundary }, { documents: [more], boundary: s3.boundary }).effect).toBe("none");
	});

	it("is unknown under a boundary that cannot be read, but for what is proven without it", () => {
		const get = doc({ Action: "s3:GetObject", Resource: "*" });
		const more = doc({ Action: ["s3:GetObject", "s3:PutObject"], Resource: "*" });
		const under = (d: PolicyDocument, arn?: string): AccessSide => ({
			documents: [d],
			boundary: "unknown",
			...(arn !== undefined && { boundaryArn: arn }),
		});
		expect(change(under(get, "arn:b"), under(more, "arn:b")).effect).toBe("unknown");
		expect(change(under(more, "arn:b"), under(get, "arn:b")).effect).toBe("narrows");
		expect(change(under(get, "arn:b"), under(get, "arn:b")).effect).toBe("none");
		expect(change(under(get, "arn:b"), under(get, "arn:c")).effect).toBe("unknown");
		expect(change(under(get), under(get)).effect).toBe("unknown");
	});

	it("is unknown where neither containment nor a witness is found", () => {
		const listed = role({ Action: [...catalogue.actionsOf("sqs")], Resource: "*" });
		expect(change(listed, role({ Action: "sqs:*", Resource: "*" }))).toEqual({
			effect: "unknown",
			gains: ["sqs:* on *, e.g. ?"],
			losses: [],
		});
		const odd = (v: string) =>
			role({ Action: "s3:GetObject", Resource: "*", Condition: { StringRhymesWith: { "aws:SourceVpc": v } } });
		expect(change(odd("moon"), odd("june")).effect).toBe("unknown");
	});

	it("knows that ${…} is plain text in a document of 2008", () => {
		const home = (Version: string): AccessSide => ({
			documents: [
				{
					Version,
					Statement: [{ Effect: "Allow", Action: "s3:GetObject", Resource: "arn:aws:s3:::home/${aws:PrincipalTag/team}" }],
				},
			],
			boundary: null,
		});
		expect(change(home("2008-10-17"), home("2012-10-17"))).toMatchObject({ effect: "both" });
	});
});

describe("on random policies", () => {
	// Half of the time two sides that share most of their statements, as before and after do.
	const pair = fc.oneof(
		fc.tuple(side, side),
		fc
			.tuple(side, fc.array(statement, { minLength: 1, maxLength: 2 }), fc.nat(3))
			.map(([s, more, drop]): [AccessSide, AccessSide] => [
				s,
				{
					...s,
					documents: [
						...s.documents.map((d) => ({ ...d, Statement: d.Statement.filter((_, i) => i !== drop) })),
						{ Version: "2012-10-17", Statement: more },
					],
				},
			]),
	);

	it("every witness is refused on one side and allowed on the other", () => {
		let witnesses = 0;
		fc.assert(
			fc.property(pair, ([before, after]) => {
				const { gains, losses } = accessChange(before, after, catalogue);
				for (const { witness } of gains) {
					if (witness === null) continue;
					witnesses++;
					expect([evaluate(before, witness), evaluate(after, witness)]).toEqual([expect.stringMatching(/Deny$/), "allowed"]);
				}
				for (const { witness } of losses) {
					if (witness === null) continue;
					witnesses++;
					expect([evaluate(after, witness), evaluate(before, witness)]).toEqual([expect.stringMatching(/Deny$/), "allowed"]);
				}
			}),
			{ numRuns: 400 },
		);
		expect(witnesses).toBeGreaterThan(100);
	});

	it("no request is answered otherwise after a change that is said to be none, or not to broaden", () => {
		const seen = new Map<string, number>();
		fc.assert(
			fc.property(pair, fc.array(request, { minLength: 30, maxLength: 30 }), ([before, after], requests) => {
				const { effect } = accessChange(before, after, catalogue);
				seen.set(effect, (seen.get(effect) ?? 0) + 1);
				for (const r of requests) {
					const [was, is] = [evaluate(before, r), evaluate(after, r)];
					if (effect === "none" || effect === "narrows")
						expect(was !== "allowed" && was !== "unknown" && is === "allowed").toBe(false);
					if (effect === "none" || effect === "broadens")
						expect(was === "allowed" && is !== "allowed" && is !== "unknown").toBe(false);
				}
			}),
			{ numRuns: 600 },
		);
		for (const effect of ["none", "narrows", "broadens", "both"]) expect(seen.get(effect)).toBeGreaterThan(5);
	});
});
