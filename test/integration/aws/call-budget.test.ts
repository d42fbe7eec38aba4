import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, expect, test } from "vitest";
import { MARK } from "../../../controller/model/marks.ts";
import type { Target } from "../../../controller/model/target.ts";
import { accountOf } from "../../account.ts";
import { roleSeed, serviceSeed, taskDefinitionSeed } from "../../sandbox/seed-data.ts";
import { useSandbox } from "../../sandbox/use.ts";
import { accessTo } from "./access.ts";

const sandbox = useSandbox();
const signal = AbortSignal.timeout(55_000);
const cacheDir = mkdtempSync(join(tmpdir(), "ecs-access-cache-"));
afterAll(() => rmSync(cacheDir, { recursive: true, force: true }));

const FAMILIES = Array.from({ length: 20 }, (_, n) => `family-${n}`);

test("1,000 policies with their 2,000 roles and 1,000 services are read in 105 calls once task definitions are cached", async () => {
	const account = sandbox.newAccount();
	const names = Array.from({ length: 1_000 }, (_, n) => `svc-${n}`);
	await sandbox.seed(account, {
		roles: names.flatMap((n) => [
			roleSeed(`${n}-task`, [{ Effect: "Allow", Action: "s3:GetObject", Resource: "*" }], {
				tags: { [MARK.installation]: "main" },
			}),
			roleSeed(`${n}-exec`),
		]),
		clusters: [{ name: "prod" }],
		// Few, so that filling the cache does not take the test's time; that each is read once is held in read.test.ts.
		taskDefinitions: FAMILIES.map((n) => taskDefinitionSeed(n, { taskRoleArn: `svc-1-task`, executionRoleArn: `svc-1-exec` })),
		services: names.map((n, i) => serviceSeed("prod", n, { taskDefinition: `family-${i % FAMILIES.length}` })),
	});
	const role = (name: string): Target<"iam.role"> => ({ type: "iam.role", account, region: "global", name });
	const read = async () => {
		const access = accessTo(sandbox, accountOf(account), { cacheDir });
		await access.caller(signal);
		const facts = await access.resolve(
			names.map((n) => ({ type: "iam.role", account, name: `${n}-exec` })),
			signal,
		);
		const [roles, services] = await Promise.all([
			access.provider("iam.role").observe(
				names.map((n) => role(`${n}-task`)),
				signal,
			),
			access.provider("ecs.service").observe(
				names.map((n) => ({ type: "ecs.service", account, region: "eu-west-1", name: `prod/${n}` })),
				signal,
			),
		]);
		let owned = 0;
		for await (const _ of access.provider("iam.role").listOwned("main", signal)) owned++;
		return {
			exist: [...roles, ...services].filter((o) => o.exists).length,
			facts: facts.filter((f) => f.type === "iam.role").length,
			owned,
			counts: access.counts(),
		};
	};
	await read();
	await sandbox.resetCounts(account);
	const second = await read();
	expect(second).toMatchObject({ exist: 2_000, facts: 1_000, owned: 1_000 });
	const counts = await sandbox.counts(account);
	// Two full pages of roles, and a third where AWS returns fewer than asked.
	const { "iam:GetAccountAuthorizationDetails": pages = 0, ...others } = counts;
	expect(pages).toBeLessThanOrEqual(3);
	expect(others).toEqual({ "sts:GetCallerIdentity": 1, "iam:ListAccountAliases": 1, "ecs:DescribeServices": 100 });
	expect(second.counts).toMatchObject({ calls: Object.values(counts).reduce((a, b) => a + b, 0), roles: 2_000, services: 1_000 });
});
