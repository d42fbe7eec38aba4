import { createPrivateKey, generateKeyPairSync } from "node:crypto";
import { describe, expect, test } from "vitest";
import { isPem, pemText } from "../../../controller/source/pem.ts";

const key = (type: "pkcs1" | "pkcs8"): string =>
	generateKeyPairSync("rsa", {
		modulusLength: 2048,
		publicKeyEncoding: { type: "spki", format: "pem" },
		privateKeyEncoding: { type, format: "pem" },
	}).privateKey;
const wanted = key("pkcs1");

describe("a private key that was pasted", () => {
	test.each<[string, string]>([
		["as it is", wanted],
		["with text around it", `key of the App:\n${wanted}\nend`],
		["on one line", wanted.trim().replaceAll("\n", " ")],
		["without any break", wanted.replaceAll("\n", "")],
		["with its breaks written out", wanted.replaceAll("\n", "\\n")],
		["with breaks of Windows", wanted.replaceAll("\n", "\r\n")],
		["indented", wanted.replaceAll("\n", "\n    ")],
	])("%s comes back right", (_, text) => {
		expect(isPem(text)).toBe(true);
		expect(pemText(text)).toBe(wanted);
	});

	test("of another kind keeps its label", () => {
		const pkcs8 = key("pkcs8");
		expect(pemText(pkcs8.replaceAll("\n", " "))).toBe(pkcs8);
		expect(createPrivateKey(pemText(pkcs8)).type).toBe("private");
	});

	test("with headers keeps its lines", () => {
		const text =
			"-----BEGIN RSA PRIVATE KEY-----\nProc-Type: 4,ENCRYPTED\nDEK-Info: AES-128-CBC,00\n\nAAAA\n-----END RSA PRIVATE KEY-----\n";
		expect(pemText(text.replaceAll("\n", "\r\n"))).toBe(text);
	});

	test.each([
		"",
		"ghp_token",
		"-----BEGIN RSA PRIVATE KEY-----\nAAAA",
		"-----BEGIN PUBLIC KEY-----\nAAAA\n-----END PUBLIC KEY-----",
	])("that is none stays as it is: %j", (text) => {
		expect(isPem(text)).toBe(false);
		expect(pemText(text)).toBe(text);
	});
});
