import { execFileSync } from "node:child_process";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { TerminalError } from "../../controller/model/errors.ts";
import { createDirectorySource } from "../../controller/source/directory.ts";
import { readRevision } from "../../controller/source/revision.ts";
import { commitAll, GIT_ENV, gitIn, initRepository, type TempFolder, tempFolder } from "../unit/source/repository.ts";

let dir: TempFolder;
let base: string;
beforeEach(() => {
	dir = tempFolder();
	initRepository(dir.path);
	gitIn(dir.path, "remote", "add", "origin", "https://github.com/acme/access.git");
	dir.write("README.md", "before the first policy");
	base = commitAll(dir.path, "start");
	dir.write("policies/a.yaml", "a");
	dir.write("policies/team/b.yaml", "b");
	commitAll(dir.path, "first");
});
afterEach(() => dir.dispose());

const read = (rev: string, from: { folder?: string; root?: string } = {}) =>
	readRevision({ folder: dir.at("policies"), rev, env: GIT_ENV, ...from }, new AbortController().signal);

describe("another revision of a local repository", () => {
	test("is what the commit holds, whatever the work tree holds, and never the whole source", async () => {
		const committed = await createDirectorySource({ path: "policies", cwd: dir.path, env: GIT_ENV }).fetch(
			new AbortController().signal,
		);
		dir.write("policies/a.yaml", "changed");
		dir.remove("policies/team");
		const artifact = await read("HEAD");
		expect([artifact.digest, artifact.revision, artifact.source, artifact.root]).toEqual([
			committed.digest,
			committed.revision,
			"github.com/acme/access//policies",
			"policies",
		]);
		expect(artifact.partial).toBe("this is revision HEAD, for comparison");
	});

	test("may be named as git names revisions", async () => {
		gitIn(dir.path, "tag", "v1");
		for (const rev of ["main", "v1", "HEAD~0", gitIn(dir.path, "rev-parse", "--short", "HEAD")]) {
			expect([...(await read(rev)).files.keys()]).toEqual(["a.yaml", "team/b.yaml"]);
		}
	});

	test("is shown under the name that a person gave its folder", async () => {
		expect(await read("HEAD", { root: "../policies" })).toMatchObject({
			root: "../policies",
			digest: (await read("HEAD")).digest,
		});
		expect([...(await read("HEAD", { folder: dir.path })).files.keys()]).toEqual(["policies/a.yaml", "policies/team/b.yaml"]);
		expect((await read("HEAD", { folder: dir.path })).root).toBe(".");
	});

	test("before the folder existed is empty", async () => {
		const artifact = await read(base);
		expect([artifact.files.size, artifact.partial]).toEqual([0, `policies does not exist at ${base}`]);
	});

	test("read from a partial clone fetches what that lacks", async () => {
		gitIn(dir.path, "config", "uploadpack.allowFilter", "true");
		gitIn(dir.path, "config", "uploadpack.allowAnySHA1InWant", "true");
		execFileSync("git", ["clone", "-q", "--no-checkout", "--filter=blob:none", `file://${dir.path}`, dir.at("clone")], {
			env: GIT_ENV,
		});
		expect((await read("origin/main", { folder: dir.at("clone") })).files.get("policies/team/b.yaml")).toBe("b");
	});

	test.each(["nope", "", "--all", "-n1", "HEAD:policies", "main..HEAD"])("that is no commit is refused: %s", async (rev) => {
		const error = await read(rev).catch((e: unknown) => e);
		expect(error).toBeInstanceOf(TerminalError);
		expect(error).toMatchObject({ reason: "BadRevision" });
	});

	test("of a folder without git is refused", async () => {
		const plain = tempFolder();
		try {
			await expect(read("HEAD", { folder: plain.path })).rejects.toMatchObject({ reason: "NotARepository" });
		} finally {
			plain.dispose();
		}
	});
});
