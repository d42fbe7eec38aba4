import { digest } from "../model/digest.ts";
import type { Finding } from "../model/finding.ts";
import type { ResourceKey } from "../model/ids.ts";
import { didYouMean } from "../model/nearest.ts";
import type { Artifact, FieldPath, Metadata, Origin, Resource } from "../model/resource.ts";
import { KIND_SCHEMAS } from "./generated/schemas.ts";
import { problem } from "./problem.ts";
import { type Fault, metadataFaults, specFaults } from "./validators.ts";
import { lineSpan, locate, type Part, readYaml } from "./yaml.ts";

const API_VERSION = "ecs-access.dev/v1alpha1";
/** Only these count as the platform team's word, and only below `<root>/platform/` (KINDS.md). */
const PLATFORM_KINDS: readonly string[] = ["Installation", "Account", "Guardrail", "Approval"];
/** Known, and built later. */
const LATER_KINDS: readonly string[] = ["IdentityBinding"];
const KINDS: readonly string[] = KIND_SCHEMAS.map((k) => k.kind);

interface Parsed {
	/** Valid documents, in the order of their paths. Of two with one name, the first. */
	readonly resources: readonly Resource[];
	/** Documents that are there and not valid: what refers to one is not wrong for that. */
	readonly broken: ReadonlySet<ResourceKey>;
	readonly findings: readonly Finding[];
}

/** Every document of an Artifact, checked against its schema. Never throws for what a file holds. */
export function parseArtifact(artifact: Artifact): Parsed {
	const resources = new Map<ResourceKey, Resource>();
	const broken = new Set<ResourceKey>();
	const findings: Finding[] = [];
	for (const path of [...artifact.files.keys()].sort()) {
		const shown = artifact.root === "." || artifact.root === "" ? path : `${artifact.root}/${path}`;
		const text = (artifact.files.get(path) ?? "").replace(/^\uFEFF/, "");
		const { documents, error } = readYaml(text);
		if (error !== null) {
			const { message, fix, line, column } = error;
			findings.push(problem("InvalidYaml", message, { path: shown, line, column }, fix));
			continue;
		}
		documents.forEach((value, index) => {
			if (value === null) return;
			const doc = readDocument({ value, index, text, path, shown });
			findings.push(...doc.findings);
			if (doc.resource === null) {
				if (doc.key !== null) broken.add(doc.key);
				return;
			}
			const first = resources.get(doc.resource.key);
			if (first === undefined) resources.set(doc.resource.key, doc.resource);
			else findings.push(...duplicateName(first, doc.resource));
		});
	}
	return { resources: [...resources.values()], broken, findings: oncePerFolder(findings) };
}

/** A root that was named a folder too high gives the same mistake for every document of the real one's platform/. */
function oncePerFolder(findings: readonly Finding[]): readonly Finding[] {
	const folders = Map.groupBy(findings, (f) => (f.id === "PlatformDepth" ? f.message : f));
	return [...folders.values()].flatMap((same) => {
		const [first] = same;
		if (first === undefined || same.length === 1) return same;
		return [{ ...first, message: `${first.message}, with ${same.length} documents` }];
	});
}

interface RawDocument {
	readonly value: unknown;
	readonly index: number;
	readonly text: string;
	/** Relative to the source root. */
	readonly path: string;
	readonly shown: string;
}

function readDocument(doc: RawDocument): {
	readonly resource: Resource | null;
	readonly key: ResourceKey | null;
	readonly findings: readonly Finding[];
} {
	const at = (path: FieldPath, part: Part = "key", text?: string) => lazyOrigin(doc, path, part, text);
	const refuse = (finding: Finding) => ({ resource: null, key: null, findings: [finding] });
	const { value } = doc;
	if (!isRecord(value)) {
		const found = Array.isArray(value) ? "a list" : `the ${typeof value} ${JSON.stringify(value)}`;
		return refuse(
			problem("InvalidType", `a document must be a map, this is ${found}`, at([], "value"), "begin with apiVersion and kind"),
		);
	}
	const head = headFault(value, at);
	if (head !== null) return refuse(head);
	const kind = String(value.kind);
	const name = isRecord(value.metadata) && typeof value.metadata.name === "string" ? value.metadata.name : null;
	const key = name === null ? null : `${kind}/${name}`;

	const raw = (path: FieldPath) => locate(doc.text, doc.index, path, "value").raw;
	const faults = [...topFaults(value, kind), ...metadataFaults(value.metadata ?? null, kind, raw)];
	if ("spec" in value) faults.push(...specFaults(value.spec, kind, raw));
	const findings = faults.map((f) => problem(f.id, f.message, at(f.path, f.part), f.fix, key));
	const place = placeFault(doc, kind, key, at);
	if (place !== null) findings.push(place);
	if (findings.length > 0) return { resource: null, key, findings };

	const metadata = value.metadata as unknown as Metadata;
	let generation: string | null = null;
	const resource: Resource = {
		apiVersion: API_VERSION,
		kind,
		key: `${kind}/${metadata.name}`,
		metadata,
		spec: value.spec,
		// Hashed when a status is written; validation of ten thousand documents needs none.
		get generation() {
			generation ??= digest({ kind, metadata, spec: value.spec });
			return generation;
		},
		origin: at([], "value"),
		at,
		lines: (path) => lineSpan(doc.text, doc.index, path),
	};
	return { resource, key, findings: [] };
}

type At = (path: FieldPath, part?: Part, text?: string) => Origin;

/** Without a known kind nothing else can be said of a document. */
function headFault(value: Readonly<Record<string, unknown>>, at: At): Finding | null {
	const { kind, apiVersion } = value;
	if (kind === undefined)
		return problem("MissingField", 'a document needs the field "kind"', at([], "value"), `kinds: ${KINDS.join(", ")}`);
	if (typeof kind === "string" && LATER_KINDS.includes(kind)) {
		return problem("NotInThisVersion", `kind ${kind} is not in this version`, at(["kind"], "value"), "remove the document");
	}
	if (apiVersion !== API_VERSION) {
		const fix = `write apiVersion: ${API_VERSION}`;
		if (apiVersion === undefined) return problem("MissingField", 'a document needs the field "apiVersion"', at([], "value"), fix);
		return problem("UnknownApiVersion", `unknown apiVersion ${JSON.stringify(apiVersion)}`, at(["apiVersion"], "value"), fix);
	}
	if (typeof kind === "string" && KINDS.includes(kind)) return null;
	const fix = didYouMean(String(kind), KINDS) ?? `kinds: ${KINDS.join(", ")}`;
	return problem("UnknownKind", `unknown kind ${JSON.stringify(kind)}`, at(["kind"], "value"), fix);
}

const TOP: readonly string[] = ["apiVersion", "kind", "metadata", "spec"];
function topFaults(value: Readonly<Record<string, unknown>>, kind: string): Fault[] {
	const faults: Fault[] = [];
	for (const field of Object.keys(value)) {
		if (TOP.includes(field)) continue;
		const fix =
			field === "status" ? "delete it, the controller writes it" : (didYouMean(field, TOP) ?? `known fields: ${TOP.join(", ")}`);
		faults.push({ id: "UnknownField", message: `unknown field "${field}" in ${kind}`, fix, path: [field], part: "key" });
	}
	if (!("metadata" in value)) {
		faults.push({ id: "MissingField", message: `${kind} needs the field "metadata"`, path: [], part: "value" });
	}
	if (!("spec" in value)) faults.push({ id: "MissingField", message: `${kind} needs the field "spec"`, path: [], part: "value" });
	return faults;
}

function placeFault(doc: RawDocument, kind: string, key: ResourceKey | null, at: At): Finding | null {
	const folders = doc.path.split("/").slice(0, -1);
	const depth = folders.indexOf("platform");
	if (depth > 0) {
		const message = `platform/ counts only at the top of the source, this is ${folders.slice(0, depth + 1).join("/")}/`;
		const above = doc.shown.slice(0, doc.shown.length - doc.path.length) + folders.slice(0, depth).join("/");
		const fix = `if ${above} is the source root, name it: --path ${above}, or --subdir ${above} with --git; else move the file, or give the folder another name`;
		return problem("PlatformDepth", message, at([], "value"), fix, key);
	}
	if (depth === 0 || !PLATFORM_KINDS.includes(kind)) return null;
	const message = `a document of kind ${kind} counts only below platform/`;
	return problem("PlatformOnly", message, at(["kind"], "value"), `move it to platform/${doc.path.split("/").at(-1)}`, key);
}

/** Said at both, so that each stalls by itself and names the other. */
function duplicateName(first: Resource, second: Resource): readonly Finding[] {
	const say = (r: Resource, other: Resource) =>
		problem(
			"DuplicateName",
			`${r.kind} "${r.metadata.name}" is also in ${other.origin.path}:${other.origin.line}`,
			r.at(["metadata", "name"], "value"),
			"give one of them another name",
			r.key,
		);
	return [say(first, second), say(second, first)];
}

/** A place whose line is looked up when somebody reads it: of ten thousand statements nearly none is ever shown. */
function lazyOrigin(doc: RawDocument, path: FieldPath, part: Part, text?: string): Origin {
	let found: { readonly line: number; readonly column: number } | null = null;
	const find = () => {
		found ??= locate(doc.text, doc.index, path, part, text);
		return found;
	};
	return {
		path: doc.shown,
		get line() {
			return find().line;
		},
		get column() {
			return find().column;
		},
	};
}

function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
	return value !== null && typeof value === "object" && !Array.isArray(value);
}
