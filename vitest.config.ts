import { defineConfig } from "vitest/config";

/** `unit` needs nothing; `sandbox` starts one sandbox for all its files, each file in AWS accounts of its own. */
export default defineConfig({
	test: {
		// The default leaves one core alone, which is half of a small machine.
		maxWorkers: "100%",
		projects: [
			{
				test: {
					name: "unit",
					include: ["test/{unit,golden}/**/*.test.ts"],
					setupFiles: ["test/properties.ts"],
					testTimeout: 30_000,
				},
			},
			{
				test: {
					name: "sandbox",
					include: ["test/{sandbox,conformance,integration,scenarios,e2e}/**/*.test.ts"],
					globalSetup: ["test/sandbox/global-setup.ts"],
					setupFiles: ["test/properties.ts"],
					testTimeout: 60_000,
					hookTimeout: 180_000,
				},
			},
		],
	},
});
