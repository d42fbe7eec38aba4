import { digest } from "../model/digest.ts";
import { TerminalError } from "../model/errors.ts";
import type { Digest } from "../model/ids.ts";

/** A document of the largest role there can be is some 30 KB; a file that is larger than this is not one of ours. */
const MAX_FILE_BYTES = 1024 * 1024;
/** 10,000 policies of a generous 10 KB each, in all. */
const MAX_TOTAL_BYTES = 100 * 1024 * 1024;
const MAX_FILES = 50_000;
/** Strict, and a leading byte order mark is dropped. */
const UTF8 = new TextDecoder("utf-8", { fatal: true });

/** Gathers file contents within the limits. Every refusal is a TerminalError that names the file as a person knows it. */
export interface Collector {
	readonly add: (path: string, bytes: Uint8Array) => void;
	/** Refuses by size before the content is read. */
	readonly expect: (path: string, size: number) => void;
	/** By path, sorted by code unit, so that the order is everywhere the same. */
	readonly files: () => ReadonlyMap<string, string>;
}

export function createCollector(root: string): Collector {
	const files = new Map<string, string>();
	let total = 0;
	const check = (path: string, size: number): void => {
		// biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are what is refused
		if (/[\u0000-\u001f\u007f\ufffd"]/.test(path)) {
			throw new TerminalError(
				"BadFileName",
				`${root} holds a file whose name has quotes, control or invalid characters: ${JSON.stringify(path)}`,
				{
					fix: "rename it",
				},
			);
		}
		if (size > MAX_FILE_BYTES) {
			throw new TerminalError(
				"SourceTooLarge",
				`${shown(root, path)} has ${size} bytes, more than the ${MAX_FILE_BYTES} a file may have`,
				{
					fix: "split it into several files, or keep it outside of the source's folder",
				},
			);
		}
	};
	return {
		expect: check,
		add: (path, bytes) => {
			check(path, bytes.byteLength);
			total += bytes.byteLength;
			if (total > MAX_TOTAL_BYTES || files.size >= MAX_FILES) {
				throw new TerminalError(
					"SourceTooLarge",
					`${root} holds more than ${MAX_FILES} YAML files or ${MAX_TOTAL_BYTES} bytes of them, reached at ${path}`,
					{ fix: "name the folder that holds the policies alone" },
				);
			}
			files.set(path, decode(root, path, bytes));
		},
		files: () => new Map([...files].sort(([a], [b]) => (a < b ? -1 : 1))),
	};
}

function decode(root: string, path: string, bytes: Uint8Array): string {
	try {
		return UTF8.decode(bytes);
	} catch (cause) {
		throw new TerminalError("NotUtf8", `${shown(root, path)} is not valid UTF-8`, { cause, fix: "save it as UTF-8" });
	}
}

/** Over every path and content: equal folders give equal digests, wherever they stand. */
export function contentDigest(files: ReadonlyMap<string, string>): Digest {
	return digest([...files]);
}

/** `path` relative to the root; nothing hidden, at any depth (`.github/`, `.pre-commit-config.yaml`). */
export function isYamlPath(path: string): boolean {
	return /\.ya?ml$/.test(path) && !path.split("/").some((part) => part.startsWith("."));
}

/** The path as a person would type it. */
export function shown(root: string, path: string): string {
	return root === "." ? path : `${root.replace(/\/+$/, "")}/${path}`;
}

/** Of documents of ours: what makes a `platform/` folder the platform team's, and not some other folder of that name. */
export const OUR_GROUP = "ecs-access.dev/";

export function insideRoot(asked: string, root: string): TerminalError {
	return new TerminalError("InsideRoot", `${asked} lies inside the source root ${root}, whose platform/ folder governs it`, {
		fix: `name ${root}; --only narrows what is planned`,
	});
}

/** `a`, `a and b`, `a, b and 3 more`. */
export function listed(names: readonly string[]): string {
	const [first, second] = names;
	if (names.length > 2) return `${first}, ${second} and ${names.length - 2} more`;
	return [first, second].filter((n) => n !== undefined).join(" and ");
}
