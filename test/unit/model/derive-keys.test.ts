import { describe, expect, test } from "vitest";
import { deriveFaults, deriveKeys } from "../../../controller/model/derive-keys.ts";

describe("derived keys", () => {
	test("are made of others, in the order that they need, and nothing else changes", () => {
		const derive = { dsn: "${url}?ssl=1", url: "amqps://${username}:${password:uri}@${host}:${port}" };
		expect(
			deriveKeys({ username: "u", password: "p@/ß", host: "broker", port: 5671, url: "old", other: { a: 1 } }, derive),
		).toEqual({
			username: "u",
			password: "p@/ß",
			host: "broker",
			port: 5671,
			other: { a: 1 },
			url: "amqps://u:p%40%2F%C3%9F@broker:5671",
			dsn: "amqps://u:p%40%2F%C3%9F@broker:5671?ssl=1",
		});
	});

	test("name the key that is missing, and no value", () => {
		expect(() => deriveKeys({ password: "hunter2-hunter2" }, { url: "${user}:${password}" })).toThrow(
			new RangeError('key "url" is made from "user", which the secret does not hold as text or number'),
		);
	});

	test.each([
		[{ a: "${b:base64}" }, [{ key: "a", fault: 'no filter is named "base64": uri' }]],
		[{ a: "${b", c: "x" }, [{ key: "a", fault: "a ${ is not closed" }]],
		[{ a: "${b}", b: "${a}" }, [{ key: "a", fault: "it is made from itself" }]],
		[{ a: "${b}", b: "${c}" }, []],
	])("%j", (derive, faults) => {
		expect(deriveFaults(derive)).toEqual(faults);
	});
});
