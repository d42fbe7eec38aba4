import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { parseArtifact } from "../../../controller/kinds/parse.ts";
import { artifact, doc, lines, PROD, policy } from "./world.ts";

const said = (files: Record<string, string>) => lines(parseArtifact(artifact(files)).findings);
const HEAD = "apiVersion: ecs-access.dev/v1alpha1\n";

describe("a file that is not what it should be is refused at the place", () => {
	const cases: readonly (readonly [what: string, text: string, finding: string])[] = [
		["a tab", "a:\n\tb: 1\n", "1:1|2:1 error InvalidYaml a tab is not allowed as indentation -> use spaces"],
		["a duplicate key", "a: 1\na: 2\n", '2:1 error InvalidYaml duplicate key "a" -> keep one of them'],
		["an unclosed list", "a: [1,\n", "2:1 error InvalidYaml not YAML: deficient indentation"],
		[
			"a colon in a value",
			"a: b: c\n",
			'1:5 error InvalidYaml not YAML: bad indentation of a mapping entry -> put a value that holds ": " in quotes',
		],
		[
			"an at sign",
			"a: @x\n",
			"1:4 error InvalidYaml not YAML: bad indentation of a mapping entry -> put a value that begins with @ or ` in quotes",
		],
		["an unknown alias", "a: *x\n", '1:5 error InvalidYaml not YAML: unidentified alias "x"'],
		["a custom tag", "a: !js/function x\n", "1:4 error InvalidYaml custom tag !js/function is not allowed -> delete the tag"],
		["YAML 1.1", "%YAML 1.1\n---\na: yes\n", "1:1 error InvalidYaml only YAML 1.2 is read -> delete the %YAML line"],
		["an alias within itself", "a: &x [*x]\n", "1:8 error InvalidYaml alias *x stands within what it names"],
		[
			"binary",
			"a: \u0000\n",
			"1:4 error InvalidYaml not a text file: character U+0000 is not allowed in YAML -> save it as UTF-8",
		],
		["a list", "- a\n", "1:1 error InvalidType a document must be a map, this is a list -> begin with apiVersion and kind"],
		[
			"a word",
			"hello\n",
			'1:1 error InvalidType a document must be a map, this is the string "hello" -> begin with apiVersion and kind',
		],
		[
			"no kind",
			HEAD,
			'1:1 error MissingField a document needs the field "kind" -> kinds: Installation, Account, AccessPolicy, PermissionSet, AccessGrant, SecretRotation, Guardrail, Approval',
		],
		[
			"no apiVersion",
			"kind: AccessPolicy\n",
			'1:1 error MissingField a document needs the field "apiVersion" -> write apiVersion: ecs-access.dev/v1alpha1',
		],
		[
			"another apiVersion",
			"kind: Pod\napiVersion: v1\n",
			'2:13 error UnknownApiVersion unknown apiVersion "v1" -> write apiVersion: ecs-access.dev/v1alpha1',
		],
		[
			"a misspelt kind",
			`${HEAD}kind: AccesPolicy\n`,
			'2:7 error UnknownKind unknown kind "AccesPolicy" -> did you mean "AccessPolicy"?',
		],
		[
			"a kind of a later version",
			`${HEAD}kind: IdentityBinding\n`,
			"2:7 error NotInThisVersion kind IdentityBinding is not in this version -> remove the document",
		],
		[
			"a second document",
			`# fine\n---\n---\n${HEAD}kind: Nonsense\n`,
			'5:7 error UnknownKind unknown kind "Nonsense" -> kinds: Installation, Account, AccessPolicy, PermissionSet, AccessGrant, SecretRotation, Guardrail, Approval',
		],
	];
	test.each(cases)("%s", (_, text, finding) => {
		expect(said({ "a.yaml": text })).toEqual([`policies/a.yaml:${finding.replace(/^1:1\|/, "")}`]);
	});
});

describe("a document that is not what its kind says is refused at the place", () => {
	const cases: readonly (readonly [what: string, text: string, findings: readonly string[]])[] = [
		[
			"an unknown field",
			policy("taskRole:\n  statments: []"),
			['6:5 error UnknownField unknown field "statments" in AccessPolicy.spec.taskRole -> did you mean "statements"?'],
		],
		[
			"an unknown top field",
			`${policy("suspend: true")}metadta: {}\n`,
			['6:1 error UnknownField unknown field "metadta" in AccessPolicy -> did you mean "metadata"?'],
		],
		[
			"a status",
			`${policy("suspend: true")}status: {}\n`,
			['6:1 error UnknownField unknown field "status" in AccessPolicy -> delete it, the controller writes it'],
		],
		[
			"no spec",
			`${HEAD}kind: AccessPolicy\nmetadata: { name: a }\n`,
			['1:1 error MissingField AccessPolicy needs the field "spec"'],
		],
		[
			"no name",
			`${HEAD}kind: AccessPolicy\nmetadata: {}\nspec: {}\n`,
			['3:1 error MissingField AccessPolicy.metadata needs the field "name"'],
		],
		[
			"a name with capitals",
			policy("suspend: true", "Orders"),
			[
				'3:19 error InvalidValue AccessPolicy.metadata.name is "Orders", it must be lower-case letters, digits and dashes, e.g. orders-api',
			],
		],
		[
			"a word of the wrong case",
			policy("binding: verify"),
			[
				'5:12 error InvalidValue AccessPolicy.spec.binding is "verify", it must be one of Verify, Enforce -> did you mean "Verify"?',
			],
		],
		[
			"a string for a list",
			policy("taskRole: { statements: [{ actions: s3:GetObject, resources: ['*'] }] }"),
			["5:39 error InvalidType AccessPolicy.spec.taskRole.statements[0].actions must be a list -> write [s3:GetObject]"],
		],
		[
			"an empty list",
			policy("taskRole: { statements: [{ actions: [], resources: ['*'] }] }"),
			["5:39 error InvalidValue AccessPolicy.spec.taskRole.statements[0].actions must not be empty"],
		],
		[
			"an empty field",
			policy("secrets:\nsuspend: true"),
			["5:3 error InvalidType AccessPolicy.spec.secrets is empty, it must be a list -> give it a value or delete the line"],
		],
		[
			"a quoted boolean",
			policy('suspend: "true"'),
			['5:12 error InvalidType AccessPolicy.spec.suspend is "true", it must be true or false -> write it without quotes'],
		],
		[
			"a date without a time",
			policy("taskRole: { statements: [{ actions: ['s3:*'], resources: ['*'], expiresAt: 2027-01-31 }] }"),
			[
				'5:78 error InvalidTime AccessPolicy.spec.taskRole.statements[0].expiresAt is "2027-01-31", it must be a time with a zone, e.g. 2027-01-31T00:00:00Z',
			],
		],
		[
			"a wildcard service",
			policy("workloads: [{ cluster: prod, services: ['orders-*'] }]"),
			[
				'5:43 error InvalidValue AccessPolicy.spec.workloads[0].services[0] is "orders-*", it must be up to 255 letters, digits, dashes and underscores; wildcards are not possible here',
			],
		],
		[
			"through an alias",
			policy("taskRole: &r\n  nme: a\nexecutionRole: *r"),
			[
				'6:5 error UnknownField unknown field "nme" in AccessPolicy.spec.executionRole -> did you mean "name"?',
				'6:5 error UnknownField unknown field "nme" in AccessPolicy.spec.taskRole -> did you mean "name"?',
			],
		],
	];
	test.each(cases)("%s", (_, text, findings) => {
		expect([...said({ "a.yaml": text })].sort()).toEqual(findings.map((f) => `policies/a.yaml:${f}`).sort());
	});

	test("an account id without quotes keeps its zeros in the advice", () => {
		const text = doc("Account", "prod", "accountId: 012345678901\nregion: eu-west-1");
		expect(said({ "platform/a.yaml": text })).toEqual([
			'policies/platform/a.yaml:5:14 error InvalidType Account.spec.accountId is a number, it must be a string -> write "012345678901" in quotes',
		]);
	});
});

test("an empty file, comments, empty documents, a byte order mark and CRLF are all right", () => {
	const parsed = parseArtifact(
		artifact({
			"a.yaml": "",
			"b.yml": "# nothing\n",
			"c.yaml": "---\n---\n",
			"d.yaml": `\uFEFF${policy("suspend: true").replaceAll("\n", "\r\n")}`,
		}),
	);
	expect(lines(parsed.findings)).toEqual([]);
	expect(parsed.resources.map((r) => [r.key, r.origin.line, r.at(["spec", "suspend"], "value").column])).toEqual([
		["AccessPolicy/orders", 1, 12],
	]);
});

test("anchors and merge keys are read, and places lead to what they name", () => {
	const text = policy("taskRole:\n  tags: &t { team: orders }\nexecutionRole:\n  mode: Managed\n  tags: { <<: *t, more: x }");
	const [r] = parseArtifact(artifact({ "a.yaml": text })).resources;
	expect(r?.spec).toMatchObject({ executionRole: { tags: { team: "orders", more: "x" } } });
	expect(r?.at(["spec", "executionRole", "tags", "team"])).toMatchObject({ line: 6, column: 16 });
	expect(r?.at(["spec", "executionRole", "tags", "more"], "value")).toMatchObject({ line: 9, column: 27 });
});

test("aliases that would grow without bound are refused before they are expanded", () => {
	const bomb = ["a0: &a0 [x, x, x, x, x, x, x, x, x, x]"];
	for (let n = 1; n < 12; n++)
		bomb.push(
			`a${n}: &a${n} [${Array(10)
				.fill(`*a${n - 1}`)
				.join(", ")}]`,
		);
	expect(said({ "a.yaml": bomb.join("\n") })[0]).toMatch(
		/^policies\/a.yaml:\d+:\d+ error InvalidYaml aliases grow to more than 50000 values/,
	);
});

test("a key that JavaScript knows is a field like any other", () => {
	expect(said({ "a.yaml": policy("__proto__: { suspend: true }\nconstructor: 1") })).toEqual([
		expect.stringContaining('policies/a.yaml:5:3 error UnknownField unknown field "__proto__" in AccessPolicy.spec'),
		expect.stringContaining('policies/a.yaml:6:3 error UnknownField unknown field "constructor" in AccessPolicy.spec'),
	]);
	expect(({} as { suspend?: boolean }).suspend).toBeUndefined();
});

describe("the platform team's documents count only in platform/", () => {
	test("an Account of a service team is refused", () => {
		const parsed = parseArtifact(artifact({ "team/a.yaml": PROD }));
		expect(lines(parsed.findings)).toEqual([
			"policies/team/a.yaml:2:7 error PlatformOnly a document of kind Account counts only below platform/ -> move it to platform/a.yaml",
		]);
		expect(parsed.resources).toEqual([]);
		expect([...parsed.broken]).toEqual(["Account/prod"]);
	});
	test.each(["Installation", "Guardrail", "Approval"])("so is a document of kind %s", (kind) => {
		const findings = said({ "a.yaml": doc(kind, "x", "{}") });
		expect(findings.filter((f) => f.includes("PlatformOnly"))).toHaveLength(1);
	});
	test("a folder platform/ deeper down does not count", () => {
		expect(said({ "team/platform/a.yaml": PROD })).toEqual([
			"policies/team/platform/a.yaml:1:1 error PlatformDepth platform/ counts only at the top of the source, this is team/platform/ -> if policies/team is the source root, name it: --path policies/team, or --subdir policies/team with --git; else move the file, or give the folder another name",
		]);
	});
	test("of a source that was named a folder too high the mistake is told once, with how many documents it is about", () => {
		const second = doc("Guardrail", "x", "{ enforcement: Warn, rules: [{ id: a, denyActions: [iam:*] }] }");
		const depth = said({ "team/platform/a.yaml": PROD, "team/platform/b.yaml": second }).filter((f) =>
			f.includes("PlatformDepth"),
		);
		expect(depth).toHaveLength(1);
		expect(depth[0]).toContain("team/platform/, with 2 documents -> ");
	});
	test("at the top it counts, at any depth below", () => {
		expect(said({ "platform/accounts/eu/a.yaml": PROD })).toEqual([]);
	});
});

test("two documents of one name are refused together, each naming the other", () => {
	const parsed = parseArtifact(
		artifact({
			"a.yaml": policy("suspend: true"),
			"b.yaml": policy("suspend: false"),
			"c.yaml": doc("PermissionSet", "orders", "statements: [{ actions: ['s3:*'], resources: ['*'] }]"),
		}),
	);
	expect(lines(parsed.findings)).toEqual([
		'policies/a.yaml:3:19 error DuplicateName AccessPolicy "orders" is also in policies/b.yaml:1 -> give one of them another name',
		'policies/b.yaml:3:19 error DuplicateName AccessPolicy "orders" is also in policies/a.yaml:1 -> give one of them another name',
	]);
	expect(parsed.findings.map((f) => f.key)).toEqual(["AccessPolicy/orders", "AccessPolicy/orders"]);
});

test("the root stands before a path, and the root itself before none", () => {
	expect(parseArtifact(artifact({ "a.yaml": "x" }, ".")).findings[0]?.origin?.path).toBe("a.yaml");
	expect(parseArtifact(artifact({ "a.yaml": "x" }, "git/access")).findings[0]?.origin?.path).toBe("git/access/a.yaml");
});

test("whatever a file holds, reading it throws nothing, and says the same twice", () => {
	const pieces = fc.constantFrom(
		"apiVersion: ecs-access.dev/v1alpha1\n",
		"kind: AccessPolicy\n",
		"metadata: { name: a }\n",
		"spec:\n",
		"  taskRole: { ",
		"}",
		"  - ",
		"\t",
		"&a ",
		"*a",
		"!!str ",
		"? ",
		": ",
		'"',
		"'",
		"|\n",
		"---\n",
		"...\n",
		"#",
		"\n",
		"  ",
		"<<: *a\n",
		"[",
		"]",
		",",
		"${x}",
		"\u2028",
		"é",
	);
	fc.assert(
		fc.property(
			fc.oneof(
				fc.array(pieces, { maxLength: 25 }).map((p) => p.join("")),
				fc.string({ unit: "binary", maxLength: 60 }),
			),
			(text) => {
				const once = said({ "a.yaml": text });
				expect(said({ "a.yaml": text })).toEqual(once);
				for (const line of once) expect(line).toMatch(/^policies\/a\.yaml:[1-9]\d*:[1-9]\d* error [A-Z]\w+ /);
			},
		),
		{ numRuns: 1_000 },
	);
});

test("the generation follows the content and not the place", () => {
	const of = (text: string, path = "a.yaml") => parseArtifact(artifact({ [path]: text })).resources[0]?.generation;
	expect(of(policy("suspend: true"))).toBe(of(`# moved\n${policy("suspend:    true")}`, "b.yaml"));
	expect(of(policy("suspend: true"))).not.toBe(of(policy("suspend: false")));
});
