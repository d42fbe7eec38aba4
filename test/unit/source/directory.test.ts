import { spawnSync } from "node:child_process";
import { chmodSync, mkdirSync, renameSync, symlinkSync } from "node:fs";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { TerminalError } from "../../../controller/model/errors.ts";
import type { Artifact } from "../../../controller/model/resource.ts";
import { createDirectorySource } from "../../../controller/source/directory.ts";
import { commitAll, GIT_ENV, gitIn, initRepository, type TempFolder, tempFolder } from "./repository.ts";

const PLATFORM = "apiVersion: ecs-access.dev/v1alpha1\nkind: Installation\n";
let dir: TempFolder;
beforeEach(() => {
	dir = tempFolder();
});
afterEach(() => dir.dispose());

const fetch = (path = "policies", options: { branch?: string; env?: Record<string, string> } = {}): Promise<Artifact> =>
	createDirectorySource({ path, cwd: dir.path, env: GIT_ENV, ...options }).fetch(new AbortController().signal);

async function refusal(work: Promise<unknown>): Promise<TerminalError> {
	const error = await work.then(
		() => undefined,
		(e: unknown) => e,
	);
	expect(error).toBeInstanceOf(TerminalError);
	return error as TerminalError;
}

describe("a plain folder", () => {
	test("is read whole: every YAML file at any depth, sorted, nothing else", async () => {
		dir.write("policies/b.yaml", "b: 1\n");
		dir.write("policies/a.yml", "a: 1\n");
		dir.write("policies/team/c.yaml", "c: 1\n");
		dir.write("policies/README.md", "no");
		dir.write("policies/.github/workflows/x.yaml", "no");
		dir.write("policies/.hidden.yaml", "no");
		dir.write("outside.yaml", "no");
		const artifact = await fetch();
		expect([...artifact.files]).toEqual([
			["a.yml", "a: 1\n"],
			["b.yaml", "b: 1\n"],
			["team/c.yaml", "c: 1\n"],
		]);
		expect(artifact).toMatchObject({ root: "policies", source: "directory", partial: null });
		expect(artifact.revision).toEqual({ kind: "directory", id: artifact.digest });
	});

	test.each([
		["./policies/", "policies"],
		["policies//", "policies"],
		[".", "."],
		["./", "."],
	])("named %s is shown as %s", async (typed, root) => {
		dir.write("policies/a.yaml", "a");
		expect((await fetch(typed)).root).toBe(root);
	});

	test("has the same digest wherever it stands, and another when a path or a content changes", async () => {
		dir.write("policies/a.yaml", "a");
		dir.write("policies/b.yaml", "b");
		const first = (await fetch()).digest;
		renameSync(dir.at("policies"), dir.at("elsewhere"));
		expect((await fetch("elsewhere")).digest).toBe(first);
		dir.write("elsewhere/a.yaml", "a ");
		expect((await fetch("elsewhere")).digest).not.toBe(first);
		dir.write("elsewhere/a.yaml", "a");
		renameSync(dir.at("elsewhere/a.yaml"), dir.at("elsewhere/c.yaml"));
		expect((await fetch("elsewhere")).digest).not.toBe(first);
	});

	test("loses its byte order mark and keeps every other character", async () => {
		dir.write("policies/a.yaml", "\uFEFFname: Zoë\r\n");
		expect((await fetch()).files.get("a.yaml")).toBe("name: Zoë\r\n");
	});

	test("without YAML is never the whole source", async () => {
		dir.write("policies/README.md", "soon");
		expect(await fetch()).toMatchObject({ partial: "policies holds no YAML file" });
	});

	test.each(["file", "folder", "broken"])(
		"with a link (%s) is not the whole source, and the link is not followed",
		async (kind) => {
			dir.write("policies/a.yaml", "a");
			dir.write("outside/secret.yaml", "s");
			symlinkSync(
				{ file: "../outside/secret.yaml", folder: "../outside", broken: "nowhere.yaml" }[kind] ?? "",
				dir.at("policies/link.yaml"),
			);
			const artifact = await fetch();
			expect([...artifact.files.keys()]).toEqual(["a.yaml"]);
			expect(artifact.partial).toBe("not read: policies/link.yaml (a symbolic link)");
		},
	);

	test("that holds another repository does not take that in, and is not the whole source", async () => {
		dir.write("policies/a.yaml", "a");
		dir.write("policies/vendored/b.yaml", "b");
		initRepository(dir.at("policies/vendored"));
		const artifact = await fetch();
		expect([...artifact.files.keys()]).toEqual(["a.yaml"]);
		expect(artifact.partial).toBe("not read: policies/vendored (a git repository of its own)");
	});

	test("may itself be named by a link", async () => {
		dir.write("real/a.yaml", "a");
		symlinkSync("real", dir.at("policies"));
		expect(await fetch()).toMatchObject({ root: "policies", partial: null });
	});
});

describe("refused, with what to do", () => {
	test("a folder that does not exist", async () => {
		const error = await refusal(fetch("polices"));
		expect([error.reason, error.message]).toEqual(["SourceMissing", "folder polices does not exist"]);
		expect(error.fix).toContain("ecs-access init");
	});

	test("a file in place of a folder", async () => {
		dir.write("policies/a.yaml", "a");
		const error = await refusal(fetch("policies/a.yaml"));
		expect([error.reason, error.fix]).toEqual(["NotAFolder", "name its folder: --path policies"]);
	});

	test("a file that is not UTF-8, by name", async () => {
		dir.write("policies/team/latin.yaml", Uint8Array.of(0x6e, 0xe9, 0x0a));
		expect((await refusal(fetch())).message).toBe("policies/team/latin.yaml is not valid UTF-8");
	});

	test("a file over the limit, by name and size", async () => {
		dir.write("policies/big.yaml", "#".repeat(1024 * 1024 + 1));
		expect((await refusal(fetch())).message).toContain("policies/big.yaml has 1048577 bytes");
	});

	test("a file name with a line break", async () => {
		dir.write("policies/a\nb.yaml", "a");
		expect((await refusal(fetch())).reason).toBe("BadFileName");
	});

	test("a file and a folder that this user may not read", () => {
		dir.write("policies/a.yaml", "a");
		dir.write("policies/closed/b.yaml", "b");
		chmodSync(dir.path, 0o755);
		const program = `
			import { createDirectorySource } from ${JSON.stringify(new URL("../../../controller/source/directory.ts", import.meta.url).href)};
			await createDirectorySource({ path: "policies", cwd: ${JSON.stringify(dir.path)}, env: {} })
				.fetch(new AbortController().signal).catch((e) => process.stdout.write(e.reason + ": " + e.message));`;
		const asNobody = () => {
			// Root may read everything, so that the program runs as nobody.
			const ids = process.getuid?.() === 0 ? { uid: 65534, gid: 65534 } : {};
			const done = spawnSync(process.execPath, ["--input-type=module", "-e", program], { ...ids, encoding: "utf8", cwd: "/" });
			return done.stdout || done.stderr;
		};
		chmodSync(dir.at("policies/a.yaml"), 0o000);
		expect(asNobody()).toBe("Unreadable: policies/a.yaml cannot be read: permission denied");
		chmodSync(dir.at("policies/a.yaml"), 0o644);
		chmodSync(dir.at("policies/closed"), 0o000);
		expect(asNobody()).toBe("Unreadable: policies/closed cannot be read: permission denied");
		chmodSync(dir.at("policies/closed"), 0o755);
		chmodSync(dir.at("policies"), 0o000);
		expect(asNobody()).toBe("Unreadable: policies cannot be read: permission denied");
		chmodSync(dir.at("policies"), 0o755);
	});

	test.each(["policies/team", "policies/team/deep", "policies/platform"])(
		"%s, which lies inside a source root, naming the root",
		async (path) => {
			dir.write("policies/platform/installation.yaml", PLATFORM);
			dir.write("policies/team/deep/a.yaml", "a");
			const error = await refusal(fetch(path));
			expect(error.reason).toBe("InsideRoot");
			expect(error.message).toContain(`${path} lies inside the source root policies,`);
			expect((await refusal(fetch(dir.at(path)))).message).toContain(`inside the source root ${dir.at("policies")},`);
		},
	);

	test("a link into a source root", async () => {
		dir.write("policies/platform/installation.yaml", PLATFORM);
		dir.write("policies/team/a.yaml", "a");
		symlinkSync("policies/team", dir.at("mine"));
		expect((await refusal(fetch("mine"))).reason).toBe("InsideRoot");
	});

	test("not a root beside which stands some other folder that is called platform", async () => {
		dir.write("platform/main.tf", "");
		dir.write("platform/chart.yaml", "apiVersion: v2\n");
		dir.write("policies/platform/installation.yaml", PLATFORM);
		expect((await fetch()).files.size).toBe(1);
	});
});

describe("a folder in a git work tree", () => {
	let head: string;
	beforeEach(() => {
		initRepository(dir.path);
		gitIn(dir.path, "remote", "add", "origin", "git@github.com:acme/access.git");
		dir.write("policies/a.yaml", "a");
		dir.write("policies/team/b.yaml", "b");
		head = commitAll(dir.path, "Give orders its table");
	});

	test("clean on its branch is the whole source at a commit, marked by origin's address and the folder", async () => {
		const artifact = await fetch();
		expect(artifact.partial).toBeNull();
		expect(artifact.source).toBe("github.com/acme/access//policies");
		expect(artifact.revision).toEqual({
			kind: "commit",
			id: head,
			author: "Anna Ops <anna@acme.example>",
			committedAt: "2026-11-24T09:12:00Z",
			subject: "Give orders its table",
		});
		expect((await fetch(".")).source).toBe("github.com/acme/access");
	});

	test.each<[string, () => void, string]>([
		["changed", () => dir.write("policies/a.yaml", "changed"), "policies/a.yaml"],
		["new", () => dir.write("policies/new.yaml", "n"), "policies/new.yaml"],
		["deleted", () => dir.remove("policies/team/b.yaml"), "policies/team/b.yaml"],
		[
			"ignored by git",
			() => {
				dir.write("policies/.gitignore", "*.yml");
				dir.write("policies/i.yml", "i");
			},
			"policies/i.yml",
		],
		[
			"hidden from git's status",
			() => {
				gitIn(dir.path, "update-index", "--assume-unchanged", "policies/a.yaml");
				dir.write("policies/a.yaml", "x");
			},
			"policies/a.yaml",
		],
		[
			"left out by a sparse checkout",
			() => void gitIn(dir.path, "sparse-checkout", "set", "--no-cone", "/policies/*.yaml"),
			"policies/team/b.yaml",
		],
	])("with a file %s has uncommitted changes: no commit, and not the whole source", async (_, change, file) => {
		change();
		const artifact = await fetch();
		expect(artifact.partial).toBe(`uncommitted changes in ${file}`);
		expect(artifact.revision).toEqual({ kind: "directory", id: artifact.digest });
	});

	test("stays clean whatever changes outside of the folder, or in it besides YAML", async () => {
		dir.write("README.md", "changed");
		dir.write("policies/README.md", "changed");
		expect(await fetch()).toMatchObject({ partial: null, revision: { id: head } });
	});

	test("on a feature branch is at its commit, but not the whole source", async () => {
		gitIn(dir.path, "checkout", "-q", "-b", "feature");
		expect(await fetch()).toMatchObject({
			partial: "branch feature is checked out, not main",
			revision: { kind: "commit", id: head },
		});
		expect((await fetch("policies", { branch: "feature" })).partial).toBeNull();
	});

	test("goes by origin's default branch where that is known, and by the configured one before it", async () => {
		gitIn(dir.path, "update-ref", "refs/remotes/origin/trunk", head);
		gitIn(dir.path, "symbolic-ref", "refs/remotes/origin/HEAD", "refs/remotes/origin/trunk");
		expect((await fetch()).partial).toBe("branch main is checked out, not trunk");
		expect((await fetch("policies", { branch: "main" })).partial).toBeNull();
		gitIn(dir.path, "checkout", "-q", "-b", "trunk");
		expect((await fetch()).partial).toBeNull();
	});

	test("detached, as CI checks out, is the whole source only at the branch's tip on origin", async () => {
		gitIn(dir.path, "checkout", "-q", "--detach");
		expect((await fetch()).partial).toBe(`commit ${head.slice(0, 7)} is checked out, not branch main`);
		gitIn(dir.path, "update-ref", "refs/remotes/origin/main", head);
		expect((await fetch()).partial).toBeNull();
		commitAll(dir.path, "another");
		expect((await fetch()).partial).toContain("is checked out, not branch main");
	});

	test("on a branch of which nobody says that it is the default is not the whole source", async () => {
		gitIn(dir.path, "branch", "-m", "main", "production");
		expect((await fetch()).partial).toBe("the default branch is not known: no origin/HEAD, main or master");
		expect((await fetch("policies", { branch: "production" })).partial).toBeNull();
	});

	test("before its first commit has uncommitted changes", async () => {
		dir.write("young/policies/a.yaml", "a");
		initRepository(dir.at("young"));
		expect(await fetch("young/policies")).toMatchObject({ source: "directory", revision: { kind: "directory" } });
		expect((await fetch("young/policies")).partial).toBe("uncommitted changes: young/policies has no commit yet");
	});

	test("is read as itself also from within a git hook, whose environment names another repository", async () => {
		const env = { ...GIT_ENV, GIT_DIR: "/nonexistent/.git", GIT_INDEX_FILE: "/nonexistent/index", GIT_WORK_TREE: "/nonexistent" };
		expect(await fetch("policies", { env })).toMatchObject({ partial: null, revision: { id: head } });
	});

	test("says so when git is missing or too old, for then nobody knows what is committed", async () => {
		dir.write("bin/git", "#!/bin/sh\necho git version 2.20.1\n");
		chmodSync(dir.at("bin/git"), 0o755);
		expect((await refusal(fetch("policies", { env: { PATH: dir.at("bin") } }))).message).toBe(
			"git version 2.20.1 is too old: 2.34 is needed",
		);
		mkdirSync(dir.at("empty"));
		expect((await refusal(fetch("policies", { env: { PATH: dir.at("empty") } }))).reason).toBe("GitMissing");
	});

	test("stops when told to", async () => {
		const source = createDirectorySource({ path: "policies", cwd: dir.path, env: GIT_ENV });
		await expect(source.fetch(AbortSignal.abort(new Error("stop")))).rejects.toThrow("stop");
	});
});
