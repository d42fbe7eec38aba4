import { describe, expect, test } from "vitest";
import { parse } from "yaml";
import { type Imported, importDocuments, workloadId } from "../../../controller/engine/import.ts";
import { MARK } from "../../../controller/model/marks.ts";
import { account, allow, document, options, role, roleArn, roles, service } from "./world.ts";

interface Written {
	readonly metadata: { readonly name: string };
	readonly spec: {
		readonly accountRef?: string;
		readonly workloads: readonly Readonly<Record<string, unknown>>[];
		readonly taskRole: Readonly<Record<string, unknown>>;
		readonly executionRole?: unknown;
		readonly secrets?: unknown;
		readonly management: unknown;
	};
}

function file(imported: Imported, name: string): Written {
	const text = imported.files.get(name);
	if (text === undefined) throw new Error(`no file ${name} among ${[...imported.files.keys()].join(", ")}`);
	return parse(text);
}

describe("what a file says", () => {
	test("one file holds all the services of a task role, and its path, trust and management are said in so many words", () => {
		const imported = importDocuments(
			[service("b", "Orders_Task"), service("a", "Orders_Task"), service("c", "Orders_Task", { cluster: "tools" })],
			roles(role("Orders_Task", { inline: { app: document(allow("s3:GetObject")) } })),
			options,
		);
		expect([...imported.files.keys()]).toEqual(["Orders_Task.yaml"]);
		expect(file(imported, "Orders_Task.yaml")).toEqual({
			apiVersion: "ecs-access.dev/v1alpha1",
			kind: "AccessPolicy",
			metadata: { name: "orders-task" },
			spec: {
				workloads: [
					{ cluster: "prod", services: ["a", "b"] },
					{ cluster: "tools", services: ["c"] },
				],
				taskRole: {
					mode: "Managed",
					name: "Orders_Task",
					path: "/",
					adopt: true,
					trust: { mode: "Preserve" },
					statements: [{ actions: ["s3:GetObject"], resources: ["*"] }],
				},
				management: { exclusive: false },
			},
		});
		expect(imported).toMatchObject({ services: 3, families: 0, notes: [] });
	});

	test("the text is the same whatever the order in which AWS answers", () => {
		const workloads = [service("a", "x"), service("b", "y"), service("c", "x", { region: "us-east-1" })];
		const live = [
			role("x", { inline: { b: document(allow("s3:GetObject")), a: document(allow("sqs:SendMessage")) } }),
			role("y", { inline: { a: document(allow("sqs:SendMessage")) } }),
		];
		const there = importDocuments(workloads, roles(...live), options);
		const back = importDocuments([...workloads].reverse(), roles(...[...live].reverse()), options);
		expect(back).toEqual(there);
	});

	test("what all services share stands once, and what differs stands at each", () => {
		const shared = importDocuments(
			[
				service("a", "x", { executionRole: roleArn("exec", "/team/"), secrets: { "app/DB": `${SECRET}:url::` } }),
				service("b", "x", { executionRole: roleArn("exec", "/team/"), secrets: { "app/DB": `${SECRET}:url::` } }),
			],
			roles(role("x"), role("exec", { path: "/team/" })),
			options,
		);
		expect(file(shared, "x.yaml").spec).toMatchObject({
			workloads: [{ cluster: "prod", services: ["a", "b"] }],
			executionRole: { mode: "Unmanaged", name: "exec", path: "/team/" },
			secrets: [{ container: "app", name: "DB", secret: "prod/orders/database", jsonKey: "url" }],
		});
		const apart = importDocuments(
			[
				service("a", "x", { executionRole: roleArn("exec"), secrets: { "app/DB": SECRET } }),
				service("b", "x", { executionRole: roleArn("other") }),
				service("c", "x"),
			],
			roles(role("x"), role("exec"), role("other")),
			options,
		);
		expect(file(apart, "x.yaml").spec.executionRole).toBeUndefined();
		expect(file(apart, "x.yaml").spec.secrets).toBeUndefined();
		expect(file(apart, "x.yaml").spec.workloads).toEqual([
			{
				cluster: "prod",
				services: ["a"],
				executionRole: { mode: "Unmanaged", name: "exec" },
				secrets: [{ container: "app", name: "DB", secret: "prod/orders/database" }],
			},
			{ cluster: "prod", services: ["b"], executionRole: { mode: "Unmanaged", name: "other" } },
			{ cluster: "prod", services: ["c"] },
		]);
	});

	test("only another region than the account's own is named", () => {
		const imported = importDocuments([service("a", "x", { region: "us-east-1" }), service("a", "x")], roles(role("x")), options);
		expect(file(imported, "x.yaml").spec.workloads).toEqual([
			{ cluster: "prod", services: ["a"] },
			{ region: "us-east-1", cluster: "prod", services: ["a"] },
		]);
	});

	test("families that a schedule starts stand beside the services, with or without a cluster", () => {
		const imported = importDocuments(
			[service("a", "x"), service("nightly", "x", { kind: "family" }), service("adrift", "x", { kind: "family", cluster: null })],
			roles(role("x")),
			options,
		);
		expect(file(imported, "x.yaml").spec.workloads).toEqual([
			{ cluster: "prod", services: ["a"], taskFamilies: ["nightly"] },
			{ taskFamilies: ["adrift"] },
		]);
		expect(imported).toMatchObject({ services: 1, families: 2 });
	});

	test("a boundary is written as it is, and where the account has a default that the role lacks, its absence is", () => {
		const boundary = "arn:aws:iam::123456789012:policy/workload-boundary";
		const live = roles(role("with", { permissionsBoundary: boundary }), role("without"));
		const workloads = [service("a", "with"), service("b", "without")];
		const plain = importDocuments(workloads, live, options);
		expect(file(plain, "with.yaml").spec.taskRole.permissionsBoundary).toBe(boundary);
		expect(file(plain, "without.yaml").spec.taskRole.permissionsBoundary).toBeUndefined();
		const defaulted = importDocuments(workloads, live, { ...options, account: { ...account, permissionsBoundary: boundary } });
		expect(file(defaulted, "without.yaml").spec.taskRole.permissionsBoundary).toBe("none");
	});

	test("the account is named where the repository declares one", () => {
		const imported = importDocuments([service("a", "x")], roles(role("x")), { ...options, accountRef: "prod" });
		expect(file(imported, "x.yaml").spec.accountRef).toBe("prod");
	});

	test("the statements of all inline documents stand once each; ids that are taken or that IAM refuses are dropped", () => {
		const imported = importDocuments(
			[service("a", "x")],
			roles(
				role("x", {
					inline: {
						b: document({ ...allow("s3:GetObject"), Sid: "Read" }, allow("sqs:SendMessage")),
						a: document({ ...allow("S3:getobject"), Sid: "Read" }, { ...allow("sns:Publish"), Sid: "Read" }),
						c: document({ ...allow("sqs:ReceiveMessage"), Sid: "" }, { Effect: "Deny", NotAction: "s3:*", NotResource: "a" }),
					},
				}),
			),
			options,
		);
		expect(file(imported, "x.yaml").spec.taskRole.statements).toEqual([
			{ sid: "Read", actions: ["S3:getobject"], resources: ["*"] },
			{ actions: ["sns:Publish"], resources: ["*"] },
			{ actions: ["sqs:SendMessage"], resources: ["*"] },
			{ actions: ["sqs:ReceiveMessage"], resources: ["*"] },
			{ effect: "Deny", notActions: ["s3:*"], notResources: ["a"] },
		]);
	});

	test("what several roles repeat is named above the statement, in each of them", () => {
		const imported = importDocuments(
			[service("a", "x"), service("b", "Y"), service("c", "z")],
			roles(
				role("x", { inline: { p: document(allow("s3:GetObject"), allow("sns:Publish")) } }),
				role("Y", { inline: { q: document({ ...allow("s3:getobject"), Sid: "S" }) } }),
				role("z", { inline: { q: document(allow("sqs:SendMessage")) } }),
			),
			options,
		);
		expect(imported.files.get("x.yaml")).toContain(
			"      # also in y: a candidate for a PermissionSet\n      - actions:\n          - s3:GetObject\n",
		);
		expect(imported.files.get("Y.yaml")).toContain("# also in x: a candidate for a PermissionSet\n      - sid: S\n");
		expect(imported.files.get("z.yaml")).not.toContain("PermissionSet");
		expect(imported.repeated).toBe(1);
	});

	test("what an incident responder added is neither written nor lost from sight", () => {
		const quarantine = "arn:aws:iam::aws:policy/AWSCompromisedKeyQuarantineV2";
		const imported = importDocuments(
			[service("a", "x")],
			roles(
				role("x", {
					inline: { AWSRevokeOlderSessions: document({ Effect: "Deny", Action: "*", Resource: "*" }) },
					managedPolicies: ["arn:aws:iam::aws:policy/ReadOnlyAccess", quarantine],
				}),
			),
			options,
		);
		const { taskRole } = file(imported, "x.yaml").spec;
		expect(taskRole.statements).toBeUndefined();
		expect(taskRole.managedPolicies).toEqual(["arn:aws:iam::aws:policy/ReadOnlyAccess"]);
		expect(imported.notes.join("\n")).toContain("AWSRevokeOlderSessions");
		expect(imported.notes.join("\n")).toContain(quarantine);
	});
});

describe("what no file can say", () => {
	test.each([
		[
			"a variable-like text in a document of 2008",
			{ Version: "2008-10-17", Statement: [allow("s3:*", "arn:aws:s3:::${aws:username}")] },
		],
		["such a text in a document without a version", { Statement: [allow("s3:*", "arn:aws:s3:::${aws:username}")] }],
		["a text that reads as a variable of our own", document(allow("s3:*", "arn:aws:s3:::${account.id}"))],
		["a variable that never ends", document(allow("s3:*", "arn:aws:s3:::${aws:username"))],
		["a principal", document({ ...allow("s3:*"), Principal: "*" })],
		["a statement without resources", document({ Effect: "Allow", Action: "s3:*" })],
	])("%s leaves the role named and not owned, and says so", (_, inline) => {
		const imported = importDocuments([service("a", "x")], roles(role("x", { inline: { odd: inline } })), options);
		expect(file(imported, "x.yaml").spec.taskRole).toEqual({ mode: "Unmanaged", name: "x" });
		expect(imported.notes).toEqual([expect.stringMatching(/^x\.yaml: named, not owned: inline policy "odd" /)]);
		expect(imported.files.get("x.yaml")).toContain('# named, not owned: inline policy "odd" ');
		expect(imported.roles.get("x.yaml")).toEqual({ name: "x", managed: false });
	});

	test.each([
		["its trust policy", { trust: UNREADABLE }],
		['inline policy "p"', { inline: { p: UNREADABLE } }],
	])("a role of which %s cannot be read is named and not owned", (what, state) => {
		const imported = importDocuments([service("a", "x")], roles(role("x", state)), options);
		expect(file(imported, "x.yaml").spec.taskRole).toEqual({ mode: "Unmanaged", name: "x" });
		expect(imported.notes).toEqual([expect.stringContaining(`${what} cannot be read`)]);
	});

	test("an execution role that is gone is not declared, so that nothing waits for it", () => {
		const imported = importDocuments([service("a", "x", { executionRole: roleArn("gone") })], roles(role("x")), options);
		expect(file(imported, "x.yaml").spec.executionRole).toBeUndefined();
		expect(imported.notes).toEqual([expect.stringContaining("execution role gone is not declared")]);
	});

	test("IAM's own variables and escapes are no obstacle", () => {
		const inline = document(allow("s3:*", "arn:aws:s3:::b/${aws:username}/${*}/${?}/${$}/${aws:PrincipalTag/team, 'none'}"));
		const imported = importDocuments([service("a", "x")], roles(role("x", { inline: { inline } })), options);
		expect(imported.roles.get("x.yaml")?.managed).toBe(true);
	});

	test.each([
		["AWSPREVIOUS", `${SECRET_PREFIX()}:url:AWSPREVIOUS:`],
		["version id", `${SECRET_PREFIX()}:url::5f9c0d7e-0000-0000-0000-000000000000`],
	])("a secret pinned to a %s is left out of the file, and its variable named", (what, from) => {
		const imported = importDocuments([service("a", "x", { secrets: { "app/DB": from } })], roles(role("x")), options);
		expect(file(imported, "x.yaml").spec.secrets).toBeUndefined();
		expect(imported.notes).toEqual([expect.stringContaining("app/DB")]);
		expect(imported.notes.join()).toContain(what);
	});
});

describe("what is left out", () => {
	test.each([
		["has no task role", service("a", null), role("x"), "service prod/a has no task role"],
		[
			"could not be read",
			service("a", null, { unread: "AccessDenied" }),
			role("x"),
			"service prod/a could not be read: AccessDenied",
		],
		["names a role that is gone", service("a", "gone"), role("x"), "role gone, of service prod/a: it does not exist"],
		[
			"runs as a role of another account",
			service("a", "x", { taskRole: "arn:aws:iam::999999999999:role/x" }),
			role("x"),
			"it belongs to account 999999999999",
		],
		[
			"runs as a service-linked role",
			service("a", "y"),
			role("y", { path: "/aws-service-role/ecs.amazonaws.com/" }),
			"reserved for AWS",
		],
		[
			"runs as a role of Identity Center",
			service("a", "AWSReservedSSO_Admin_1"),
			role("AWSReservedSSO_Admin_1"),
			"reserved for AWS",
		],
		[
			"runs as a role that is managed already",
			service("a", "x"),
			role("x", { tags: { [MARK.installation]: "default", [MARK.owner]: "AccessPolicy/orders" } }),
			"it is managed already, as AccessPolicy/orders",
		],
		[
			"runs as a role of another installation",
			service("a", "x"),
			role("x", { tags: { [MARK.installation]: "other", [MARK.owner]: "AccessPolicy/orders" } }),
			'installation "other" manages it',
		],
	])("a service that %s gets no file, and is named with the reason", (_, workload, live, reason) => {
		const imported = importDocuments([workload], roles(live), options);
		expect(imported.files.size).toBe(0);
		expect(imported.notes).toHaveLength(1);
		expect(imported.notes[0]).toMatch(/^left out: /);
		expect(imported.notes[0]).toContain(reason);
	});

	test("the role that these credentials act as is left alone", () => {
		const imported = importDocuments([service("a", "x")], roles(role("x")), { ...options, ownRole: "X" });
		expect(imported.files.size).toBe(0);
		expect(imported.notes).toEqual([expect.stringContaining("it is the role that these credentials act as")]);
	});

	test("what git owns already is not claimed a second time", () => {
		const workloads = [service("a", "x"), service("b", "y"), service("c", "y")];
		const imported = importDocuments(workloads, roles(role("x"), role("y")), {
			...options,
			inGit: {
				names: new Set(["y"]),
				roles: new Map([["x", "AccessPolicy/orders"]]),
				workloads: new Map([[workloadId(service("b", "y")), "AccessPolicy/billing"]]),
			},
		});
		expect([...imported.files.keys()]).toEqual(["y.yaml"]);
		expect(file(imported, "y.yaml").metadata.name).toBe("y-2");
		expect(file(imported, "y.yaml").spec.workloads).toEqual([{ cluster: "prod", services: ["c"] }]);
		expect(imported.notes).toHaveLength(2);
		expect(imported.notes.join("\n")).toContain("AccessPolicy/orders owns it already");
		expect(imported.notes.join("\n")).toContain("service prod/b: AccessPolicy/billing names it already");
	});
});

describe("names", () => {
	test("names are labels, unique, and the same again for the same roles", () => {
		const names = ["orders_task", "orders.task", "orders-task", "Ünïcode", "=", `${"a".repeat(63)}_`, `${"a".repeat(63)}-`];
		const imported = importDocuments(
			names.map((n) => service(`s${names.indexOf(n)}`, n)),
			roles(...names.map((n) => role(n))),
			options,
		);
		const written = [...imported.files.values()].map((text) => (parse(text) as Written).metadata.name);
		expect(new Set(written).size).toBe(names.length);
		for (const name of written) expect(name).toMatch(/^[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?$/);
		expect(file(imported, "orders-task.yaml").metadata.name).toBe("orders-task");
	});

	test("no file is hidden, and no two roles share one", () => {
		const names = [".hidden", "_hidden", "..", "a.yaml"];
		const imported = importDocuments(
			names.map((n) => service(`s${names.indexOf(n)}`, n)),
			roles(...names.map((n) => role(n))),
			options,
		);
		expect([...imported.files.keys()].sort()).toEqual(["__.yaml", "_hidden-2.yaml", "_hidden.yaml", "a.yaml.yaml"]);
	});
});

const UNREADABLE = { Version: "unreadable", Statement: [] };
const SECRET = SECRET_PREFIX();

function SECRET_PREFIX(): string {
	return "arn:aws:secretsmanager:eu-west-1:123456789012:secret:prod/orders/database-AbCdEf";
}
