import { expect, test } from "vitest";
import { useSandbox } from "../sandbox/use.ts";
import { person } from "./cli.ts";
import { documentText, policyText } from "./world.ts";

const sandbox = useSandbox();

test("ecs-access bootstrap prints what git asks for, without asking AWS anything", async () => {
	const account = sandbox.newAccount();
	const kim = person(sandbox, account);
	kim.write("policies/platform/prod.yaml", documentText("Account", "prod", `{ accountId: "${account}", region: eu-west-1 }`));
	kim.write("policies/legacy.yaml", policyText("legacy", { role: "name: legacy\n    path: /old/\n    adopt: true" }));
	kim.write("policies/key.yaml", documentText("SecretRotation", "key", "{ secret: prod/key, strategy: { generate: {} } }"));
	const { stdout, code } = await kim.run("bootstrap", "--print", "policy", "--adopt");
	expect(code).toBe(0);
	const { read, write } = JSON.parse(stdout) as Record<"read" | "write", { Statement: { Sid: string; Resource: string[] }[] }>;
	const of = (all: typeof read, sid: string) => all.Statement.find((s) => s.Sid === sid)?.Resource;
	expect(of(read, "ReadSecrets")).toEqual([`arn:aws:secretsmanager:*:${account}:secret:prod/key-??????`]);
	expect(of(write, "WriteRolesUnderTheBoundary")).toEqual([
		`arn:aws:iam::${account}:role/ecs-access/*`,
		`arn:aws:iam::${account}:role/old/legacy`,
	]);
	expect(await sandbox.counts(account)).toEqual({});
});

test("ecs-access bootstrap says which Account is missing", async () => {
	const kim = person(sandbox, sandbox.newAccount());
	kim.write("policies/orders.yaml", policyText("orders"));
	const { stderr, code } = await kim.run("bootstrap");
	expect(code).toBe(1);
	expect(stderr).toContain("no Account with an accountId is declared");
	expect(stderr).toContain("write platform/accounts.yaml");
});
