import { execFileSync, spawn, spawnSync } from "node:child_process";
import { existsSync, mkdirSync, mkdtempSync, readFileSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { parse } from "yaml";
import { openStore } from "../../controller/store/sqlite.ts";
import { put } from "../conformance/store.ts";
import { BILLING, entry, status } from "../unit/cli/state-fixture.ts";

/** The command line as people and pipelines run it: a process, its two streams and its exit code. */

const MAIN = join(import.meta.dirname, "../../controller/main.ts");

function folder(): string {
	return mkdtempSync(join(tmpdir(), "cli-"));
}

// Compiled once for all of them.
const cache = folder();

function environment(home: string): NodeJS.ProcessEnv {
	return { PATH: process.env.PATH, HOME: home, XDG_CACHE_HOME: cache };
}

function run(
	args: readonly string[],
	opts: { readonly cwd?: string; readonly input?: string; readonly env?: NodeJS.ProcessEnv } = {},
) {
	const cwd = opts.cwd ?? folder();
	const done = spawnSync(process.execPath, [MAIN, ...args], {
		cwd,
		encoding: "utf8",
		input: opts.input ?? "",
		env: { ...environment(cwd), ...opts.env },
	});
	return { code: done.status, out: done.stdout, err: done.stderr };
}

/** The same on a terminal; what comes back is all that the terminal was given. */
function runOnTerminal(args: readonly string[], cwd: string, env: NodeJS.ProcessEnv = {}): string {
	const program = "import pty, sys; pty.spawn(sys.argv[1:])";
	return execFileSync("python3", ["-c", program, process.execPath, MAIN, ...args], {
		cwd,
		encoding: "utf8",
		env: { ...environment(cwd), TERM: "xterm-256color", ...env },
		stdio: ["ignore", "pipe", "ignore"],
	});
}

const POLICY = `apiVersion: ecs-access.dev/v1alpha1
kind: AccessPolicy
metadata: { name: orders-api }
spec:
  workloads: [{ cluster: prod, services: [orders-api] }]
  taskRole:
    statements: [{ actions: [s3:GetObject], resources: ["arn:aws:s3:::catalogue/*"] }]
  executionRole: { mode: Unmanaged, name: ecsTaskExecutionRole }
  secrets: [{ container: app, name: DATABASE_URL, secret: prod/orders/database, jsonKey: url }]
`;
const PLATFORM = `apiVersion: ecs-access.dev/v1alpha1
kind: Account
metadata: { name: prod }
spec: { accountId: "123456789012", region: eu-west-1 }
---
apiVersion: ecs-access.dev/v1alpha1
kind: Guardrail
metadata: { name: baseline }
spec: { enforcement: Deny, rules: [{ id: no-iam, denyActions: ["iam:*"] }] }
`;

function repository(policy = POLICY): string {
	const cwd = folder();
	mkdirSync(join(cwd, "policies/platform"), { recursive: true });
	writeFileSync(join(cwd, "policies/orders-api.yaml"), policy);
	writeFileSync(join(cwd, "policies/platform/base.yaml"), PLATFORM);
	return cwd;
}

describe("the program", () => {
	it("says its version, and helps without being asked", () => {
		expect(run(["--version"])).toEqual({ code: 0, out: "0.1.0\n", err: "" });
		expect(run([])).toMatchObject({ code: 0, err: "" });
		expect(run([]).out).toBe(run(["--help"]).out);
	});

	it("answers what it does not understand on one line, with exit 1 and nothing on stdout", () => {
		for (const [args, said] of [
			[["valdate"], "error  unknown command 'valdate' — did you mean validate?\n"],
			[["validate", "--strct"], "error  unknown option '--strct' — did you mean --strict?\n"],
			[["zzzzzz"], "error  unknown command 'zzzzzz' — see --help\n"],
			[["describe"], "error  missing required argument 'key' — see --help\n"],
		] as const) {
			expect(run(args)).toEqual({ code: 1, out: "", err: said });
		}
		const badFormat = run(["validate", "-o", "xml"]);
		expect(badFormat.code).toBe(1);
		expect(badFormat.err).toMatch(
			/^error {2}option '-o, --format <format>' argument 'xml' is invalid\. Allowed choices are .*\n$/,
		);
	});

	it("gives every command examples and the same exit codes", () => {
		const commands = [...run(["--help"]).out.matchAll(/^ {2}([a-z]+)\b.* {2}/gm)].map((m) => m[1]).filter((c) => c !== "help");
		expect(commands.length).toBeGreaterThan(6);
		for (const command of commands) {
			const { code, out } = run([String(command), "--help"]);
			expect(code).toBe(0);
			expect(out).toMatch(/^Examples:\n {2}.*ecs-access/m);
			expect(out).toMatch(/^Exit codes:\n {2}0 .*\n {2}1 .*\n {2}2 .*\n {2}130 /m);
			expect(out).toContain("--no-color");
		}
	});

	it("shows no stack trace but with --verbose", () => {
		const args = ["policy", "compare", "a.json", "b.json"];
		expect(run(args)).toMatchObject({
			code: 1,
			err: expect.stringMatching(/^error {2}cannot read a\.json: there is no such file\n$/),
		});
		expect(run([...args, "--verbose"]).err).toContain("    at ");
	});

	it("colours a terminal, unless it is told not to, and never a pipe", () => {
		const cwd = repository(POLICY.replace("statements", "statments"));
		expect(runOnTerminal(["validate", "--no-color"], cwd)).not.toContain("\u001b[");
		expect(runOnTerminal(["validate"], cwd, { NO_COLOR: "1" })).not.toContain("\u001b[");
		expect(runOnTerminal(["validate"], cwd)).toContain("\u001b[31merror");
		expect(run(["validate"], { cwd }).out).not.toContain("\u001b[");
	});

	it("does not mind a reader that has seen enough", () => {
		const cwd = folder();
		const line =
			'set -o pipefail; yes \'{}\' | head -n 50000 | "$0" "$1" policy compare --batch | head -n 1; echo "${PIPESTATUS[2]}"';
		const done = spawnSync("bash", ["-c", line, process.execPath, MAIN], { cwd, encoding: "utf8", env: environment(cwd) });
		expect(done.stderr).toBe("");
		expect(done.stdout.trim().split("\n")).toEqual([expect.stringContaining("missing"), "0"]);
	});

	it("ends with 130 on Ctrl-C, also while it waits for input", async () => {
		const cwd = folder();
		const child = spawn(process.execPath, [MAIN, "policy", "compare", "--batch"], { cwd, env: environment(cwd) });
		let err = "";
		child.stderr.on("data", (d) => {
			err += String(d);
		});
		const answered = new Promise<void>((resolve) => child.stdout.once("data", () => resolve()));
		child.stdin.write("{}\n");
		await answered;
		child.kill("SIGINT");
		const code = await new Promise((resolve) => child.once("exit", resolve));
		expect(code).toBe(130);
		expect(err).toContain("interrupted");
		expect(err).not.toContain("    at ");
	});
});

describe("validate", () => {
	it("is 0 where all is right, and says that AWS was not asked", () => {
		expect(run(["validate"], { cwd: repository() })).toEqual({
			code: 0,
			out: "No findings in 2 files. Nothing was read from AWS.\n",
			err: "",
		});
	});

	it("is 1 for an error, with the line and what to do", () => {
		const { code, out } = run(["validate"], { cwd: repository(POLICY.replace("GetObject", "GetObjct")) });
		expect(code).toBe(1);
		expect(out).toContain("policies/orders-api.yaml:7:");
		expect(out).toContain("did you mean s3:GetObject?");
		expect(out).toContain("1 error in 1 of 2 files. Nothing was read from AWS.");
	});

	it("is 2 where only a guardrail speaks", () => {
		const { code, out } = run(["validate"], { cwd: repository(POLICY.replace("s3:GetObject", "iam:PassRole")) });
		expect(code).toBe(2);
		expect(out).toContain("guardrail baseline/no-iam");
	});

	it("tells of one file only, and how many findings are elsewhere", () => {
		const cwd = repository(POLICY.replace("GetObject", "GetObjct"));
		writeFileSync(join(cwd, "policies/good.yaml"), POLICY.replaceAll("orders-api", "good"));
		const { code, out, err } = run(["validate", "policies/good.yaml"], { cwd });
		expect(code).toBe(0);
		expect(out).toBe("No findings in 1 file. Nothing was read from AWS.\n");
		expect(err).toBe("1 more in other files, not shown: ecs-access validate --path policies\n");
	});

	it("says so where there is nothing to read", () => {
		const { code, err } = run(["validate"]);
		expect(code).toBe(1);
		expect(err).toContain("folder policies does not exist");
		expect(err).toContain("ecs-access init");
		expect(run(["validate", "nowhere.yaml"]).err).toContain("no file or folder nowhere.yaml");
	});

	it("speaks JSON, SARIF, JUnit and GitHub, each with the same exit code", () => {
		const cwd = repository(POLICY.replace("GetObject", "GetObjct"));
		for (const [format, shape] of [
			["json", /"kind": "FindingList"/],
			["yaml", /^kind: FindingList$/m],
			["sarif", /"version": "2\.1\.0"/],
			["junit", /<failure type="UnknownAction"/],
			["github", /^::error file=policies\/orders-api\.yaml,line=7,/],
		] as const) {
			const { code, out } = run(["validate", "--format", format], { cwd });
			expect(out).toMatch(shape);
			expect(code).toBe(1);
		}
	});
});

describe("init", () => {
	it("writes a repository that validates without an error or a warning", () => {
		const cwd = folder();
		const made = run(["init", "access"], { cwd });
		expect(made.code).toBe(0);
		const paths = [...made.out.matchAll(/^wrote {2}(\S+)/gm)].map((m) => m[1] ?? "");
		for (const path of paths) expect(existsSync(join(cwd, path))).toBe(true);
		expect(paths).toEqual(
			expect.arrayContaining(["access/CODEOWNERS", "access/.vscode/settings.json", "access/.github/workflows/ecs-access.yml"]),
		);
		expect(made.out.match(/permission-set library/g)?.length).toBeGreaterThan(0);
		const checked = run(["validate", "--strict"], { cwd: join(cwd, "access") });
		expect(checked.out).not.toMatch(/error|warning/);
		expect(checked.code).toBe(0);
		const workflow = readFileSync(join(cwd, "access/.github/workflows/ecs-access.yml"), "utf8");
		parse(workflow);
		// Nothing of it is on a registry, and what import writes may hold a warning.
		expect(workflow).not.toMatch(/npx|--strict/);
		const installation = readFileSync(join(cwd, "access/policies/platform/installation.yaml"), "utf8");
		expect(parse(installation).spec).not.toHaveProperty("source");
		expect(installation).toContain("# source: github.com/your-org/access//policies");
		const next = made.err.split("\n").filter((l) => l.includes("  # "));
		expect(new Set(next.map((l) => l.indexOf("  # "))).size).toBe(1);
	});

	it("writes the repository's address down where it has one", () => {
		const cwd = folder();
		execFileSync("git", ["init", "-q"], { cwd });
		execFileSync("git", ["remote", "add", "origin", "https://t0ken@github.com/acme/access.git"], { cwd });
		expect(run(["init", "team"], { cwd }).code).toBe(0);
		const { spec } = parse(readFileSync(join(cwd, "team/policies/platform/installation.yaml"), "utf8"));
		expect(spec.source).toBe("github.com/acme/access//team/policies");
	});

	it("overwrites nothing, and writes nothing beside what is there", () => {
		const cwd = folder();
		writeFileSync(join(cwd, "CODEOWNERS"), "mine");
		const { code, out, err } = run(["init"], { cwd });
		expect({ code, out }).toEqual({ code: 1, out: "" });
		expect(err).toContain("CODEOWNERS exists already; nothing was written");
		expect(readFileSync(join(cwd, "CODEOWNERS"), "utf8")).toBe("mine");
		expect(existsSync(join(cwd, "policies"))).toBe(false);
	});
});

describe("get, describe and history", async () => {
	async function company(): Promise<string> {
		const cwd = folder();
		const store = openStore({ path: join(cwd, ".local/state/ecs-access/default/state.sqlite") });
		await put(store, status("orders-api"));
		await put(store, BILLING);
		await store.append([entry("2026-11-23T10:00:00Z"), entry("2026-11-24T11:58:00Z", { reconcileId: "r2" })]);
		await store.close();
		return cwd;
	}
	const cwd = await company();

	it("list what is in force", () => {
		const rows = run(["get", "accesspolicies"], { cwd })
			.out.split("\n")
			.map((l) => l.split(/ {2,}/));
		expect(rows[0]).toEqual(["NAME", "ACCOUNT", "READY", "STATUS", "REVISION", "AGE"]);
		expect(rows[1]?.slice(0, 5)).toEqual(["billing", "prod", "False", "waits: approval b04d77e1", "3f2a91c"]);
		expect(rows[2]?.slice(0, 3)).toEqual(["orders-api", "prod", "True"]);
		expect(run(["get", "-o", "name", "--not-ready"], { cwd }).out).toBe("AccessPolicy/billing\n");
		expect(run(["get", "-o", "name", "--selector", "team=orders"], { cwd }).out).toBe("AccessPolicy/orders-api\n");
	});

	it("say what a filter left out", () => {
		expect(run(["get", "--not-ready"], { cwd }).err).toBe("1 of 2 shown: --not-ready leaves out the rest\n");
	});

	it("take the bare name of a policy, and refuse an installation that nothing is known of", () => {
		expect(run(["get", "billing", "-o", "name"], { cwd }).out).toBe("AccessPolicy/billing\n");
		expect(run(["get", "--installation", "nope"], { cwd })).toMatchObject({
			code: 1,
			err: expect.stringContaining("there is the state of default"),
		});
	});

	it("are a list in JSON, whatever was asked for", () => {
		for (const args of [[], ["accesspolicies"], ["accesspolicy", "billing"], ["--not-ready"]]) {
			const list = JSON.parse(run(["get", ...args, "-o", "json"], { cwd }).out);
			expect(list).toMatchObject({ apiVersion: "ecs-access.dev/v1alpha1", kind: "StatusList", items: expect.any(Array) });
		}
	});

	it("name the nearest where a name is unknown, with exit 1", () => {
		for (const args of [
			["get", "accesspolicy", "order-api"],
			["describe", "order-api"],
			["history", "order-api"],
		]) {
			expect(run(args, { cwd })).toMatchObject({ code: 1, out: "", err: expect.stringContaining("did you mean orders-api?") });
		}
		expect(run(["get", "accesspolicie"], { cwd })).toMatchObject({
			code: 1,
			err: expect.stringContaining("did you mean accesspolicies?"),
		});
	});

	it("describe access in words, workloads and what happened", () => {
		const { out } = run(["describe", "orders-api"], { cwd });
		expect(out).toContain("may s3:GetObject on arn:aws:s3:::catalogue-prod/*");
		expect(out).toContain("all that arn:aws:iam::aws:policy/AWSXRayDaemonWriteAccess allows");
		expect(out).toContain("service prod/orders-api  eu-west-1  2 of 3 tasks running, orders-api:7");
		expect(out).toMatch(/task role +\/ecs-access\/orders-api-task +as git says/);
		expect(out).toMatch(/execution role +\/ecsTaskExecutionRole +not checked/);
		expect(out).toMatch(/secret app\/API_KEY +prod\/orders\/key +git does not name it/);
		expect(out).toMatch(/secret app\/DATABASE_URL +prod\/orders\/database, key url +missing in the task definition/);
		expect(out).toContain("family orders-nightly  eu-west-1  does not exist yet");
		expect(out).toMatch(/\(x2 over 25h\)/);
	});

	it("tell who, when, why, from which commit, before and after", () => {
		const { out } = run(["history", "orders-api", "--limit", "1"], { cwd });
		expect(out).toContain(
			"2026-11-24 11:58 UTC  AccessPolicy/orders-api  applied iam:DeleteRolePolicy on role orders-api-task (drifted)",
		);
		expect(out).toContain("by arn:aws:sts::123456789012:assumed-role/Admin/kim, revision 3f2a91c");
		expect(out).toContain('-   "quick-fix": {');
		expect(run(["history", "--limit", "1"], { cwd }).err).toBe(
			"these are the newest 1; there are older ones: --limit 5 shows more\n",
		);
	});

	it("look at the installation of the repository at hand, and ask where there are several", async () => {
		const home = folder();
		for (const name of ["blue", "green"]) {
			const store = openStore({ path: join(home, `.local/state/ecs-access/${name}/state.sqlite`) });
			await put(store, status(`of-${name}`));
			await store.close();
		}
		mkdirSync(join(home, "policies/platform"), { recursive: true });
		const document = "apiVersion: ecs-access.dev/v1alpha1\nkind: Installation\nmetadata: { name: green }\nspec: {}\n";
		writeFileSync(join(home, "policies/platform/installation.yaml"), document);
		expect(run(["get", "-o", "name"], { cwd: home }).out).toBe("AccessPolicy/of-green\n");
		expect(run(["get", "-o", "name", "--installation", "blue"], { cwd: home }).out).toBe("AccessPolicy/of-blue\n");
		expect(run(["get", "--path", "elsewhere"], { cwd: home })).toMatchObject({
			code: 1,
			err: expect.stringContaining("there is the state of several installations: blue, green"),
		});
	});

	it("make no store where there is none, and say what to do", () => {
		const empty = folder();
		expect(run(["get"], { cwd: empty })).toEqual({
			code: 0,
			out: "",
			err: `nothing is recorded in ${join(empty, ".local/state/ecs-access/default")}: ecs-access apply records what it finds\n`,
		});
		expect(existsSync(join(empty, ".local"))).toBe(false);
	});
});

describe("render task-definition", () => {
	it("fills in what git says, offline", () => {
		const cwd = repository();
		writeFileSync(join(cwd, "task.json"), '{\n  "family": "x",\n  "containerDefinitions": [{ "name": "app" }]\n}\n');
		const { code, out, err } = run(["render", "task-definition", "task.json", "--policy", "orders-api"], { cwd });
		expect({ code, err }).toEqual({ code: 0, err: "" });
		expect(JSON.parse(out)).toMatchObject({
			taskRoleArn: "arn:aws:iam::123456789012:role/ecs-access/orders-api-task",
			executionRoleArn: "arn:aws:iam::123456789012:role/ecsTaskExecutionRole",
			containerDefinitions: [{ name: "app", secrets: [{ name: "DATABASE_URL" }] }],
		});
	});

	it("is refused with an unknown policy, with a container that is missing, and where the account is not known", () => {
		const cwd = repository();
		const fill = (policy: string, task: string) =>
			run(["render", "task-definition", "-", "--policy", policy], { cwd, input: task });
		expect(fill("orders-ap", '{"containerDefinitions":[]}')).toMatchObject({
			code: 1,
			out: "",
			err: expect.stringContaining("did you mean orders-api?"),
		});
		expect(fill("orders-api", '{"containerDefinitions":[{"name":"web"}]}')).toMatchObject({
			code: 1,
			err: expect.stringContaining("no container app"),
		});
		writeFileSync(join(cwd, "policies/platform/base.yaml"), PLATFORM.slice(PLATFORM.indexOf("---")));
		expect(fill("orders-api", '{"containerDefinitions":[{"name":"app"}]}')).toMatchObject({
			code: 1,
			out: "",
			err: expect.stringContaining("not known offline"),
		});
	});
});
