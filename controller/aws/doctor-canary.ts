import type { Account } from "../model/account.ts";
import { type CanaryRole, DOCTOR_SOURCE, type TriedCall } from "../model/doctor.ts";
import { TerminalError } from "../model/errors.ts";
import { MARK } from "../model/marks.ts";
import type { PermittedAction } from "../model/permissions.ts";
import { awsCode } from "./errors.ts";
import type { CallAws } from "./operations.ts";
import { outcomeOf } from "./outcome.ts";

/** Nobody may become it, whatever else is allowed anywhere. */
const TRUST = JSON.stringify({
	Version: "2012-10-17",
	Statement: [{ Effect: "Deny", Principal: { AWS: "*" }, Action: "sts:AssumeRole" }],
});
const NOTHING = JSON.stringify({ Version: "2012-10-17", Statement: [{ Effect: "Deny", Action: "*", Resource: "*" }] });
const POLICY = "ecs-access-canary";
/** What changes, and so makes the event. */
const NONCE = "ecs-access.dev/canary";

export function createCanaryRole(call: CallAws, account: Account): CanaryRole {
	/** Null: there is none. */
	const tagsOf = async (RoleName: string, signal: AbortSignal): Promise<ReadonlyMap<string, string> | null> => {
		try {
			const { Role } = await call("iam:GetRole", "global", { RoleName }, signal);
			return new Map((Role?.Tags ?? []).map((t) => [(t.Key ?? "").toLowerCase(), t.Value ?? ""]));
		} catch (error) {
			if (awsCode(error) === "NoSuchEntity") return null;
			throw error;
		}
	};
	const checkOurs = (name: string, tags: ReadonlyMap<string, string>): void => {
		if (tags.get(MARK.source) === DOCTOR_SOURCE) return;
		throw new TerminalError("CanaryTaken", `role ${name} exists and bears no mark of doctor: it is left alone`, {
			fix: "delete or rename it, or run doctor without --canary",
		});
	};
	return {
		make: async (RoleName, signal) => {
			const found = await tagsOf(RoleName, signal);
			if (found !== null) checkOurs(RoleName, found);
			const arn = `arn:${account.partition}:iam::${account.accountId}:role${account.rolePath}${RoleName}`;
			if (found !== null) return arn;
			const input = {
				RoleName,
				Path: account.rolePath,
				AssumeRolePolicyDocument: TRUST,
				Description: "Made by ecs-access doctor --canary; nobody can assume it; may be deleted",
				Tags: [{ Key: MARK.source, Value: DOCTOR_SOURCE }],
				...(account.permissionsBoundary !== null && { PermissionsBoundary: account.permissionsBoundary }),
			};
			return (await call("iam:CreateRole", "global", input, signal)).Role?.Arn ?? arn;
		},
		tag: async (RoleName, Value, signal) => {
			await call("iam:TagRole", "global", { RoleName, Tags: [{ Key: NONCE, Value }] }, signal);
		},
		tryWrites: async (RoleName, signal) => {
			const tried: TriedCall[] = [];
			const attempt = async (action: PermittedAction, work: () => Promise<unknown>): Promise<void> => {
				try {
					await work();
					tried.push({ action, outcome: "allowed", said: null });
				} catch (error) {
					if (signal.aborted) throw error;
					tried.push({ action, ...outcomeOf(error) });
				}
			};
			const policy = { RoleName, PolicyName: POLICY };
			await attempt("iam:UpdateAssumeRolePolicy", () =>
				call("iam:UpdateAssumeRolePolicy", "global", { RoleName, PolicyDocument: TRUST }, signal),
			);
			await attempt("iam:PutRolePolicy", () =>
				call("iam:PutRolePolicy", "global", { ...policy, PolicyDocument: NOTHING }, signal),
			);
			await attempt("iam:DeleteRolePolicy", () => call("iam:DeleteRolePolicy", "global", policy, signal));
			await attempt("iam:UntagRole", () => call("iam:UntagRole", "global", { RoleName, TagKeys: [NONCE] }, signal));
			return tried;
		},
		remove: async (RoleName, signal) => {
			const found = await tagsOf(RoleName, signal);
			if (found === null) return;
			checkOurs(RoleName, found);
			await call("iam:DeleteRolePolicy", "global", { RoleName, PolicyName: POLICY }, signal).catch(unlessGone);
			await call("iam:DeleteRole", "global", { RoleName }, signal).catch(unlessGone);
		},
	};
}

function unlessGone(error: unknown): void {
	if (awsCode(error) !== "NoSuchEntity") throw error;
}
