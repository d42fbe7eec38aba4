import { type Command, Option } from "commander";
import type { Catalog } from "../engine/catalog.ts";
import type { Account } from "../model/account.ts";
import { isRole } from "../model/desired.ts";
import { TerminalError } from "../model/errors.ts";
import type { InstallationSpec, SecretRotationSpec } from "../model/generated/specs.ts";
import type { OwnScope } from "../model/own-policy.ts";
import type { Facts } from "../model/reference.ts";
import { type CliContext, type CliDeps, type ExitCode, verb } from "./context.ts";
import { withFooter } from "./help.ts";
import { requestOf } from "./source-flags.ts";

const DOCUMENTS = ["policy", "plan-only-policy", "workload-boundary"] as const;

interface BootstrapOptions {
	readonly print: (typeof DOCUMENTS)[number];
	readonly path?: string;
	readonly account?: string;
	readonly adopt?: boolean;
}

/** Prints what the controller may do in an account: made from the list of what it calls, and from what git says. */
export function registerBootstrap(program: Command, deps: CliDeps): void {
	const command = program
		.command("bootstrap")
		.summary("the rights that the controller needs, as IAM documents")
		.description(
			"Print the IAM documents of an installation, made from the list of what this program calls and from the policies: what the controller may do, what a pull request's plan may do, and the boundary of the roles that it writes. Offline; nothing is created.",
		)
		.addOption(new Option("--print <document>", "which one").choices(DOCUMENTS).default("policy"))
		.option("--path <dir>", "the source root (default: policies)")
		.option("--account <name>", "the Account, where there are several")
		.option("--adopt", "also the roles outside of the role path that policies take over, by their ARNs");
	command.action(verb<BootstrapOptions>(deps, bootstrap));
	withFooter(command, {
		examples: [
			["ecs-access bootstrap --print policy", "read and write, as two managed policies"],
			["ecs-access bootstrap --print plan-only-policy > plan-only.json", "for the role of pull requests"],
			["ecs-access bootstrap --print workload-boundary", "what the Account names as permissionsBoundary"],
		],
		two: "never from this command",
	});
}

async function bootstrap(ctx: CliContext, opts: BootstrapOptions): Promise<ExitCode> {
	const [{ controllerPolicies, planOnlyPolicy, workloadBoundary }, scope] = await Promise.all([
		import("../model/own-policy.ts"),
		scopeOf(ctx, opts),
	]);
	const documents = {
		policy: () => controllerPolicies(scope),
		"plan-only-policy": () => planOnlyPolicy(scope),
		"workload-boundary": () => workloadBoundary(scope),
	};
	ctx.print(`${JSON.stringify(documents[opts.print](), null, 2)}\n`);
	return 0;
}

async function scopeOf(ctx: CliContext, opts: BootstrapOptions): Promise<OwnScope> {
	const [{ createSource }, { loadCatalog }, { createCatalogue }, { mistakesOf }, { parseStoreUrl }, { ownNames }] =
		await Promise.all([
			import("./sources.ts"),
			import("../engine/catalog.ts"),
			import("../policy/catalogue.ts"),
			import("../engine/validate.ts"),
			import("../model/store-url.ts"),
			import("../model/own-names.ts"),
		]);
	const request = requestOf({ ...(opts.path !== undefined && { path: opts.path }) });
	const artifact = await (await createSource(ctx, request, { cacheDir: "", force: false })).fetch(ctx.signal);
	const now = ctx.clock.now();
	const catalog = loadCatalog(artifact, { actions: createCatalogue(), defaults: null, now });
	const { view, instances } = catalog;
	const [mistake] = mistakesOf(catalog, now);
	if (mistake !== undefined) {
		const { origin, message } = mistake;
		throw new TerminalError(mistake.id, `${origin === null ? "" : `${origin.path}:${origin.line}:${origin.column} `}${message}`, {
			fix: mistake.fix ?? "ecs-access validate says more",
		});
	}
	const account = opts.account === undefined ? view.accounts[0] : view.accounts.find((a) => a.name === opts.account);
	if (account?.accountId == null || (opts.account === undefined && view.accounts.length > 1)) {
		throw new TerminalError(
			"NoAccount",
			account?.accountId == null ? "no Account with an accountId is declared" : "there are several Accounts",
			{
				fix:
					account?.accountId == null
						? "write platform/accounts.yaml"
						: `name one: --account ${view.accounts.map((a) => a.name).join(" | ")}`,
			},
		);
	}
	const { partition, accountId, rolePath } = account;
	const spec = view.ofKind<InstallationSpec>("Installation")[0]?.spec;
	const { installation } = view;
	const names = ownNames(installation);
	const secretArn = (name: string): string =>
		name.startsWith("arn:") ? name : `arn:${partition}:secretsmanager:*:${accountId}:secret:${name}-??????`;
	const rotated = instances
		.filter((i) => i.account === account && i.resource.kind === "SecretRotation")
		.map((i) => i.resource.spec as SecretRotationSpec);
	const own = [spec?.git?.credentialsSecret, spec?.git?.webhookSecret].filter((s) => s !== undefined);
	const admins = rotated.flatMap((r) => r.strategy.oauthClient?.adminSecret ?? []);
	return {
		partition,
		accountId,
		installation,
		rolePath,
		workloadBoundary:
			account.permissionsBoundary ?? `arn:${partition}:iam::${accountId}:policy${names.path}${names.workloadBoundary}`,
		adopted: opts.adopt === true ? await adoptedRoles(catalog, account, now) : [],
		secrets: [...new Set([...rotated.map((r) => r.secret), ...admins, ...own].map(secretArn))],
		tagKeys: [],
		table: spec?.store === undefined ? null : parseStoreUrl(spec.store).table,
		spokes: view.accounts.flatMap((a) => (a.assumeRole === null ? [] : [a.assumeRole.roleArn])),
	};
}

/** Roles that policies take over, and that lie where the controller may not write by its path alone. */
async function adoptedRoles({ view, instances }: Catalog, account: Account, now: string): Promise<readonly string[]> {
	const { expandInstance } = await import("../engine/expand.ts");
	const facts: Facts = { now, get: () => undefined };
	return instances
		.filter((i) => i.account === account)
		.flatMap((i) => expandInstance(i, view, facts).desired)
		.filter(isRole)
		.filter(({ wanted }) => wanted.adopt && !wanted.path.startsWith(account.rolePath))
		.map(({ target, wanted }) => `arn:${account.partition}:iam::${account.accountId}:role${wanted.path}${target.name}`);
}
