import { expect, test } from "vitest";
import { formatSecretRef, matchSecretRef, parseSecretRef } from "../../../controller/model/secret-ref.ts";

const task = { region: "eu-west-1", account: "123456789012" };
const SM = "arn:aws:secretsmanager:eu-west-1:123456789012:secret:";
const PS = "arn:aws:ssm:eu-west-1:123456789012:parameter";

test.each([
	["the same text", `${SM}prod/db:url::`, `${SM}prod/db:url::`, true, false],
	["a live suffix", `${SM}prod/db`, `${SM}prod/db-AbCdEf`, true, false],
	["a wanted suffix that live lacks", `${SM}prod/db-AbCdEf`, `${SM}prod/db`, true, false],
	["two suffixes that differ", `${SM}prod/db-AbCdEf`, `${SM}prod/db-GhIjKl`, false, false],
	["a suffix and a key", `${SM}prod/db:url::`, `${SM}prod/db-AbCdEf:url::`, true, false],
	["another key", `${SM}prod/db:url::`, `${SM}prod/db-AbCdEf:password::`, false, false],
	["the whole secret for a key", `${SM}prod/db:url::`, `${SM}prod/db-AbCdEf`, false, false],
	["empty parts", `${SM}prod/db`, `${SM}prod/db-AbCdEf:::`, true, false],
	["a pinned version", `${SM}prod/db:url::`, `${SM}prod/db-AbCdEf:url::0f1e`, true, true],
	["a pinned stage", `${SM}prod/db`, `${SM}prod/db-AbCdEf::AWSPREVIOUS:`, true, true],
	["a longer name", `${SM}prod/db`, `${SM}prod/db-primary`, false, false],
	["another account", `${SM}prod/db`, `${SM.replace("123456789012", "210987654321")}prod/db-AbCdEf`, false, false],
	["another region", `${SM}prod/db`, `${SM.replace("eu-west-1", "us-east-1")}prod/db-AbCdEf`, false, false],
	["a parameter by name", `${PS}/prod/db`, "/prod/db", true, false],
	["a parameter by its flat name", `${PS}/db`, "db", true, false],
	["a parameter by ARN", `${PS}/prod/db`, `${PS}/prod/db`, true, false],
	["another parameter", `${PS}/prod/db`, "/prod/db2", false, false],
	["a secret for a parameter", `${PS}/prod/db`, `${SM}prod/db`, false, false],
	["a parameter by name, of a task elsewhere", `${PS.replace("eu-west-1", "us-east-1")}/prod/db`, "/prod/db", false, false],
])("%s", (_, wanted, live, matches, pinned) => {
	expect(matchSecretRef(wanted, live, task)).toEqual({ matches, pinned });
});

test("what is neither a secret nor a parameter is not taken apart", () => {
	for (const text of ["", "arn:aws:s3:::bucket", "a:b", `${SM}`, `${SM}a:b:c:d:e`]) expect(parseSecretRef(text)).toBeNull();
});

test("a formatted reference is what it was made of", () => {
	const parts = {
		store: "secret",
		partition: "aws",
		region: "eu-west-1",
		account: "123456789012",
		name: "prod/db",
		jsonKey: "url",
	} as const;
	expect(formatSecretRef(parts)).toBe(`${SM}prod/db:url::`);
	expect(parseSecretRef(formatSecretRef(parts))).toMatchObject(parts);
	const parameter = { ...parts, store: "parameter", name: "/prod/db", jsonKey: null } as const;
	expect(formatSecretRef(parameter)).toBe(`${PS}/prod/db`);
});
