import { existsSync, readdirSync, readFileSync, statSync } from "node:fs";
import { dirname, join, normalize } from "node:path";
import type { Command } from "commander";
import { describe, expect, it } from "vitest";
import { createProgram } from "../../../controller/cli/program.ts";
import { PERMISSIONS } from "../../../controller/model/permissions.ts";

const root = join(import.meta.dirname, "../../..");
const read = (path: string): string => readFileSync(join(root, path), "utf8");
const documents = [
	"README.md",
	"controller/README.md",
	...readdirSync(join(root, "docs"))
		.filter((f) => f.endsWith(".md"))
		.map((f) => `docs/${f}`),
];
/** Without code, whose brackets are no links. */
const prose = (text: string): string => text.replace(/^```[\s\S]*?^```/gm, "").replace(/`[^`\n]*`/g, "`code`");

/** As GitHub makes an anchor of a heading. */
function anchors(text: string): readonly string[] {
	return [...text.replace(/^```[\s\S]*?^```/gm, "").matchAll(/^#+ (.+)$/gm)].map(([, heading = ""]) =>
		heading
			.toLowerCase()
			.replace(/[^\p{L}\p{N} _-]/gu, "")
			.replaceAll(" ", "-"),
	);
}

function verbs(): readonly string[] {
	const output = { write: () => undefined, isTTY: false, columns: 120 };
	const program: Command = createProgram({
		env: {},
		cwd: root,
		stdin: process.stdin,
		stdout: output,
		stderr: output,
		terminal: process.stderr,
		signal: new AbortController().signal,
		clock: { now: () => "2026-11-24T00:00:00Z", millis: () => 0, sleep: async () => {} },
		version: "0.0.0",
		setExitCode: () => {},
	});
	return program.commands.map((c) => c.name());
}

/** The actions of the IAM policy in getting-started that holds `one`. */
function documented(one: string): readonly string[] {
	const blocks = [...read("docs/getting-started.md").matchAll(/^```json\n([\s\S]*?)^```/gm)].map(([, text = ""]) => text);
	const block = blocks.find((b) => b.includes(`"${one}"`)) ?? "{}";
	const policy = JSON.parse(block) as { readonly Statement?: readonly { readonly Action: readonly string[] }[] };
	return (policy.Statement ?? []).flatMap((s) => s.Action);
}

describe.each(documents)("%s", (document) => {
	it("links to files and headings that exist", () => {
		const broken = [...prose(read(document)).matchAll(/\]\(([^)\s]+)\)/g)]
			.map(([, link = ""]) => link)
			.filter((link) => !/^[a-z]+:/.test(link))
			.filter((link) => {
				const [path = "", anchor] = link.split("#");
				const target = path === "" ? document : normalize(join(dirname(document), path));
				if (!existsSync(join(root, target))) return true;
				return anchor !== undefined && !(statSync(join(root, target)).isFile() && anchors(read(target)).includes(anchor));
			});
		expect(broken).toEqual([]);
	});

	it("names no path of the code that is not there", () => {
		const named = [...read(document).matchAll(/`((?:controller|test|crds|policies|docs)\/[\w./-]*)`/g)].map(([, p = ""]) => p);
		// A policy's own repository has a folder of that name too.
		const ours = named.filter((p) => document === "controller/README.md" || !p.startsWith("policies/"));
		expect(ours.filter((p) => !existsSync(join(root, p)))).toEqual([]);
	});
});

describe("the documentation", () => {
	it("has a section for every verb, and none for what is no verb", () => {
		const sections = [...read("docs/command-line.md").matchAll(/^## (.+)$/gm)].map(([, heading]) => heading);
		expect(sections.toSorted()).toEqual(verbs().toSorted());
	});

	it("lists the permissions that are used, those to read and those to write", () => {
		const used = (access: "read" | "write"): readonly string[] =>
			PERMISSIONS.filter(
				(p) =>
					p.access === access &&
					p.action !== "sts:AssumeRole" &&
					p.on !== "table" &&
					p.on !== "secret" &&
					!isOfEvents(p) &&
					!isOfDoctor(p) &&
					!isOfEnforce(p) &&
					!isOfRotation(p),
			).map((p) => p.action);
		expect(documented("sts:GetCallerIdentity").toSorted()).toEqual(used("read").toSorted());
		expect(documented("iam:PutRolePolicy").toSorted()).toEqual(used("write").toSorted());
		const enforcing = PERMISSIONS.filter(isOfEnforce).flatMap((p): readonly string[] =>
			"grantedBy" in p ? p.grantedBy : [p.action],
		);
		expect(documented("ecs:UpdateService").toSorted()).toEqual([...new Set(enforcing)].toSorted());
		const onTable = PERMISSIONS.filter((p) => p.on === "table").flatMap((p): readonly string[] =>
			"grantedBy" in p ? p.grantedBy : [p.action],
		);
		expect(documented("dynamodb:GetItem").toSorted()).toEqual([...new Set(onTable)].toSorted());
		const onSecret = PERMISSIONS.filter((p) => p.on === "secret" && !isOfDerived(p) && !isOfRotation(p)).map((p) => p.action);
		expect(documented("secretsmanager:GetSecretValue")).toEqual(onSecret);
		const derives = PERMISSIONS.filter((p) => /Derived/.test(p.why)).map((p) => p.action);
		expect(documented("secretsmanager:DescribeSecret").toSorted()).toEqual(derives.toSorted());
		const rotates = PERMISSIONS.filter((p) => /SecretRotation/.test(p.why)).map((p) => p.action);
		expect(documented("secretsmanager:PutSecretValue").toSorted()).toEqual(rotates.toSorted());
		const doctors = PERMISSIONS.filter(isOfDoctor).map((p) => p.action);
		expect(documented("iam:GetAccountSummary").toSorted()).toEqual(doctors.toSorted());
		const ofEvents = (triggers: boolean): readonly string[] =>
			PERMISSIONS.filter((p) => isOfEvents(p) && /triggers/.test(p.why) === triggers).flatMap((p): readonly string[] =>
				"grantedBy" in p ? p.grantedBy : [p.action],
			);
		expect(documented("sqs:ReceiveMessage").toSorted()).toEqual([...new Set(ofEvents(false))].toSorted());
		expect(documented("sqs:CreateQueue").toSorted()).toEqual([...new Set(ofEvents(true))].toSorted());
	});

	it("names every folder of the code in the map", () => {
		const folders = readdirSync(join(root, "controller"), { withFileTypes: true }).filter((f) => f.isDirectory());
		const map = read("controller/README.md");
		expect(folders.map((f) => f.name).filter((name) => !map.includes(`\`controller/${name}/\``))).toEqual([]);
	});
});

/** Where no policy says binding: Enforce, no workload is written. */
function isOfEnforce(p: (typeof PERMISSIONS)[number]): boolean {
	return /binding: Enforce( and SecretRotation)? only$/.test(p.why);
}

/** Needed by nothing else. */
function isOfRotation({ why }: (typeof PERMISSIONS)[number]): boolean {
	return /; SecretRotation/.test(why);
}

function isOfDerived(p: (typeof PERMISSIONS)[number]): boolean {
	return /Derived( and SecretRotation)? only$/.test(p.why);
}

/** The event path is set up by one command and heard by another; neither is needed to plan and to apply. */
function isOfEvents(p: (typeof PERMISSIONS)[number]): boolean {
	return !isOfDoctor(p) && (p.on === "queue" || p.on === "bus" || /triggers/.test(p.why));
}

/** Of the canary, and of the quotas; the table of a shared store is looked at by its own list. */
function isOfDoctor(p: (typeof PERMISSIONS)[number]): boolean {
	return p.why.endsWith("doctor only") && p.on !== "table";
}
