import { execFileSync } from "node:child_process";
import { chmodSync, existsSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import type { AddressInfo } from "node:net";
import { createServer } from "node:net";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { TerminalError } from "../../controller/model/errors.ts";
import { createGitFollower, type GitFollower, type GitFollowerDeps } from "../../controller/source/git-follow.ts";
import { commitAll, GIT_ENV, gitIn, initRepository, type TempFolder, tempFolder } from "../unit/source/repository.ts";
import { type GitServer, serveGit } from "./git-server.ts";

const signal = new AbortController().signal;

let dir: TempFolder;
let server: GitServer;
let head: string;
const repo = (): string => dir.at("repos/access");
const commit = (file: string, text: string, message = text, ...more: string[]): string => {
	dir.write(`repos/access/policies/${file}`, text);
	return commitAll(repo(), message, ...more);
};

beforeEach(async () => {
	dir = tempFolder();
	initRepository(repo());
	gitIn(repo(), "config", "uploadpack.allowFilter", "true");
	head = commit("a.yaml", "a");
	server = await serveGit(dir.at("repos"));
});
afterEach(async () => {
	await server.close();
	dir.dispose();
});

const follower = (more: Partial<GitFollowerDeps> = {}): GitFollower =>
	createGitFollower({
		url: `${server.origin}/access`,
		branch: "main",
		subdir: "policies",
		cacheDir: dir.at("cache"),
		env: GIT_ENV,
		lock: async () => () => {},
		...more,
	});
const fetchWith = (f: GitFollower, previous: string | null = null, more: { force?: boolean; commit?: string } = {}) =>
	f.fetch({ previous, force: false, ...more }, signal);

async function failure(work: Promise<unknown>): Promise<Error> {
	return await work.then(
		() => new Error("it succeeded"),
		(e: Error) => e,
	);
}

async function refusal(work: Promise<unknown>): Promise<TerminalError> {
	const error = await failure(work);
	expect([error.message, error instanceof TerminalError]).toEqual([error.message, true]);
	return error as TerminalError;
}

describe("a look at the branch", () => {
	test("asks for its tip alone, and fetches nothing, however often", async () => {
		const f = follower();
		await fetchWith(f);
		server.asked.length = 0;
		for (let n = 0; n < 3; n++) expect(await f.peek(signal)).toBe(head);
		// Protocol 2: what the server can do, then the refs; never a pack.
		expect(server.asked.filter((a) => a.startsWith("GET"))).toEqual(
			Array(3).fill("GET /access/info/refs?service=git-upload-pack"),
		);
		expect(server.asked.length).toBeLessThanOrEqual(6);
		const next = commit("b.yaml", "b");
		server.asked.length = 0;
		expect(await f.peek(signal)).toBe(next);
		expect(server.asked.length).toBeLessThanOrEqual(2);
	});

	test("runs one git, and no more", async () => {
		const f = follower({ env: countingGit() });
		await fetchWith(f);
		rmSync(dir.at("arguments"));
		await f.peek(signal);
		const lines = readFileSync(dir.at("arguments"), "utf8").trim().split("\n");
		expect(lines).toEqual([expect.stringContaining(" ls-remote ")]);
	});

	test("sees the branch alone, not what others are called alike", async () => {
		gitIn(repo(), "checkout", "-q", "-b", "team/main");
		commit("other.yaml", "other");
		gitIn(repo(), "checkout", "-q", "main");
		expect(await follower().peek(signal)).toBe(head);
	});

	test("without a branch of its own follows the remote's default, when that becomes another too", async () => {
		const f = follower({ branch: null });
		expect(await f.peek(signal)).toBe(head);
		gitIn(repo(), "checkout", "-q", "-b", "production");
		const next = commit("p.yaml", "p");
		expect(await f.peek(signal)).toBe(next);
		expect((await fetchWith(f, head)).revision.id).toBe(next);
	});

	test("at a branch that is not there, or is none, says so", async () => {
		expect(await refusal(follower({ branch: "production" }).peek(signal))).toMatchObject({
			reason: "BadRef",
			message: `${server.origin.slice(7)}/access has no branch production`,
		});
		expect((await refusal(follower({ branch: "--upload-pack=x" }).peek(signal))).reason).toBe("BadRef");
		expect((await refusal(follower({ url: `${server.origin}/none` }).peek(signal))).reason).toBe("RepositoryMissing");
	});
});

function countingGit(): Readonly<Record<string, string>> {
	const real = execFileSync("which", ["git"], { encoding: "utf8" }).trim();
	dir.write("bin/git", `#!/bin/sh\necho "$@" >> ${dir.at("arguments")}\nexec ${real} "$@"\n`);
	chmodSync(dir.at("bin/git"), 0o755);
	return { ...GIT_ENV, PATH: `${dir.at("bin")}:${GIT_ENV.PATH}` };
}

describe("what is fetched", () => {
	test("is the tip, whole, with its history; and then what was added", async () => {
		const f = follower();
		expect(await fetchWith(f)).toMatchObject({ revision: { id: head }, partial: null });
		const next = commit("b.yaml", "b");
		const artifact = await fetchWith(f, head);
		expect([artifact.revision.id, artifact.files.size, artifact.partial]).toEqual([next, 2, null]);
	});

	test("is exactly the commit that was seen, though the branch has moved on since", async () => {
		const f = follower();
		await fetchWith(f);
		const seen = commit("b.yaml", "b");
		expect(await f.peek(signal)).toBe(seen);
		commit("c.yaml", "c");
		const artifact = await fetchWith(f, head, { commit: seen });
		expect([artifact.revision.id, artifact.files.size]).toEqual([seen, 2]);
	});

	test("is not the commit that was seen, where the branch was rewritten since: it is looked at again", async () => {
		const f = follower();
		await fetchWith(f);
		const seen = commit("b.yaml", "b");
		expect(await f.peek(signal)).toBe(seen);
		gitIn(repo(), "reset", "-q", "--hard", head);
		commit("c.yaml", "c");
		const error = await failure(fetchWith(f, head, { commit: seen }));
		expect(error).not.toBeInstanceOf(TerminalError);
		expect(error.message).toContain("was rewritten while it was read");
	});

	test("does not descend from the last admitted after a forced push, but for a person's word", async () => {
		const f = follower();
		await fetchWith(f);
		const rewritten = commit("a.yaml", "rewritten", "rewritten", "--amend");
		expect((await refusal(fetchWith(f, head))).reason).toBe("NotDescendant");
		expect((await fetchWith(f, null, { force: true })).revision.id).toBe(rewritten);
	});

	test("of another branch than the source's own is no ground to remove anything", async () => {
		gitIn(repo(), "branch", "feature");
		expect((await fetchWith(follower({ branch: "feature", configured: "main" }))).partial).toBe(
			"branch feature was read, not main",
		);
		expect((await fetchWith(follower({ configured: "main" }))).partial).toBeNull();
	});
});

describe("a revision that was admitted before", () => {
	test("is had by a controller with an empty disk, whole, from the branch's history", async () => {
		commit("b.yaml", "b");
		const artifact = await follower().fetchRevision(head, signal);
		expect([artifact.revision.id, artifact.files.size, artifact.partial]).toEqual([head, 1, null]);
	});

	test("is had from a server that gives nothing by id", async () => {
		gitIn(repo(), "config", "uploadpack.allowAnySHA1InWant", "false");
		gitIn(repo(), "config", "uploadpack.allowReachableSHA1InWant", "false");
		commit("b.yaml", "b");
		expect((await follower().fetchRevision(head, signal)).revision.id).toBe(head);
	});

	test("is had from the cache while the server is away", async () => {
		const f = follower();
		await fetchWith(f);
		await server.close();
		expect(await f.fetchRevision(head, signal)).toMatchObject({ revision: { id: head }, partial: null });
	});

	test("that was pushed away is had by id where the server still gives it, and then removes nothing", async () => {
		commit("a.yaml", "rewritten", "rewritten", "--amend");
		gitIn(repo(), "config", "uploadpack.allowAnySHA1InWant", "true");
		const artifact = await follower().fetchRevision(head, signal);
		expect([artifact.revision.id, artifact.partial]).toEqual([
			head,
			`commit ${head.slice(0, 7)} was read, and branch main does not hold it`,
		]);
	});

	test("that is nowhere any more is an error that says what to do", async () => {
		commit("a.yaml", "rewritten", "rewritten", "--amend");
		gitIn(repo(), "reflog", "expire", "--expire=now", "--all");
		gitIn(repo(), "gc", "-q", "--prune=now");
		for (const gone of [head, "f".repeat(40)]) {
			expect(await refusal(follower().fetchRevision(gone, signal))).toMatchObject({
				reason: "RevisionGone",
				message: `${server.origin.slice(7)}/access does not have commit ${gone.slice(0, 7)} any more, the last one that was admitted`,
				fix: expect.stringContaining("ecs-access admit"),
			});
		}
		expect((await refusal(follower().fetchRevision("sha256:1234", signal))).reason).toBe("RevisionGone");
	});

	test("is had though the branch was deleted", async () => {
		gitIn(repo(), "checkout", "-q", "-b", "other");
		gitIn(repo(), "branch", "-q", "-D", "main");
		expect((await follower().fetchRevision(head, signal)).revision.id).toBe(head);
	});
});

describe("signatures", () => {
	const key = (name: string): string => {
		execFileSync("ssh-keygen", ["-q", "-t", "ed25519", "-N", "", "-C", name, "-f", dir.at(name)]);
		return readFileSync(`${dir.at(name)}.pub`, "utf8").trim();
	};
	test("are checked against signers that stand in the Installation itself, each line one", async () => {
		const lines = ["anna", "lee"].map((n) => `${n}@acme.example namespaces="git" ${key(n)}`).join("\n");
		const f = follower({ requireSignatures: true, allowedSigners: lines });
		expect((await refusal(fetchWith(f))).reason).toBe("UnsignedCommit");
		gitIn(
			repo(),
			"-c",
			"gpg.format=ssh",
			"-c",
			`user.signingKey=${dir.at("lee")}`,
			"commit",
			"-q",
			"--allow-empty",
			"-S",
			"-m",
			"signed",
		);
		const signed = gitIn(repo(), "rev-parse", "HEAD");
		expect((await fetchWith(f, head)).revision.id).toBe(signed);
		key("mallory");
		gitIn(
			repo(),
			"-c",
			"gpg.format=ssh",
			"-c",
			`user.signingKey=${dir.at("mallory")}`,
			"commit",
			"-q",
			"--allow-empty",
			"-S",
			"-m",
			"signed",
		);
		expect((await refusal(fetchWith(f, signed))).reason).toBe("UnsignedCommit");
		// What was admitted before was judged then.
		expect((await f.fetchRevision(head, signal)).revision.id).toBe(head);
	});
});

describe("a server that is away", () => {
	test("is tried again, and says why; what was read is still known when it is back", async () => {
		const f = follower();
		await fetchWith(f);
		await server.close();
		const error = await failure(f.peek(signal));
		expect(error).not.toBeInstanceOf(TerminalError);
		expect(error.message).toMatch(/127\.0\.0\.1:\d+\/access cannot be read: unable to access .*(refused|connect)/i);
	});

	test("that takes the connection and says nothing is let go when told to", async () => {
		let connected = 0;
		const mute = createServer(() => {
			connected++;
		});
		await new Promise<void>((resolve) => mute.listen(0, "127.0.0.1", resolve));
		try {
			const abort = new AbortController();
			const port = (mute.address() as AddressInfo).port;
			const pending = failure(follower({ url: `http://127.0.0.1:${port}/access` }).peek(abort.signal));
			await expect.poll(() => connected, { timeout: 20_000 }).toBeGreaterThan(0);
			abort.abort(new Error("told to stop"));
			expect((await pending).message).toBe("told to stop");
		} finally {
			mute.close();
		}
	});

	test("of a cache that was damaged meanwhile is read anew", async () => {
		const f = follower();
		await fetchWith(f);
		const [cache = ""] = execFileSync("ls", [dir.at("cache")], { encoding: "utf8" })
			.split("\n")
			.filter((n) => n.endsWith(".git"));
		writeFileSync(dir.at("cache", cache, "config"), "[[[");
		expect(await f.peek(signal)).toBe(head);
		expect(existsSync(dir.at("cache", cache, "HEAD"))).toBe(true);
	});
});
