import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { sourceMark } from "../../../controller/source/mark.ts";
import { parseGitUrl } from "../../../controller/source/url.ts";

describe("the source mark", () => {
	test.each([
		"https://github.com/acme/access.git",
		"https://github.com/acme/access",
		"https://github.com/acme/access/",
		"https://GitHub.com:443/acme/access.git",
		"https://anna:hunter2@github.com/acme/access.git",
		"https://t0ken@github.com/acme/access.git",
		"ssh://git@github.com/acme/access.git",
		"ssh://git@github.com:22/acme/access.git",
		"git@github.com:acme/access.git",
		"github.com:acme/access",
	])("is one for every spelling of an address: %s", (url) => {
		expect(sourceMark(url, "policies")).toBe("github.com/acme/access//policies");
		expect(sourceMark(url, "./policies/")).toBe("github.com/acme/access//policies");
		expect(sourceMark(url, ".")).toBe("github.com/acme/access");
	});

	test("tells ports, hosts, repositories and local paths apart", () => {
		const marks = [
			"https://git.acme.example/access",
			"https://git.acme.example:8443/access",
			"https://git.acme.example/team/access",
			"/srv/git/access",
			"/srv/git/access2",
		].map((u) => sourceMark(u, "policies"));
		expect(new Set(marks).size).toBe(5);
	});

	test("of a local repository is its folder's name, and no path of the machine", () => {
		expect(sourceMark("file:///srv/git/access.git", "")).toMatch(/^local\/access\.[0-9a-f]{8}$/);
		expect(sourceMark("/srv/git/store/.git", "policies")).toMatch(/^local\/store\.[0-9a-f]{8}\/\/policies$/);
		expect(sourceMark("/srv/git/access/", "")).toBe(sourceMark("file:///srv/git/access.git", ""));
		expect(sourceMark("/home/anna/access", "")).not.toBe(sourceMark("/home/kim/access", ""));
	});

	test("is `directory` without an address, or with one that is no repository", () => {
		expect(sourceMark(null, "policies")).toBe("directory");
		expect(sourceMark("ext::sh -c evil", "policies")).toBe("directory");
	});

	test("is always a value that a tag can hold, and different addresses stay different", () => {
		const path = fc
			.string({ minLength: 1, maxLength: 400, unit: "grapheme" })
			.map((s) => encodeURI(`x${s.replace(/[?#@\s]/g, "")}`));
		fc.assert(
			fc.property(path, path, (a, b) => {
				const [one, two] = [a, b].map((p) => sourceMark(`https://host.example/${p}`, "policies"));
				expect(one).toMatch(/^[\p{L}\p{Z}\p{N}_.:/=+\-@]{1,256}$/u);
				const [idA, idB] = [a, b].map((p) => parseGitUrl(`https://host.example/${p}`));
				if (idA?.kind === "remote" && idB?.kind === "remote" && idA.identity !== idB.identity) expect(one).not.toBe(two);
			}),
		);
	});
});

describe("an address given to git", () => {
	test("holds nothing secret", () => {
		for (const url of [
			"https://anna:hunter2@host.example/x",
			"https://hunter2@host.example/x",
			"ssh://git:hunter2@host.example/x",
		]) {
			const parsed = parseGitUrl(url);
			expect(parsed.kind).toBe("remote");
			if (parsed.kind === "remote") expect(`${parsed.address} ${parsed.identity}`).not.toContain("hunter2");
		}
	});

	test("of ssh keeps its user, which is part of where it leads", () => {
		expect(parseGitUrl("ssh://git@host.example:2222/x.git")).toMatchObject({ address: "ssh://git@host.example:2222/x.git" });
		expect(parseGitUrl("git@host.example:x.git")).toMatchObject({ address: "git@host.example:x.git" });
	});
});
