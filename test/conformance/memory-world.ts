import { applyCall, isAlready } from "../../controller/model/apply-call.ts";
import { ConflictError, TerminalError } from "../../controller/model/errors.ts";
import { roleFingerprint } from "../../controller/model/fingerprint.ts";
import { holdOf, ownerOf } from "../../controller/model/marks.ts";
import { isRoleCall, type Step } from "../../controller/model/plan.ts";
import type { Outcome, Provider } from "../../controller/model/ports.ts";
import type { Observed, RoleState, Target } from "../../controller/model/target.ts";

/** Roles of one account in memory, behind the same port as those in AWS: for properties that need thousands of worlds. */
export interface MemoryWorld {
	readonly account: string;
	readonly installation: string;
	/** By name; what is put here was put by somebody. */
	readonly roles: Map<string, RoleState>;
	/** Writes carried out, in order. */
	readonly written: Step[];
	readonly provider: () => Provider<"iam.role">;
	/** Called before each write; what it throws, the write throws. With `lost`, the write is carried out first. */
	fail: ((step: Step, n: number) => { readonly error: Error; readonly lost: boolean } | undefined) | undefined;
}

export function createMemoryWorld(account: string, installation: string): MemoryWorld {
	const roles = new Map<string, RoleState>();
	const written: Step[] = [];
	const world: MemoryWorld = {
		account,
		installation,
		roles,
		written,
		fail: undefined,
		provider: () => ({
			type: "iam.role",
			observe: async (targets) => targets.map((t) => observed(t, roles.get(t.name))),
			listOwned: async function* (wanted) {
				for (const [name, state] of roles) {
					if (ownerOf(state.tags)?.installation === wanted)
						yield observed({ type: "iam.role", account, region: "global", name }, state);
				}
			},
			apply: async (step) => apply(world, step),
		}),
	};
	return world;
}

function apply(world: MemoryWorld, step: Step): Outcome {
	const { call, target } = step;
	if (call.api === "none") return { result: "already", requestId: null };
	if (!isRoleCall(call)) throw new TerminalError("Refused", `will not ${call.api}: this world holds roles`);
	const refuse = (reason: string): never => {
		throw new TerminalError(reason, `will not ${call.api} on role ${target.name}`);
	};
	if (step.state !== "ready" || target.account !== world.account || call.input.RoleName !== target.name) refuse("Refused");
	if (call.api === "iam:CreateRole" && ownerOf(call.input.Tags)?.installation !== world.installation) refuse("Refused");
	const state = world.roles.get(target.name) ?? null;
	if ((state === null ? null : roleFingerprint(state)) !== step.precondition) {
		if (isAlready(state, call)) return { result: "already", requestId: null };
		throw new ConflictError(`role ${target.name} has changed since it was planned: plan again`);
	}
	const owner = state === null ? null : ownerOf(state.tags);
	if (state !== null && owner?.installation !== world.installation) {
		const marks = call.api === "iam:TagRole" && ownerOf(call.input.Tags)?.installation === world.installation;
		if (owner !== null || !(step.why === "adopted" || marks)) refuse("NotOurs");
	}
	const failure = world.fail?.(step, world.written.length);
	if (failure !== undefined && !failure.lost) throw failure.error;
	if (call.api === "iam:DeleteRole" && state !== null && Object.keys(state.inline).length + state.managedPolicies.length > 0) {
		throw new TerminalError("DeleteConflict", `role ${target.name} still has policies`);
	}
	const after = applyCall(state, call);
	if (after === null) world.roles.delete(target.name);
	else world.roles.set(target.name, after);
	world.written.push(step);
	if (failure !== undefined) throw failure.error;
	return { result: "applied", requestId: null };
}

function observed(target: Target<"iam.role">, state: RoleState | undefined): Observed<"iam.role"> {
	if (state === undefined) return { target, exists: false };
	return {
		target,
		exists: true,
		arn: `arn:aws:iam::${target.account}:role${state.path}${target.name}`,
		state,
		fingerprint: roleFingerprint(state),
		owner: ownerOf(state.tags),
		holdUntil: holdOf(state.tags),
		lastUsed: null,
	};
}
