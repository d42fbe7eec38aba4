type Sqlite = typeof import("node:sqlite");
type EmitWarning = typeof process.emitWarning;

/**
 * Loads node:sqlite on first use, so that commands without a store do not pay for it. Earlier releases of Node 24 print an
 * ExperimentalWarning about it; that one warning is dropped, every other passes.
 */
export function loadSqlite(load: () => Sqlite = () => process.getBuiltinModule("node:sqlite")): Sqlite {
	const emit = process.emitWarning;
	process.emitWarning = ((warning: string | Error, ...rest: unknown[]) => {
		if (rest[0] === "ExperimentalWarning" && String(warning).startsWith("SQLite ")) return;
		(emit as (...args: unknown[]) => void).call(process, warning, ...rest);
	}) as EmitWarning;
	try {
		return load();
	} finally {
		process.emitWarning = emit;
	}
}
