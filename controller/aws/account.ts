import type { Account, Caller } from "../model/account.ts";
import { TerminalError } from "../model/errors.ts";
import type { Region } from "../model/ids.ts";
import type { Outside } from "../model/oauth-client.ts";
import type { AccountAccess, Clock, Provider } from "../model/ports.ts";
import type { TargetType } from "../model/target.ts";
import { parseArn, roleNameOf } from "./arn.ts";
import { createBindingWriter } from "./binding-write.ts";
import { type Calls, createCalls, type ObserveCall } from "./call.ts";
import { type Credentials, createClients } from "./clients.ts";
import { assumedCredentials, sessionName } from "./credentials.ts";
import { discover } from "./discover.ts";
import { createEcsFamilyProvider } from "./ecs-family.ts";
import { createEcsServiceProvider } from "./ecs-service.ts";
import { createIamRoleProvider } from "./iam-role.ts";
import { createInUse } from "./in-use.ts";
import { createManagedPolicies } from "./managed-policy.ts";
import { resolveReferences } from "./resolver.ts";
import { createRoles } from "./roles.ts";
import { readSchedules, type Schedules } from "./schedules.ts";
import { createSecretProvider } from "./secret-target.ts";
import { type AwsShared, createAwsShared } from "./shared.ts";
import { createTaskDefinitions } from "./task-definition.ts";
import { createTriggerProviders } from "./trigger-targets.ts";

export interface AccountAccessOptions {
	readonly account: Account;
	/** Whose marks are ours: the name of the Installation. */
	readonly installation: string;
	/** Both go into the user agent, which CloudTrail records. */
	readonly reconcileId: string;
	readonly revision: string;
	/** Of this program. */
	readonly version: string;
	readonly clock: Clock;
	/**
	 * Where task definitions and policy versions are kept, which never change in AWS; null: nowhere. A sandbox that starts
	 * over gives out the same names again, so its cache must not outlive it.
	 */
	readonly cacheDir: string | null;
	/** Default: of its own, for one pass. */
	readonly shared?: AwsShared;
	readonly progress?: (p: ReadProgress) => void;
	/** 0 to below 1, for the jitter of retries. */
	readonly random?: () => number;
	/** Milliseconds, see clients.ts. */
	readonly requestTimeout?: number;
	/** For reading alone, of an account that may be large: see roles.ts. */
	readonly lean?: boolean;
	/** Told of every call, for metrics. */
	readonly observeCall?: ObserveCall;
	/** Identity providers, and addresses that are asked; absent: a step that needs them is refused. */
	readonly outside?: Outside;
}

const NOTHING_OUTSIDE: Outside = {
	oauthClient: () => {
		throw new TerminalError("NoOutside", "this process reaches no identity provider");
	},
	checkHttp: async () => {
		throw new TerminalError("NoOutside", "this process asks no address");
	},
};

export interface ReadProgress {
	readonly reading: "roles" | "services";
	readonly done: number;
}

/**
 * One account behind one credential, for one pass. Nothing is asked of AWS before the first method is called, and nothing
 * but the caller's identity before that is known to be the declared account (TerminalError `AccountMismatch`).
 */
export function createAccountAccess(options: AccountAccessOptions): AccountAccess {
	const { account, clock } = options;
	const shared = options.shared ?? createAwsShared(clock);
	let caller: Caller | undefined;
	const { base, acting, credentials } = accountCalls(options, shared, () => caller);
	const { call } = acting;
	const read = { roles: () => 0, services: 0 };
	const tell = (reading: ReadProgress["reading"], done: number): void => options.progress?.({ reading, done });
	const countServices = (n: number): void => {
		read.services += n;
		tell("services", read.services);
	};

	const identify = async (signal: AbortSignal): Promise<Caller> => {
		// Where there are none the question itself says so, in AWS's words and ours.
		const accessKeyId = await credentials().then(
			(c) => c.accessKeyId,
			() => null,
		);
		const known = accessKeyId === null ? undefined : shared.identities.get(accessKeyId);
		if (known !== undefined && (account.accountId === null || known.accountId === account.accountId)) {
			caller = known;
			return known;
		}
		const identity = await call("sts:GetCallerIdentity", account.region, {}, signal);
		const { Account: accountId = "", Arn: arn = "" } = identity;
		if (account.accountId !== null && accountId !== account.accountId) {
			throw new TerminalError(
				"AccountMismatch",
				`account ${account.name} is declared as ${account.accountId}, but these credentials are of ${accountId} (${arn})`,
				{ fix: "use credentials of that account (AWS_PROFILE, or assumeRole in the Account), or correct accountId" },
			);
		}
		const partition = parseArn(arn)?.partition ?? account.partition;
		caller = { accountId, arn, partition, alias: null };
		caller = { ...caller, alias: await alias(signal) };
		if (accessKeyId !== null) shared.identities.set(accessKeyId, caller);
		return caller;
	};
	/** Nice to have: whoever may not read it goes on without. */
	const alias = async (signal: AbortSignal): Promise<string | null> => {
		try {
			return (await call("iam:ListAccountAliases", "global", {}, signal)).AccountAliases?.[0] ?? null;
		} catch {
			signal.throwIfAborted();
			return null;
		}
	};

	const regions = (): readonly Region[] => {
		const all = account.regions.length > 0 ? account.regions : account.region === null ? [] : [account.region];
		if (all.length === 0) {
			throw new TerminalError("NoRegion", `account ${account.name} has no region`, {
				fix: "set AWS_REGION, or region in the Account",
			});
		}
		return all;
	};

	const parts = (who: Caller) => {
		const roles = createRoles({ call, clock, progress: (done) => tell("roles", done), lean: options.lean === true });
		const { accountId, partition } = who;
		const { cacheDir } = options;
		const taskDefinitions = createTaskDefinitions({ call, roles, account: accountId, partition, cacheDir });
		const policies = createManagedPolicies({ call, account: accountId, cacheDir });
		const schedules = (region: Region, signal: AbortSignal): Promise<Schedules> => readSchedules(call, region, signal);
		read.roles = roles.count;
		const bind = createBindingWriter({
			call,
			clock,
			account: accountId,
			taskDefinitions,
			memory: shared.rotations,
			services: () => providers["ecs.service"],
			families: () => providers["ecs.family"],
		});
		const providers: { readonly [T in TargetType]: Provider<T> } = {
			"iam.role": createIamRoleProvider({
				call,
				roles,
				clock,
				account: accountId,
				installation: options.installation,
				ownRole: roleNameOf(who.arn) ?? null,
				refusedSince: shared.refusedSince,
			}),
			"ecs.service": createEcsServiceProvider({ call, taskDefinitions, bind, read: countServices }),
			"ecs.family": createEcsFamilyProvider({ taskDefinitions, bind }),
			"secretsmanager.secret": createSecretProvider({
				call,
				clock,
				account: accountId,
				outside: options.outside ?? NOTHING_OUTSIDE,
				memory: shared.rotations,
			}),
			...createTriggerProviders({ call, clock, account: accountId, installation: options.installation }),
		};
		return {
			providers,
			resolver: {
				account: accountId,
				roles,
				policies,
				revisions: { call, taskDefinitions },
				passers: { roles, policies, schedules, caller: who, accountName: account.name },
				consumers: {
					call,
					clock,
					account: accountId,
					taskDefinitions,
					schedules,
					memory: shared.rotations,
					services: () => providers["ecs.service"],
				},
			},
			inUse: createInUse({ call, clock, taskDefinitions, schedules, regions: regions() }),
			discover: { call, taskDefinitions, schedules, regions: regions(), read: countServices },
		};
	};

	let identified: Promise<Caller> | undefined;
	const who = (signal: AbortSignal): Promise<Caller> => {
		identified ??= identify(signal).catch((error: unknown) => {
			identified = undefined;
			throw error;
		});
		return identified;
	};
	let opened: ReturnType<typeof parts> | undefined;
	const open = async (signal: AbortSignal): Promise<ReturnType<typeof parts>> => {
		const known = await who(signal);
		opened ??= parts(known);
		return opened;
	};
	const guarded = <T extends TargetType>(type: T): Provider<T> => ({
		type,
		observe: async (targets, signal) => (await open(signal)).providers[type].observe(targets, signal),
		apply: async (step, signal) => (await open(signal)).providers[type].apply(step, signal),
		listOwned: async function* (installation, signal) {
			yield* (await open(signal)).providers[type].listOwned(installation, signal);
		},
	});
	return {
		account,
		caller: who,
		provider: guarded,
		resolve: async (refs, signal) => (refs.length === 0 ? [] : resolveReferences(refs, (await open(signal)).resolver, signal)),
		inUse: async (roleName, signal) => (await open(signal)).inUse(roleName, signal),
		readAgain: () => {
			identified = undefined;
			shared.identities.clear();
			opened?.resolver.roles.readAgain();
		},
		discover: async (filter, signal) => discover(filter, (await open(signal)).discover, signal),
		counts: () => ({
			calls: [...new Set([base, acting])].flatMap((c) => [...c.counts().values()]).reduce((sum, n) => sum + n, 0),
			roles: read.roles(),
			services: read.services,
		}),
	};
}

/** The calls by which an account is worked in: `base` by the environment's own credentials, `acting` as the Account says. */
export function accountCalls(
	options: Omit<AccountAccessOptions, "installation" | "cacheDir">,
	shared: AwsShared,
	caller: () => Caller | undefined,
): { readonly base: Calls; readonly acting: Calls; readonly credentials: () => Promise<Credentials> } {
	const { account, clock } = options;
	const userAgent = userAgentOf(options);
	const callsWith = (credentials: () => Promise<Credentials>) =>
		createCalls({
			clients: createClients({
				credentials,
				agents: shared.agents,
				partition: account.partition,
				region: account.region,
				userAgent,
				...(options.requestTimeout !== undefined && { requestTimeout: options.requestTimeout }),
			}),
			limiter: shared.limiter(account.accountId ?? account.name),
			clock,
			random: options.random ?? Math.random,
			account: () => caller()?.accountId ?? account.accountId,
			caller: () => caller()?.arn ?? null,
			rolePath: account.rolePath,
			...(options.observeCall !== undefined && { observeCall: options.observeCall }),
		});
	const { assumeRole } = account;
	const base = callsWith(shared.credentials);
	const credentials =
		assumeRole === null
			? shared.credentials
			: shared.assumed(`${account.name} ${assumeRole.roleArn} ${assumeRole.externalId ?? ""}`, () =>
					assumedCredentials(base.call, assumeRole, sessionName(options.reconcileId), account.region),
				);
	const acting = assumeRole === null ? base : callsWith(credentials);
	return { base, acting, credentials };
}

export function userAgentOf(options: Pick<AccountAccessOptions, "version" | "reconcileId" | "revision">): [string, string][] {
	return [
		["ecs-access", options.version],
		["reconcile", options.reconcileId],
		["revision", options.revision],
	];
}
