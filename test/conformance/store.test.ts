import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createAws } from "../../controller/aws/process.ts";
import { createClock } from "../../controller/cli/clock.ts";
import { openStore } from "../../controller/store/sqlite.ts";
import { createStoreTable } from "../sandbox/store-table.ts";
import { useSandbox } from "../sandbox/use.ts";
import { storeConformance } from "./store.ts";

storeConformance("SQLite", () => {
	const dir = mkdtempSync(join(tmpdir(), "store-"));
	const path = join(dir, "state", "store.db");
	return {
		open: () => openStore({ path }),
		program: `const store = openStore({ path: ${JSON.stringify(path)} });`,
		dispose: () => rmSync(dir, { recursive: true, force: true }),
	};
});

storeConformance("DynamoDB", async () => {
	const sandbox = useSandbox();
	const account = sandbox.newAccount();
	Object.assign(process.env, sandbox.env(account));
	await createStoreTable(sandbox, account);
	const signal = AbortSignal.timeout(60_000);
	return {
		open: async () => {
			const aws = createAws({
				clock: createClock(),
				cacheDir: null,
				version: "0.0.0",
				reconcileId: "test",
				installation: () => "main",
				revision: () => "none",
			});
			const store = await aws.openStore({ table: "ecs-access", region: null }, { make: true }, signal);
			if (store === null) throw new Error("not made");
			return store;
		},
		program: `
			const { createAws } = await import("${new URL("../../controller/aws/process.ts", import.meta.url).href}");
			const aws = createAws({ clock, cacheDir: null, version: "0", reconcileId: "test", installation: () => "main", revision: () => "none" });
			const store = await aws.openStore({ table: "ecs-access", region: null }, { make: true }, new AbortController().signal);`,
		dispose: () => sandbox.reset(account),
	};
});
