import { existsSync, readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

/**
 * Files that come with the program: in a checkout two folders up, in the npm package beside `dist/`. Found by the
 * package.json above this module, which both have.
 */
export function packageRoot(): string {
	let folder = dirname(fileURLToPath(import.meta.url));
	while (!existsSync(join(folder, "package.json"))) {
		const parent = dirname(folder);
		if (parent === folder)
			throw new Error(`no package.json above ${fileURLToPath(import.meta.url)}: the installation is incomplete`);
		folder = parent;
	}
	return folder;
}

export function packageVersion(): string {
	const { version } = JSON.parse(readFileSync(join(packageRoot(), "package.json"), "utf8")) as { readonly version: string };
	return version;
}
