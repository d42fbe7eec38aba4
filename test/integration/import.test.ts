import { execFile } from "node:child_process";
import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, test } from "vitest";
import { parseAllDocuments } from "yaml";
import { isMark } from "../../controller/model/marks.ts";
import type { PlanFile } from "../../controller/model/plan.ts";
import type { RoleState } from "../../controller/model/target.ts";
import { accountOf } from "../account.ts";
import { company } from "../sandbox/company.ts";
import { roleSeed, type SeedData, seedDocument, serviceSeed, taskDefinitionSeed } from "../sandbox/seed-data.ts";
import { useSandbox } from "../sandbox/use.ts";
import { accessTo } from "./aws/access.ts";

/** `import` as a person runs it, in a folder without git, against an account that grew by hand. */

const MAIN = join(import.meta.dirname, "../../controller/main.ts");
const sandbox = useSandbox();
const folders: string[] = [];

afterAll(() => {
	for (const folder of folders) rmSync(folder, { recursive: true });
});

interface Run {
	readonly code: number;
	readonly out: string;
	readonly err: string;
}

interface Place {
	readonly account: string;
	readonly cwd: string;
	readonly run: (...args: readonly string[]) => Promise<Run>;
	readonly plan: () => Promise<{ readonly code: number; readonly file: PlanFile }>;
	readonly write: (path: string, text: string) => void;
	readonly policies: () => readonly string[];
	readonly read: (path: string) => string;
}

async function place(data: (account: string) => SeedData): Promise<Place> {
	const account = sandbox.newAccount();
	await sandbox.seed(account, data(account));
	const home = mkdtempSync(join(tmpdir(), "import-"));
	folders.push(home);
	const cwd = join(home, "work");
	mkdirSync(cwd);
	const run = (...args: readonly string[]): Promise<Run> =>
		new Promise((resolve) => {
			const env = { PATH: process.env.PATH, HOME: home, ...sandbox.env(account) };
			execFile(process.execPath, [MAIN, ...args], { cwd, env, maxBuffer: 1e8 }, (error, out, err) => {
				resolve({ code: error === null ? 0 : Number(error.code), out, err });
			});
		});
	return {
		account,
		cwd,
		run,
		plan: async () => {
			const { code, out, err } = await run("plan", "--format", "json");
			if (out === "") throw new Error(`plan printed nothing: ${err}`);
			return { code, file: JSON.parse(out) as PlanFile };
		},
		write: (path, text) => {
			mkdirSync(join(cwd, path, ".."), { recursive: true });
			writeFileSync(join(cwd, path), text);
		},
		policies: () =>
			existsSync(join(cwd, "policies")) ? readdirSync(join(cwd, "policies"), { recursive: true, encoding: "utf8" }).sort() : [],
		read: (path) => readFileSync(join(cwd, path), "utf8"),
	};
}

/** Every role of the account, without our marks. */
async function rolesOf(account: string, names: readonly string[]): Promise<readonly RoleState[]> {
	const targets = names.map((name) => ({ type: "iam.role" as const, account, region: "global" as const, name }));
	const observed = await accessTo(sandbox, accountOf(account)).provider("iam.role").observe(targets, AbortSignal.timeout(30_000));
	return observed.map((o) => {
		if (!o.exists) throw new Error(`role ${o.target.name} is gone`);
		return { ...o.state, tags: Object.fromEntries(Object.entries(o.state.tags).filter(([k]) => !isMark(k))) };
	});
}

const steps = (file: PlanFile) => file.plans.flatMap((p) => p.steps);

describe("a company that grew by hand", async () => {
	const at = await place(company);
	const { account, run, plan } = at;
	const names = [
		...["admin-task", "auth-task", "billing-task", "catalogue-task", "checkout-task", "grafana-task", "legacy-batch"],
		...["notifications-task", "orders-api-task", "orders-nightly-task", "reports-task", "search-task", "web-task"],
	];
	const before = await rolesOf(account, names);

	test("is written down, one file a task role, without a single write to AWS", async () => {
		await sandbox.resetCounts(account);
		const { code, out, err } = await run("import");
		expect({ code, err }).toMatchObject({ code: 0 });
		expect(at.policies()).toEqual(names.map((n) => `${n}.yaml`));
		expect(readdirSync(at.cwd)).toEqual(["policies"]);
		expect(out).toContain(
			"13 files written to policies/: 13 roles to take over; 13 services, 1 task family. 1 left out, each named with its reason.",
		);
		expect(err.split("\n")[0]).toBe(`default  ${account} (acme-prod)  eu-west-1`);
		expect(err).toContain("left out: service tools/status-page has no task role\n");
		const called = Object.keys(await sandbox.counts(account)).map((c) => c.split(":")[1] ?? "");
		expect(called.length).toBeGreaterThan(0);
		expect(called.filter((c) => !/^(Get|List|Describe)/.test(c))).toEqual([]);
	});

	test("no value of a secret is in any file", () => {
		for (const file of at.policies()) {
			expect(at.read(`policies/${file}`)).not.toContain("correct-horse-battery");
			expect(at.read(`policies/${file}`)).not.toContain("SMTP_PASSWORD");
		}
	});

	test("the files pass validation", async () => {
		expect((await run("validate")).code).toBe(0);
	});

	test("a plan takes the roles over and changes no access", async () => {
		const { code, file } = await plan();
		expect(code).toBe(2);
		expect(
			steps(file)
				.map((s) => s.target.name)
				.sort(),
		).toEqual(names);
		for (const s of steps(file)) {
			expect(s).toMatchObject({
				why: "adopted",
				effect: "none",
				gains: [],
				losses: [],
				state: "ready",
				call: { api: "iam:TagRole" },
			});
			if (s.call.api === "iam:TagRole") expect(Object.keys(s.call.input.Tags).filter((k) => !isMark(k))).toEqual([]);
		}
	});

	test("applied, nothing is left to do, and the roles are what they were", async () => {
		expect((await run("apply", "--yes")).code).toBe(0);
		const { code, file } = await plan();
		expect(steps(file)).toEqual([]);
		expect(code).toBe(0);
		expect(await rolesOf(account, names)).toEqual(before);
	});

	test("a second import finds nothing that is not managed", async () => {
		const files = at.policies();
		const { code, out, err } = await run("import");
		expect(code).toBe(0);
		expect(out).toBe("Nothing to import. 14 left out, each named with its reason.\n");
		expect(err).toContain("left out: role web-task, of service prod/web: it is managed already, as AccessPolicy/web-task");
		expect(at.policies()).toEqual(files);
	});
});

/** Roles that are hard to say in YAML, or cannot be said. */
function awkward(account: string): SeedData {
	const role = (name: string, path = "/") => `arn:aws:iam::${account}:role${path}${name}`;
	const secret = (name: string) => `arn:aws:secretsmanager:eu-west-1:${account}:secret:${name}`;
	const task = (family: string, taskRoleArn: string, more: Parameters<typeof taskDefinitionSeed>[1] = {}) =>
		taskDefinitionSeed(family, { taskRoleArn, ...more });
	const read = { Effect: "Allow", Action: "s3:GetObject", Resource: "arn:aws:s3:::a/*" } as const;
	return {
		policies: [{ name: "workload-boundary", document: seedDocument({ Effect: "Allow", Action: "*", Resource: "*" }) }],
		roles: [
			roleSeed("Orders_API", [], {
				path: "/team/orders/",
				boundary: `arn:aws:iam::${account}:policy/workload-boundary`,
				tags: { owner: "orders" },
				attached: ["arn:aws:iam::aws:policy/AmazonS3ReadOnlyAccess"],
				inline: {
					b: seedDocument({
						Sid: "Until",
						Effect: "Allow",
						Action: ["s3:PutObject", "s3:putobject"],
						Resource: ["arn:aws:s3:::orders/${aws:PrincipalTag/team, 'none'}/*", "arn:aws:s3:::orders/${*}/on"],
						Condition: {
							DateLessThan: { "aws:CurrentTime": "2031-01-31T00:00:00Z" },
							Bool: { "aws:SecureTransport": "true" },
							StringLike: { "aws:UserAgent": ["on", "1:30", "0x10", "# no", "~", "2027-01-31", "é \u0085"] },
							NumericLessThan: { "s3:max-keys": "010.0" },
						},
					}),
					a: seedDocument({ Sid: "Until", Effect: "Deny", Action: "s3:DeleteObject", Resource: "*" }, read),
				},
			}),
			roleSeed("orders.api", [read]),
			roleSeed("old", [], {
				inline: { old: { Version: "2008-10-17", Statement: [{ ...read, Resource: "arn:aws:s3:::a/${aws:username}" }] } as never },
			}),
			roleSeed("typo", [{ Effect: "Allow", Action: "s3:GetObjct", Resource: "*" }]),
			roleSeed("revoked", [read], {
				inline: { AWSRevokeOlderSessions: seedDocument({ Effect: "Deny", Action: "*", Resource: "*" }), app: seedDocument(read) },
			}),
			roleSeed("exec-a", [], { path: "/exec/" }),
			roleSeed("exec-b"),
			roleSeed("foreign", [read], {
				tags: { "ecs-access.dev/installation": "other", "ecs-access.dev/owner": "AccessPolicy/foreign" },
			}),
		],
		secrets: [{ name: "prod/db", suffix: "AbCdEf" }],
		clusters: [{ name: "prod" }, { name: "tools" }],
		taskDefinitions: [
			task("orders-api", role("Orders_API", "/team/orders/"), {
				executionRoleArn: role("exec-a", "/exec/"),
				secrets: {
					DB: `${secret("prod/db-AbCdEf")}:url::`,
					OLD: `${secret("prod/db-AbCdEf")}:url:AWSPREVIOUS:`,
					P: "/prod/flag",
				},
			}),
			task("orders-worker", role("Orders_API", "/team/orders/"), { executionRoleArn: role("exec-b") }),
			task("orders-dot", role("orders.api")),
			task("old", role("old")),
			task("typo", role("typo")),
			task("revoked", role("revoked")),
			task("gone", role("no-such-role"), { executionRoleArn: role("exec-b") }),
			task("foreign", role("foreign")),
		],
		services: [
			...["orders-api", "orders-dot", "old", "typo", "revoked", "gone", "foreign"].map((s) => serviceSeed("prod", s)),
			serviceSeed("tools", "orders-worker"),
		],
	};
}

const ACCOUNT = (id: string, name = "prod", more = "") => `apiVersion: ecs-access.dev/v1alpha1
kind: Account
metadata: { name: ${name} }
spec: { accountId: "${id}", region: eu-west-1${more} }
`;

describe("an account with roles that are hard to write down", async () => {
	const at = await place(awkward);
	const { account, run, plan } = at;
	at.write(
		"policies/platform/account.yaml",
		ACCOUNT(account, "prod", `, permissionsBoundary: "arn:aws:iam::${account}:policy/workload-boundary"`),
	);
	const names = ["Orders_API", "orders.api", "revoked"];
	const before = await rolesOf(account, [...names, "old", "typo", "foreign", "exec-a", "exec-b"]);

	test("what no file can say exactly is only named, with the reason, and what is not ours is left out", async () => {
		const { code, err } = await run("import");
		expect({ code, err }).toMatchObject({ code: 0 });
		expect(at.policies()).toEqual([
			...["Orders_API.yaml", "old.yaml", "orders.api.yaml", "platform", "platform/account.yaml", "revoked.yaml", "typo.yaml"],
		]);
		expect(err).toContain('old.yaml: named, not owned: inline policy "old" has version 2008-10-17');
		expect(err).toContain("typo.yaml: named, not owned: no such action: s3:GetObjct");
		expect(err).toContain('revoked.yaml: inline policy "AWSRevokeOlderSessions" is an incident responder\'s');
		expect(err).toContain("Orders_API.yaml: secret variable orders-api/OLD is not declared here");
		expect(err).toContain("left out: role no-such-role, of service prod/gone: it does not exist");
		expect(err).toContain('left out: role foreign, of service prod/foreign: installation "other" manages it');
	});

	test("each entry says its own execution role and secrets, and the account is the declared one", () => {
		const [doc] = parseAllDocuments(at.read("policies/Orders_API.yaml"));
		expect(doc?.toJS()).toMatchObject({
			metadata: { name: "orders-api-2" },
			spec: {
				accountRef: "prod",
				workloads: [
					{
						cluster: "prod",
						services: ["orders-api"],
						executionRole: { mode: "Unmanaged", name: "exec-a", path: "/exec/" },
						secrets: [
							{ container: "orders-api", name: "DB", secret: "prod/db", jsonKey: "url" },
							{ container: "orders-api", name: "P", parameter: "/prod/flag" },
						],
					},
					{ cluster: "tools", services: ["orders-worker"], executionRole: { mode: "Unmanaged", name: "exec-b" } },
				],
				taskRole: {
					name: "Orders_API",
					path: "/team/orders/",
					permissionsBoundary: `arn:aws:iam::${account}:policy/workload-boundary`,
				},
			},
		});
		expect(parseAllDocuments(at.read("policies/orders.api.yaml"))[0]?.toJS()).toMatchObject({
			metadata: { name: "orders-api" },
			spec: { taskRole: { name: "orders.api", permissionsBoundary: "none" } },
		});
	});

	test("the files pass validation, a plan only takes over, and after it nothing is left to do", async () => {
		expect((await run("validate")).code).toBe(0);
		const { file } = await plan();
		expect(steps(file).map((s) => [s.target.name, s.call.api, s.why, s.effect])).toEqual(
			names.map((name) => [name, "iam:TagRole", "adopted", "none"]),
		);
		expect((await run("apply", "--yes")).code).toBe(0);
		const after = await plan();
		expect(steps(after.file)).toEqual([]);
		expect(after.code).toBe(0);
		expect(await rolesOf(account, [...names, "old", "typo", "foreign", "exec-a", "exec-b"])).toEqual(before);
	});
});

describe("what import refuses", async () => {
	const at = await place((account) => ({
		roles: [roleSeed("a-task", [{ Effect: "Allow", Action: "iam:*", Resource: "*" }]), roleSeed("b-task")],
		clusters: [{ name: "prod" }],
		taskDefinitions: ["a", "b"].map((f) => taskDefinitionSeed(f, { taskRoleArn: `arn:aws:iam::${account}:role/${f}-task` })),
		services: ["a", "b"].map((s) => serviceSeed("prod", s)),
	}));
	const { account, run } = at;
	const fresh = (): void => rmSync(join(at.cwd, "policies"), { recursive: true, force: true });

	test("a file that exists stops it before anything is written, unless --force overwrites it", async () => {
		fresh();
		at.write("policies/b-task.yaml", "# mine\n");
		const refused = await run("import");
		expect(refused.code).toBe(1);
		expect(refused.err).toContain("policies/b-task.yaml");
		expect(refused.err).toContain("--force");
		expect(at.policies()).toEqual(["b-task.yaml"]);
		expect(at.read("policies/b-task.yaml")).toBe("# mine\n");
		const forced = await run("import", "--force");
		expect(forced.code).toBe(0);
		expect(forced.err).toContain(`spec: { accountId: "${account}", region: eu-west-1 }`);
		expect(at.policies()).toEqual(["a-task.yaml", "b-task.yaml"]);
		expect(at.read("policies/b-task.yaml")).toContain("kind: AccessPolicy");
	});

	test("what another file owns already is left to it", async () => {
		fresh();
		at.write(
			"policies/team.yaml",
			"apiVersion: ecs-access.dev/v1alpha1\nkind: AccessPolicy\nmetadata: { name: a-task }\nspec: { workloads: [{ cluster: prod, services: [a] }], taskRole: { name: a-task, path: /, adopt: true } }\n",
		);
		const { code, err } = await run("import");
		expect(code).toBe(0);
		expect(err).toContain("left out: role a-task, of service prod/a: AccessPolicy/a-task owns it already");
		expect(at.policies()).toEqual(["b-task.yaml", "team.yaml"]);
		expect((await run("validate")).code).toBe(0);
	});

	test("--dry-run prints the documents and writes nothing; --service takes a part", async () => {
		fresh();
		const all = await run("import", "--dry-run");
		expect(all.code).toBe(0);
		expect(parseAllDocuments(all.out).map((d) => d.toJS().metadata.name)).toEqual(["a-task", "b-task"]);
		const part = await run("import", "--dry-run", "--service", "b", "--cluster", "prod");
		expect(parseAllDocuments(part.out).map((d) => d.toJS().metadata.name)).toEqual(["b-task"]);
		expect(readdirSync(at.cwd)).toEqual([]);
	});

	test("a service or a cluster that is nowhere is an error, and nothing is written", async () => {
		fresh();
		const service = await run("import", "--service", "a", "--service", "nope");
		expect(service).toMatchObject({ code: 1, out: "" });
		expect(service.err).toContain("no service is named nope");
		const cluster = await run("import", "--cluster", "nope");
		expect(cluster).toMatchObject({ code: 1, out: "" });
		expect(cluster.err).toMatch(/no cluster is named nope in eu-west-1\n.*the clusters are prod/);
		expect(readdirSync(at.cwd)).toEqual([]);
	});

	test("with several Accounts one must be named, and with none of that name it is an error", async () => {
		fresh();
		at.write("policies/platform/accounts.yaml", `${ACCOUNT("111111111111", "dev")}---\n${ACCOUNT(account)}`);
		const unsaid = await run("import");
		expect(unsaid.code).toBe(1);
		expect(unsaid.err).toContain("dev, prod");
		const unknown = await run("import", "--account", "prd");
		expect(unknown.code).toBe(1);
		expect(unknown.err).toContain('no Account is named "prd"');
		expect((await run("import", "--account", "dev")).err).toContain("111111111111");
		expect(at.policies()).toEqual(["platform", "platform/accounts.yaml"]);
		expect((await run("import", "--account", "prod")).code).toBe(0);
		expect(at.read("policies/a-task.yaml")).toContain("  accountRef: prod\n");
	});

	test("a folder inside a source root is refused, whether it exists or not", async () => {
		fresh();
		at.write("policies/platform/account.yaml", ACCOUNT(account));
		const there = await run("import", "--out", "policies/team");
		expect(there.code).toBe(1);
		expect(there.err).toContain("policies");
		expect(at.policies()).toEqual(["platform", "platform/account.yaml"]);
		at.write("policies/team/note.txt", "");
		expect((await run("import", "--out", "policies/team")).code).toBe(1);
	});

	test("a folder with a mistake in it stops it before AWS is read", async () => {
		fresh();
		at.write("policies/x.yaml", "kind: AccessPolicy\n");
		await sandbox.resetCounts(account);
		const { code, out } = await run("import");
		expect(code).toBe(1);
		expect(out).toContain("policies/x.yaml");
		expect(await sandbox.counts(account)).toEqual({});
	});

	test("what a guardrail forbids is imported as it is; the guardrail speaks afterwards", async () => {
		fresh();
		at.write(
			"policies/platform/guardrail.yaml",
			`apiVersion: ecs-access.dev/v1alpha1\nkind: Guardrail\nmetadata: { name: baseline }\nspec: { enforcement: Deny, rules: [{ id: no-iam, denyActions: ["iam:*"] }] }\n`,
		);
		expect((await run("import")).code).toBe(0);
		expect(at.read("policies/a-task.yaml")).toContain("          - iam:*\n");
		expect((await run("validate")).code).toBe(2);
	});

	test("with an expired token the error says so, and nothing is written", async () => {
		fresh();
		await sandbox.fault(account, { kind: "expiredToken" });
		const { code, err } = await run("import");
		expect(code).toBe(1);
		expect(err).toContain("ExpiredToken");
		await sandbox.clearFaults(account);
		expect(readdirSync(at.cwd)).toEqual([]);
	});
});
