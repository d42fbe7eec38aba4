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

	test("may have any name, also one that every object knows", () => {
		expect(deriveKeys({ constructor: "c" }, { valueOf: "${constructor}!", a: "${valueOf}" })).toEqual({
			constructor: "c",
			valueOf: "c!",
			a: "c!",
		});
		expect(() => deriveKeys({ b: "x" }, { a: "${toString}" })).toThrow(
			new RangeError('key "a" is made from "toString", which the secret does not hold as text or number'),
		);
	});

	test("are put in order once each, however often they name each other", () => {
		const chain = Object.fromEntries(
			Array.from({ length: 500 }, (_, n) => [`k${n}`, n === 0 ? "x" : `\${k${n - 1}}\${k${n - 1}}`]),
		);
		expect(deriveFaults(chain)).toEqual([]);
		expect(() => deriveKeys({}, chain)).toThrow(new RangeError('key "k17" becomes longer than a secret may be'));
		expect(deriveFaults({ ...chain, k0: "${k499}" })).toEqual([{ key: "k0", fault: "it is made from itself" }]);
	});

	test.each([
		[{ a: "${b:base64}" }, [{ key: "a", fault: 'no filter is named "base64": uri' }]],
		[{ a: "${b", c: "x" }, [{ key: "a", fault: "a ${ is not closed" }]],
		[{ a: "${b}", b: "${a}" }, [{ key: "a", fault: "it is made from itself" }]],
		[{ a: "${a:uri}" }, [{ key: "a", fault: "it is made from itself" }]],
		[{ x: "1", a: "${b}", b: "${c}", c: "${b}${x}" }, [{ key: "b", fault: "it is made from itself" }]],
		[{ a: "${b}", b: "${c}" }, []],
		[{ a: "${b:constructor}" }, [{ key: "a", fault: 'no filter is named "constructor": uri' }]],
		[{ a: "${constructor}", toString: "x" }, []],
	])("%j", (derive, faults) => {
		expect(deriveFaults(derive)).toEqual(faults);
	});
});
