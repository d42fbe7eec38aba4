import { isAlready } from "../model/apply-call.ts";
import { ConflictError, TerminalError, WaitingError } from "../model/errors.ts";
import type { AccountId } from "../model/ids.ts";
import { MARK, ownerOf } from "../model/marks.ts";
import { isRoleCall, type RoleCall, type Step, type StepCall } from "../model/plan.ts";
import type { Clock, Outcome, Provider } from "../model/ports.ts";
import type { RoleState } from "../model/target.ts";
import { AwsError, awsCode } from "./errors.ts";
import type { CallAws } from "./operations.ts";
import { type LiveRole, observedRole, roleTarget } from "./role-read.ts";
import { sendStep } from "./role-write.ts";
import type { Roles } from "./roles.ts";
import { whatMoved } from "./what-moved.ts";

export interface IamRoleDeps {
	readonly call: CallAws;
	readonly roles: Roles;
	readonly clock: Clock;
	readonly account: AccountId;
	/** Whose marks are ours. */
	readonly installation: string;
	/** The role we act as, which is never written; null when we are no role. */
	readonly ownRole: string | null;
	/** When a principal was first refused, by role: shared by the passes of a process. */
	readonly refusedSince: Map<string, number>;
}

/** How long a read may lag behind our own write before it counts as somebody else's change. */
const STALE_READS = 5;
const STALE_WAIT_MS = 1_000;
/** Until then "Invalid principal" may mean one that was only just created (aws-facts §1.2; Terraform waits as long). */
const PRINCIPAL_GRACE_MS = 120_000;

export function createIamRoleProvider(deps: IamRoleDeps): Provider<"iam.role"> {
	const { roles, account } = deps;
	return {
		type: "iam.role",
		observe: async (targets, signal) => {
			const live = await roles.many(
				targets.map((t) => t.name),
				signal,
			);
			return targets.map((target, n) => observedRole(target, live[n]));
		},
		listOwned: async function* (installation, signal) {
			const owned = roles.all(
				(role) => (role.Tags ?? []).some((t) => t.Key?.toLowerCase() === MARK.installation && t.Value === installation),
				signal,
			);
			for await (const role of owned) yield observedRole(roleTarget(account, role.name), role);
		},
		apply: (step, signal) => apply(step, deps, signal),
	};
}

async function apply(step: Step, deps: IamRoleDeps, signal: AbortSignal): Promise<Outcome> {
	const { call } = step;
	if (call.api === "none") return { result: "already", requestId: null };
	if (!isRoleCall(call)) throw new TerminalError("Refused", `will not ${call.api}: ${step.target.name} is a role`);
	const { name } = step.target;
	checkStep(step, call, deps);
	const live = await readBeforeWrite(step, deps, signal);
	if (live !== undefined) checkWritable(live);
	if ((live?.fingerprint ?? null) !== step.precondition) {
		if (isAlready(live?.state ?? null, call)) return { result: "already", requestId: null };
		throw new ConflictError(conflict(step, live, deps.roles));
	}
	checkOwned(step, call, live, deps.installation);
	try {
		const { requestId, arn } = await sendStep(deps.call, call, signal);
		deps.roles.wrote(name, call, arn);
		deps.refusedSince.delete(name);
		return { result: "applied", requestId };
	} catch (error) {
		return settleFailure(error, step, live, deps, signal);
	}
}

/** A read that still shows the state before our own last write is waited out; any other difference is a fact. */
async function readBeforeWrite(step: Step, deps: IamRoleDeps, signal: AbortSignal): Promise<LiveRole | undefined> {
	const { name } = step.target;
	let live = await deps.roles.forWrite(name, signal);
	for (let n = 0; n < STALE_READS; n++) {
		const stale = deps.roles.beforeOurWrite(name);
		const fingerprint = live?.fingerprint ?? null;
		if (fingerprint === step.precondition || stale === undefined || fingerprint !== stale) break;
		await deps.clock.sleep(STALE_WAIT_MS, signal);
		live = await deps.roles.reread(name, signal);
	}
	return live;
}

/**
 * The write failed, or its answer was lost; the role itself says which. A lost answer also looks like EntityAlreadyExists
 * or NoSuchEntity, when the SDK sent the call again (moto-facts §9).
 */
async function settleFailure(
	error: unknown,
	step: Step,
	before: LiveRole | undefined,
	deps: IamRoleDeps,
	signal: AbortSignal,
): Promise<Outcome> {
	const { name } = step.target;
	if (error instanceof WaitingError && error.reason === "InvalidPrincipal") throw principalError(error, name, deps);
	const code = awsCode(error);
	const asIfDone = code === "EntityAlreadyExists" || code === "NoSuchEntity";
	if (!asIfDone && !(error instanceof AwsError)) throw error;
	const now = await deps.roles.reread(name, signal);
	if (now?.unreadable == null && isAlready(now?.state ?? null, step.call)) {
		return { result: asIfDone ? "already" : "applied", requestId: null };
	}
	if (code === "NoSuchEntity" && (now?.fingerprint ?? null) === (before?.fingerprint ?? null)) {
		// The role is as it was: what is missing is the policy that the call names.
		throw new TerminalError("NoSuchPolicy", error instanceof Error ? error.message : String(error), {
			cause: error,
			fix: "create the managed policy first, or take it out of git",
		});
	}
	if (code === "EntityAlreadyExists" && now === undefined) {
		// aws-facts §2: names are unique whatever their case, and are read by their own spelling alone.
		throw new TerminalError("NameTaken", `cannot create role ${name}: a role of that name in other capitals exists`, {
			cause: error,
			fix: "write its name as IAM has it, with adopt: true, or give this role another name",
		});
	}
	if (asIfDone) throw new ConflictError(conflict(step, now, deps.roles), { cause: error });
	throw error;
}

function principalError(error: WaitingError, name: string, deps: IamRoleDeps): Error {
	const since = deps.refusedSince.get(name) ?? deps.clock.millis();
	deps.refusedSince.set(name, since);
	if (deps.clock.millis() - since < PRINCIPAL_GRACE_MS) return error;
	return new TerminalError("InvalidPrincipal", error.message, {
		cause: error,
		fix: "a principal in the trust policy does not exist: create it, or correct its ARN in git",
	});
}

/** What no plan of ours may ask for. A step that fails here comes from a forged plan or a mistake of this program. */
function checkStep(step: Step, call: Exclude<RoleCall, { api: "none" }>, deps: IamRoleDeps): void {
	const { target } = step;
	const refuse = (why: string): never => {
		throw new TerminalError("Refused", `will not ${call.api} on role ${target.name} in ${target.account}: ${why}`);
	};
	if (step.state !== "ready") refuse("the step waits");
	if (target.type !== "iam.role" || target.account !== deps.account) refuse(`this is account ${deps.account}`);
	if (call.input.RoleName !== target.name) refuse(`the call names role ${call.input.RoleName}`);
	if (deps.ownRole !== null && target.name.toLowerCase() === deps.ownRole.toLowerCase()) refuse("it is the role we act as");
	if (call.api === "iam:CreateRole" && ownerOf(call.input.Tags)?.installation !== deps.installation) {
		refuse("it would be created without our mark");
	}
}

function checkWritable(live: LiveRole): void {
	if (/^\/aws-(service-role|reserved)\//.test(live.state.path)) {
		throw new TerminalError("Refused", `will not touch role ${live.arn}: it is reserved for AWS`);
	}
	if (live.unreadable !== null) {
		throw new TerminalError("UnreadableDocument", `will not write to role ${live.arn}: ${live.unreadable}`, {
			fix: "replace or remove that document by hand, then plan again",
		});
	}
}

/** Without our mark only what adopts, or what sets the mark itself (ARCHITECTURE.md, Ownership). */
function checkOwned(step: Step, call: StepCall, live: LiveRole | undefined, installation: string): void {
	if (live === undefined) return;
	const owner = ownerOf(live.state.tags);
	if (owner?.installation === installation) return;
	if (owner !== null) {
		throw new TerminalError(
			"NotOurs",
			`role ${live.arn} is marked by installation "${owner.installation}", not by "${installation}"`,
			{
				fix: "let that installation forget it first, or take the role out of git",
			},
		);
	}
	const marks = call.api === "iam:TagRole" && ownerOf(call.input.Tags)?.installation === installation;
	if (step.why === "adopted" || marks) return;
	throw new TerminalError("NotOurs", `role ${live.arn} does not bear our mark`, {
		fix: "adopt: true in its policy takes it over",
	});
}

function conflict(step: Step, live: LiveRole | undefined, roles: Roles): string {
	const { name } = step.target;
	if (live === undefined) return `role ${name} is gone since it was planned: plan again`;
	if (step.precondition === null) return `role ${live.arn} exists already, and not as planned: plan again`;
	const planned: RoleState | undefined = roles.seen(name, step.precondition);
	const moved = planned === undefined ? [] : whatMoved(planned, live.state);
	return `role ${live.arn} has changed since it was planned${moved.length === 0 ? "" : ` (${moved.join(", ")})`}: plan again`;
}
