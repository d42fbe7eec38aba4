import type { Account } from "../controller/model/account.ts";

/** An Account document with every default filled in; `more` wins. */
export function accountOf(accountId: string | null, more: Partial<Account> = {}): Account {
	return {
		name: "prod",
		accountId,
		region: "eu-west-1",
		regions: ["eu-west-1"],
		partition: "aws",
		rolePath: "/ecs-access/",
		permissionsBoundary: null,
		vars: {},
		labels: {},
		deployers: [],
		assumeRole: null,
		origin: null,
		...more,
	};
}
