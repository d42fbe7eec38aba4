import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { openStore } from "../../controller/store/sqlite.ts";
import { storeConformance } from "./store.ts";

storeConformance("SQLite", () => {
	const dir = mkdtempSync(join(tmpdir(), "store-"));
	return {
		open: () => openStore({ path: join(dir, "state", "store.db") }),
		dispose: () => rmSync(dir, { recursive: true, force: true }),
	};
});
