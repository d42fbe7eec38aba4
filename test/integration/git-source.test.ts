import { execFileSync, spawn, spawnSync } from "node:child_process";
import { chmodSync, existsSync, readdirSync, readFileSync, renameSync, symlinkSync, writeFileSync } from "node:fs";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { TerminalError } from "../../controller/model/errors.ts";
import type { Clock } from "../../controller/model/ports.ts";
import type { Artifact } from "../../controller/model/resource.ts";
import { Secret } from "../../controller/model/secret.ts";
import { createGitSource, type GitSourceDeps } from "../../controller/source/git.ts";
import { lockFile } from "../../controller/store/file-lock.ts";
import { commitAll, GIT_ENV, gitIn, initRepository, type TempFolder, tempFolder } from "../unit/source/repository.ts";

const PLATFORM = "apiVersion: ecs-access.dev/v1alpha1\nkind: Installation\n";
const clock: Clock = {
	now: () => new Date().toISOString(),
	millis: () => Date.now(),
	sleep: (ms, signal) =>
		new Promise((resolve, reject) => {
			setTimeout(() => (signal.aborted ? reject(signal.reason) : resolve()), ms);
		}),
};

let dir: TempFolder;
let head: string;
const repo = (): string => dir.at("access");
beforeEach(() => {
	dir = tempFolder();
	initRepository(repo());
	// As large hosts are: they leave out what is not asked for.
	gitIn(repo(), "config", "uploadpack.allowFilter", "true");
	dir.write("access/policies/a.yaml", "a");
	dir.write("access/policies/team/b.yml", "b");
	dir.write("access/docs/large.bin", "not wanted");
	head = commitAll(repo(), "Give orders its table");
});
afterEach(() => dir.dispose());

const fetch = (options: Partial<GitSourceDeps> = {}, signal = new AbortController().signal): Promise<Artifact> =>
	createGitSource({
		url: repo(),
		ref: null,
		subdir: "policies",
		cacheDir: dir.at("cache"),
		force: false,
		env: GIT_ENV,
		lock: (path, s) => lockFile(path, clock, s),
		...options,
	}).fetch(signal);

async function refusal(work: Promise<unknown>): Promise<TerminalError> {
	const error = await failure(work);
	expect(error).toBeInstanceOf(TerminalError);
	return error as TerminalError;
}

async function failure(work: Promise<unknown>): Promise<Error> {
	return await work.then(
		() => new Error("it succeeded"),
		(e: Error) => e,
	);
}

const cacheRepo = (): string => dir.at("cache", readdirSync(dir.at("cache")).find((n) => n.endsWith(".git")) ?? "none");

describe("a git repository", () => {
	test("at its default branch is read whole, from its objects alone", async () => {
		const artifact = await fetch();
		expect([...artifact.files]).toEqual([
			["a.yaml", "a"],
			["team/b.yml", "b"],
		]);
		expect(artifact).toMatchObject({ root: "policies", partial: null });
		expect(artifact.source).toMatch(/^local\/access\.[0-9a-f]{8}\/\/policies$/);
		expect(artifact.revision).toEqual({
			kind: "commit",
			id: head,
			author: "Anna Ops <anna@acme.example>",
			committedAt: "2026-11-24T09:12:00Z",
			subject: "Give orders its table",
		});
	});

	test("read by file:// is the same source", async () => {
		const [byPath, byUrl] = [await fetch(), await fetch({ url: `file://${repo()}/` })];
		expect([byUrl.source, byUrl.digest, byUrl.revision]).toEqual([byPath.source, byPath.digest, byPath.revision]);
	});

	test("is read over ssh, with the user's own way to connect, from the host and path of its address", async () => {
		// In place of ssh: notes its arguments, and runs here what it would run there.
		dir.write("bin/fake-ssh", `#!/bin/sh\necho "$@" >> ${dir.at("connections")}\nfor last; do :; done\nexec sh -c "$last"\n`);
		chmodSync(dir.at("bin/fake-ssh"), 0o755);
		const env = { ...GIT_ENV, GIT_SSH_COMMAND: dir.at("bin/fake-ssh"), GIT_SSH_VARIANT: "ssh" };
		for (const url of [`ssh://git@git.acme.example${repo()}`, `git@git.acme.example:${repo()}`]) {
			const artifact = await fetch({ url, env });
			expect(artifact).toMatchObject({ source: `git.acme.example${repo()}//policies`, partial: null, revision: { id: head } });
		}
		expect(readFileSync(dir.at("connections"), "utf8")).toMatch(/^(.*git@git\.acme\.example git-upload-pack .*\n)+$/);
	});

	test("is cached with its full history, and without contents that nobody reads", async () => {
		for (const n of [1, 2, 3]) {
			dir.write("access/policies/a.yaml", `a${n}`);
			commitAll(repo(), `change ${n}`);
		}
		expect((await fetch()).files.get("a.yaml")).toBe("a3");
		expect(gitIn(cacheRepo(), "rev-list", "--count", "--all")).toBe("4");
		const missing = gitIn(cacheRepo(), "rev-list", "--objects", "--all", "--missing=print").split("\n");
		const unread = gitIn(repo(), "rev-parse", `${head}:docs/large.bin`, `${head}:policies/a.yaml`).split("\n");
		expect(missing.filter((l) => l.startsWith("?")).map((l) => l.slice(1))).toEqual(expect.arrayContaining(unread));
	});

	test("on a server that knows no filters is read all the same", async () => {
		gitIn(repo(), "config", "uploadpack.allowFilter", "false");
		expect((await fetch()).files.size).toBe(2);
	});

	test("moved on is read anew from the same cache, and its next commit descends from the last", async () => {
		await fetch();
		dir.write("access/policies/c.yaml", "c");
		const next = commitAll(repo(), "next");
		const artifact = await fetch({ previousRevision: head });
		expect([artifact.revision.id, artifact.files.size]).toEqual([next, 3]);
		expect((await fetch({ previousRevision: next })).revision.id).toBe(next);
	});

	test("named by branch, tag, annotated tag, commit or short commit is that, but only the branch's tip is the whole source", async () => {
		gitIn(repo(), "tag", "v1");
		gitIn(repo(), "tag", "-a", "v1.0", "-m", "first");
		dir.write("access/policies/a.yaml", "a2");
		const next = commitAll(repo(), "next");
		gitIn(repo(), "branch", "feature/x", head);
		const at = async (ref: string) => {
			const a = await fetch({ ref });
			return [a.revision.id, a.partial];
		};
		expect(await at("main")).toEqual([next, null]);
		expect(await at("refs/heads/main")).toEqual([next, null]);
		expect(await at("HEAD")).toEqual([next, null]);
		expect(await at(next)).toEqual([next, null]);
		for (const ref of ["v1", "v1.0", "refs/tags/v1", head, head.slice(0, 8), "feature/x"]) {
			expect(await at(ref)).toEqual([head, `${ref} was read, not branch main`]);
		}
	});

	test("goes by the configured branch before the remote's default", async () => {
		gitIn(repo(), "checkout", "-q", "-b", "production");
		dir.write("access/policies/p.yaml", "p");
		const production = commitAll(repo(), "production");
		gitIn(repo(), "checkout", "-q", "main");
		expect(await fetch({ branch: "production" })).toMatchObject({ revision: { id: production }, partial: null });
		expect((await fetch({ branch: "production", ref: "main" })).partial).toBe("main was read, not branch production");
	});

	test("follows a branch whose name now stands where a folder of branches stood", async () => {
		gitIn(repo(), "branch", "a/b");
		await fetch({ ref: "a/b" });
		gitIn(repo(), "branch", "-D", "a/b");
		gitIn(repo(), "branch", "a");
		expect((await fetch({ ref: "a" })).revision.id).toBe(head);
	});

	test("with links and submodules does not follow them, and is not the whole source", async () => {
		symlinkSync("a.yaml", dir.at("access/policies/link.yaml"));
		symlinkSync("../docs", dir.at("access/policies/linked-folder"));
		symlinkSync("../docs/large.bin", dir.at("access/policies/harmless"));
		initRepository(dir.at("other"));
		commitAll(dir.at("other"), "other");
		gitIn(repo(), "-c", "protocol.file.allow=always", "submodule", "--quiet", "add", dir.at("other"), "policies/sub");
		commitAll(repo(), "links");
		const artifact = await fetch();
		expect([...artifact.files.keys()]).toEqual(["a.yaml", "team/b.yml"]);
		expect(artifact.partial).toBe("not read: policies/sub (a submodule), policies/link.yaml (a symbolic link) and 1 more");
	});

	test("does not run what the repository would have run: no filter, no attribute, no hook", async () => {
		dir.write("access/.gitattributes", "*.yaml filter=evil text eol=crlf ident\n");
		dir.write("access/policies/a.yaml", "$Id$\n");
		commitAll(repo(), "attributes");
		const env = {
			...GIT_ENV,
			GIT_CONFIG_COUNT: "1",
			GIT_CONFIG_KEY_0: "filter.evil.smudge",
			GIT_CONFIG_VALUE_0: `touch ${dir.at("ran")}`,
		};
		expect((await fetch({ env })).files.get("a.yaml")).toBe("$Id$\n");
		expect(existsSync(dir.at("ran"))).toBe(false);
	});

	test("does not run a command that an address is rewritten to", async () => {
		const rewrite = (kind: string) => ({
			...GIT_ENV,
			GIT_CONFIG_COUNT: "2",
			GIT_CONFIG_KEY_0: `url.${kind}.insteadOf`,
			GIT_CONFIG_VALUE_0: "https://git.acme.example/",
			GIT_CONFIG_KEY_1: "protocol.ext.allow",
			GIT_CONFIG_VALUE_1: "always",
		});
		const url = "https://git.acme.example/access";
		expect((await failure(fetch({ url, env: rewrite(`ext::touch ${dir.at("ran")} `) }))).message).toContain(
			"transport 'ext' not allowed",
		);
		expect(existsSync(dir.at("ran"))).toBe(false);
		expect((await failure(fetch({ url, env: rewrite(`${dir.path}/`) }))).message).toContain("transport 'file' not allowed");
	});

	test("emptied of YAML is never the whole source", async () => {
		gitIn(repo(), "rm", "-q", "-r", "policies");
		dir.write("access/policies/README.md", "moved");
		commitAll(repo(), "empty");
		expect((await fetch()).partial).toBe("policies holds no YAML file");
	});

	test("is read by several processes over one cache at once, each whole", async () => {
		const program = `
			import { createGitSource } from ${JSON.stringify(new URL("../../controller/source/git.ts", import.meta.url).href)};
			import { lockFile } from ${JSON.stringify(new URL("../../controller/store/file-lock.ts", import.meta.url).href)};
			const clock = { now: () => "", millis: () => Date.now(), sleep: (ms) => new Promise((r) => setTimeout(r, ms)) };
			const a = await createGitSource({ url: ${JSON.stringify(repo())}, ref: null, subdir: "policies", cacheDir: ${JSON.stringify(dir.at("cache"))},
				force: false, env: ${JSON.stringify(GIT_ENV)}, lock: (p, s) => lockFile(p, clock, s) }).fetch(new AbortController().signal);
			process.stdout.write(a.revision.id + " " + a.files.size);`;
		writeFileSync(dir.at("read.mjs"), program);
		const runs = Array.from({ length: 4 }, async () => {
			const child = spawn(process.execPath, [dir.at("read.mjs")]);
			const said: string[] = [];
			for (const stream of [child.stdout, child.stderr]) stream.on("data", (d: Buffer) => said.push(d.toString()));
			await new Promise((resolve) => child.on("close", resolve));
			return said.join("");
		});
		expect(await Promise.all(runs)).toEqual(Array.from({ length: 4 }, () => `${head} 2`));
	});
});

describe("a damaged cache", () => {
	test.each<[string, () => void]>([
		["without its configuration", () => writeFileSync(`${cacheRepo()}/config`, "")],
		["with garbage in place of its configuration", () => writeFileSync(`${cacheRepo()}/config`, "[[[")],
		["without its objects", () => renameSync(`${cacheRepo()}/objects`, `${cacheRepo()}/gone`)],
		[
			"with a lock that a killed git left",
			() => {
				for (const ref of readdirSync(`${cacheRepo()}/refs/ecs-access`))
					writeFileSync(`${cacheRepo()}/refs/ecs-access/${ref}.lock`, "");
			},
		],
	])("%s is made anew", async (_, damage) => {
		await fetch();
		damage();
		dir.write("access/policies/c.yaml", "c");
		const next = commitAll(repo(), "next");
		expect(await fetch({ previousRevision: head })).toMatchObject({ revision: { id: next }, partial: null });
	});
});

describe("history", () => {
	test("that was rewritten is refused, unless a person says that it is meant", async () => {
		await fetch();
		dir.write("access/policies/a.yaml", "rewritten");
		const rewritten = commitAll(repo(), "rewritten", "--amend");
		const error = await refusal(fetch({ previousRevision: head }));
		expect([error.reason, error.message]).toEqual([
			"NotDescendant",
			`commit ${rewritten.slice(0, 7)} does not descend from ${head.slice(0, 7)}, the last one that was admitted`,
		]);
		expect((await fetch({ previousRevision: head, force: true })).revision.id).toBe(rewritten);
		expect((await fetch({ previousRevision: rewritten })).revision.id).toBe(rewritten);
	});

	test("is refused also by a cache that never saw the last revision, and when an older one is asked for", async () => {
		const next = commitAll(repo(), "next");
		expect((await refusal(fetch({ previousRevision: "f".repeat(40) }))).reason).toBe("NotDescendant");
		expect((await refusal(fetch({ previousRevision: next, ref: head }))).reason).toBe("NotDescendant");
	});
});

describe("signatures", () => {
	let signers: string;
	const key = (name: string): string => {
		execFileSync("ssh-keygen", ["-q", "-t", "ed25519", "-N", "", "-C", name, "-f", dir.at(name)]);
		return dir.at(name);
	};
	const signed = (message: string, keyFile: string): string => {
		const settings = ["-c", "gpg.format=ssh", "-c", `user.signingKey=${keyFile}`];
		gitIn(repo(), ...settings, "commit", "-q", "--allow-empty", "-S", "-m", message);
		return gitIn(repo(), "rev-parse", "HEAD");
	};
	beforeEach(() => {
		const publicKey = readFileSync(`${key("anna")}.pub`, "utf8");
		signers = dir.at("allowed-signers");
		writeFileSync(signers, `anna@acme.example namespaces="git" ${publicKey}`);
	});
	const verified = (options: Partial<GitSourceDeps> = {}) =>
		fetch({ requireSignatures: true, allowedSigners: signers, ...options });

	test("by an allowed signer admit a commit", async () => {
		const commit = signed("signed", dir.at("anna"));
		expect((await verified()).revision.id).toBe(commit);
	});

	test("missing, or by anybody else, refuse it", async () => {
		expect(await refusal(verified())).toMatchObject({
			reason: "UnsignedCommit",
			message: `commit ${head.slice(0, 7)} is not signed by an allowed signer: it has no signature`,
		});
		const commit = signed("by a stranger", key("mallory"));
		const error = await refusal(verified());
		expect([error.reason, error.message.startsWith(`commit ${commit.slice(0, 7)} is not signed by an allowed signer`)]).toEqual([
			"UnsignedCommit",
			true,
		]);
	});

	test("taken from another commit refuse it", async () => {
		const good = gitIn(repo(), "cat-file", "commit", signed("signed", dir.at("anna")));
		const forged = execFileSync("git", ["-C", repo(), "hash-object", "-t", "commit", "-w", "--stdin"], {
			env: GIT_ENV,
			input: `${good.replace(/\nsigned$/, "\nforged")}\n`,
			encoding: "utf8",
		}).trim();
		gitIn(repo(), "update-ref", "refs/heads/main", forged);
		expect((await refusal(verified())).reason).toBe("UnsignedCommit");
	});

	test("in another format refuse it, whatever the machine's own keyring says", async () => {
		const plain = gitIn(repo(), "cat-file", "commit", head);
		const pgp = "gpgsig -----BEGIN PGP SIGNATURE-----\n \n aGVsbG8=\n -----END PGP SIGNATURE-----";
		const forged = execFileSync("git", ["-C", repo(), "hash-object", "-t", "commit", "-w", "--stdin"], {
			env: GIT_ENV,
			input: `${plain.replace("\n\n", `\n${pgp}\n\n`)}\n`,
			encoding: "utf8",
		}).trim();
		gitIn(repo(), "update-ref", "refs/heads/main", forged);
		dir.write(
			"bin/gpg",
			`#!/bin/sh\nprintf '%s\\n' '[GNUPG:] NEWSIG' '[GNUPG:] GOODSIG 0123456789ABCDEF Anna' '[GNUPG:] TRUST_ULTIMATE 0 pgp'\n`,
		);
		chmodSync(dir.at("bin/gpg"), 0o755);
		const env = { ...GIT_ENV, PATH: `${dir.at("bin")}:${GIT_ENV.PATH}` };
		expect((await refusal(verified({ env }))).reason).toBe("UnsignedCommit");
	});

	test("without a list of those who may sign refuse everything", async () => {
		signed("signed", dir.at("anna"));
		expect((await refusal(fetch({ requireSignatures: true }))).reason).toBe("NoAllowedSigners");
		expect((await refusal(verified({ allowedSigners: dir.at("none") }))).message).toContain(
			`file ${dir.at("none")} does not exist`,
		);
	});
});

describe("refused, with what to do", () => {
	test.each(["nope", "v9", "0123456", "f".repeat(40)])("a ref that is not there: %s", async (ref) => {
		expect(await refusal(fetch({ ref }))).toMatchObject({ reason: "BadRef" });
	});

	test.each(["--upload-pack=touch /tmp/x", "-f", "main..x", "a b", "main~1", "a:b", "*", "x.lock", "@{1}", ""])(
		"a ref that is an option, a range or a pattern: %s",
		async (ref) => {
			expect(await refusal(fetch({ ref }))).toMatchObject({ reason: "BadRef", fix: "name one, like main or v1.2.0" });
			expect(existsSync(dir.at("cache"))).toBe(false);
		},
	);

	test.each([
		"ext::sh -c touch% /tmp/x",
		"ext::sh",
		"fd::17",
		"--upload-pack=evil",
		"-oProxyCommand=evil:x",
		"ssh://-oProxyCommand=evil/x",
		"ssh://-x@host/x",
		"git://example.com/x",
		"http://example.com/x",
		"ftp://example.com/x",
		"file://example.com/x",
		"../relative",
		"",
		"a\nb",
		"https://",
		"https://host/%zz",
		"user:hunter2@host:x",
	])("an address that is no safe repository: %s", async (url) => {
		const error = await refusal(fetch({ url }));
		expect(error.reason).toBe("BadRepository");
		expect(error.message).not.toContain("hunter2");
		expect(existsSync(dir.at("cache"))).toBe(false);
	});

	test.each(["../x", "/etc", "a/../../b"])("a folder outside of the repository: %s", async (subdir) => {
		expect((await refusal(fetch({ subdir }))).reason).toBe("BadFolder");
	});

	test("a folder that is not there, and a file in its place", async () => {
		expect((await refusal(fetch({ subdir: "polices" }))).message).toBe(
			`folder polices does not exist in file:${repo()} at ${head.slice(0, 7)}`,
		);
		expect((await refusal(fetch({ subdir: "policies/a.yaml" }))).reason).toBe("SourceMissing");
	});

	test("a folder inside a source root, naming the root", async () => {
		dir.write("access/policies/platform/installation.yaml", PLATFORM);
		commitAll(repo(), "platform");
		for (const subdir of ["policies/team", "./policies/platform/"]) {
			expect((await refusal(fetch({ subdir }))).message).toContain("lies inside the source root policies,");
		}
		expect((await fetch()).files.size).toBe(3);
	});

	test("a file that is not UTF-8, by name", async () => {
		dir.write("access/policies/latin.yaml", Uint8Array.of(0xe9));
		commitAll(repo(), "latin");
		expect((await refusal(fetch())).message).toBe("policies/latin.yaml is not valid UTF-8");
	});

	test("a repository that is not there, or has no commit", async () => {
		expect((await refusal(fetch({ url: dir.at("none") }))).reason).toBe("RepositoryMissing");
		initRepository(dir.at("young"));
		expect((await refusal(fetch({ url: dir.at("young") }))).reason).toBe("BadRef");
	});
});

describe("a remote over the network", () => {
	const headers: string[] = [];
	const serve = async (status: number): Promise<{ url: string; close: () => void }> => {
		headers.length = 0;
		const server = createServer((request, response) => {
			headers.push(request.headers.authorization ?? "none");
			if (status > 0) response.writeHead(status, status === 401 ? { "www-authenticate": "Basic realm=x" } : {}).end();
		});
		await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
		return {
			url: `127.0.0.1:${(server.address() as AddressInfo).port}/acme/access.git`,
			close: () => {
				server.closeAllConnections();
				server.close();
			},
		};
	};

	test("that cannot be reached is tried again: no error that only a person can end", async () => {
		const { url, close } = await serve(200);
		close();
		const error = await failure(fetch({ url: `http://${url}` }));
		expect(error).not.toBeInstanceOf(TerminalError);
		expect(error.message).toContain(`${url.replace(/\.git$/, "")} cannot be read`);
	});

	test("that refuses access says so, and shows no credential anywhere", async () => {
		const server = await serve(403);
		try {
			const error = await refusal(fetch({ url: `http://anna:hunter2@${server.url}` }));
			expect(error.reason).toBe("GitAccessDenied");
			expect(headers).toContain(`Basic ${Buffer.from("anna:hunter2").toString("base64")}`);
			const all = `${error.message} ${error.fix} ${String(error.cause)} ${(error.cause as { stderr: string }).stderr}`;
			expect(all).not.toMatch(/hunter2|anna/);
			const found = spawnSync("grep", ["-rlE", "hunter2|YW5uYTpodW50ZXIy", dir.at("cache")], { encoding: "utf8" });
			expect([found.status, found.stdout]).toEqual([1, ""]);
		} finally {
			server.close();
		}
	});

	test("is given the credentials of the function, before those of the address", async () => {
		const server = await serve(404);
		try {
			const credentials = async () =>
				({ kind: "password", username: "app", password: new Secret("t0ken"), from: "secret app" }) as const;
			expect((await refusal(fetch({ url: `http://x:y@${server.url}`, credentials }))).reason).toBe("RepositoryMissing");
			expect(new Set(headers)).toEqual(new Set([`Basic ${Buffer.from("app:t0ken").toString("base64")}`]));
		} finally {
			server.close();
		}
	});

	test("that wants a password nobody gave does not ask for one at the terminal", async () => {
		const server = await serve(401);
		try {
			expect((await refusal(fetch({ url: `http://${server.url}` }))).reason).toBe("GitAccessDenied");
		} finally {
			server.close();
		}
	});

	test("that never answers is let go when told to, and leaves no process and no lock", async () => {
		const server = await serve(0);
		try {
			const abort = new AbortController();
			let settled = false;
			const pending = failure(fetch({ url: `http://${server.url}` }, abort.signal)).finally(() => {
				settled = true;
			});
			await expect.poll(() => headers.length, { timeout: 20_000 }).toBeGreaterThan(0);
			abort.abort(new Error("told to stop"));
			// git itself would give up after half a minute without an answer.
			await expect.poll(() => settled, { timeout: 10_000 }).toBe(true);
			expect((await pending).message).toBe("told to stop");
			const running = execFileSync("ps", ["-eo", "args"], { encoding: "utf8" });
			expect(running).not.toContain(server.url);
			const lock = readdirSync(dir.at("cache")).find((n) => n.endsWith(".lock")) ?? "none";
			(await lockFile(dir.at("cache", lock), clock, new AbortController().signal))();
		} finally {
			server.close();
		}
	});
});
