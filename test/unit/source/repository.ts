import { execFileSync } from "node:child_process";
import { mkdirSync, mkdtempSync, realpathSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";

/** A git that knows nothing of whoever runs the tests: no configuration, no agent, fixed author and dates. */
export const GIT_ENV: Readonly<Record<string, string>> = {
	PATH: process.env.PATH ?? "",
	HOME: "/nonexistent",
	GIT_CONFIG_GLOBAL: "/dev/null",
	GIT_CONFIG_SYSTEM: "/dev/null",
	GIT_AUTHOR_NAME: "Anna Ops",
	GIT_AUTHOR_EMAIL: "anna@acme.example",
	GIT_AUTHOR_DATE: "2026-11-24T09:12:00Z",
	GIT_COMMITTER_NAME: "Anna Ops",
	GIT_COMMITTER_EMAIL: "anna@acme.example",
	GIT_COMMITTER_DATE: "2026-11-24T09:12:00Z",
};

export interface TempFolder {
	readonly path: string;
	readonly at: (...parts: string[]) => string;
	readonly write: (path: string, content: string | Uint8Array) => void;
	readonly remove: (path: string) => void;
	readonly dispose: () => void;
}

export function tempFolder(): TempFolder {
	const path = realpathSync(mkdtempSync(join(tmpdir(), "source-")));
	const at = (...parts: string[]): string => join(path, ...parts);
	return {
		path,
		at,
		write: (file, content) => {
			mkdirSync(dirname(at(file)), { recursive: true });
			writeFileSync(at(file), content);
		},
		remove: (file) => rmSync(at(file), { recursive: true, force: true }),
		dispose: () => rmSync(path, { recursive: true, force: true }),
	};
}

/** Runs git in a folder and returns what it printed, trimmed; fails the test with git's own words. */
export function gitIn(folder: string, ...args: string[]): string {
	return execFileSync("git", ["-C", folder, ...args], {
		env: GIT_ENV,
		encoding: "utf8",
		stdio: ["ignore", "pipe", "pipe"],
	}).trim();
}

/** Commits everything; returns the sha. */
export function commitAll(folder: string, message: string, ...args: string[]): string {
	gitIn(folder, "add", "-A");
	gitIn(folder, "commit", "-q", "--allow-empty", "-m", message, ...args);
	return gitIn(folder, "rev-parse", "HEAD");
}

export function initRepository(folder: string, branch = "main"): void {
	mkdirSync(folder, { recursive: true });
	gitIn(folder, "init", "-q", `--initial-branch=${branch}`);
}
