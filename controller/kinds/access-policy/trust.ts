import type { Finding } from "../../model/finding.ts";
import type { AdditionalTrustSpec, TrustSpec } from "../../model/generated/specs.ts";
import { interpolate, type Scope } from "../../model/interpolate.ts";
import type { FieldPath, Resource } from "../../model/resource.ts";
import type { ConditionBlock, PolicyDocument, PrincipalMap, Statement } from "../../policy/document.ts";
import { problem } from "../problem.ts";
import { characters, checkConditions } from "../statement-check.ts";
import { type CompileFault, fillConditions } from "../statement-compile.ts";

/**
 * What ECS needs to give a task its role, and no other account or service may use (aws-facts §4.4): the confused-deputy
 * conditions name this account and every region of the workloads.
 */
export function ecsTrust(account: { readonly partition: string; readonly id: string }, regions: readonly string[]): Statement {
	const arns = [...new Set(regions)].sort().map((region) => `arn:${account.partition}:ecs:${region}:${account.id}:*`);
	const [only] = arns;
	return {
		Effect: "Allow",
		Principal: { Service: "ecs-tasks.amazonaws.com" },
		Action: "sts:AssumeRole",
		Condition: {
			StringEquals: { "aws:SourceAccount": account.id },
			ArnLike: { "aws:SourceArn": arns.length === 1 && only !== undefined ? only : arns },
		},
	};
}

/** Adoption alone never changes who may assume a role. */
export function trustMode(trust: TrustSpec | undefined, adopt: boolean): "Generated" | "Preserve" {
	return trust?.mode ?? (adopt ? "Preserve" : "Generated");
}

export function compileTrust(
	trust: TrustSpec | undefined,
	generated: Statement,
	scope: Scope,
): { readonly document: PolicyDocument; readonly faults: readonly CompileFault[] } {
	const faults: CompileFault[] = [];
	const more = (trust?.additional ?? []).map((a, n) => compileAdditional(a, scope, n, faults));
	return { document: { Version: "2012-10-17", Statement: [generated, ...more] }, faults };
}

function compileAdditional(a: AdditionalTrustSpec, scope: Scope, index: number, faults: CompileFault[]): Statement {
	const fill = (text: string, path: FieldPath) => {
		const filled = interpolate(text, scope);
		for (const fault of filled.faults) faults.push({ path: ["additional", index, ...path], fault });
		return filled.text;
	};
	const principals: Record<string, string | readonly string[]> = {};
	for (const type of ["AWS", "Service", "Federated"] as const) {
		const values = a.principals[type]?.map((p, n) => fill(p, ["principals", type, n]));
		if (values !== undefined) principals[type] = scalar(values);
	}
	const condition: ConditionBlock | undefined = fillConditions(a.conditions, fill);
	return {
		...(a.sid === undefined ? {} : { Sid: a.sid }),
		Effect: "Allow",
		Principal: principals satisfies PrincipalMap,
		Action: scalar(a.actions ?? ["sts:AssumeRole"]),
		...(condition === undefined ? {} : { Condition: condition }),
	};
}

function scalar(values: readonly string[]): string | readonly string[] {
	const [only] = values;
	return values.length === 1 && only !== undefined ? only : values;
}

export function checkTrust(r: Resource, path: FieldPath, trust: TrustSpec, adopt: boolean, out: Finding[]): void {
	if (trust.additional !== undefined && trustMode(trust, adopt) === "Preserve") {
		const message = "additional has no meaning where the trust is preserved as it is";
		out.push(problem("InvalidRole", message, r.at([...path, "additional"]), "write mode: Generated, or delete it", r.key));
	}
	trust.additional?.forEach((a, n) => {
		const at = [...path, "additional", n];
		if (a.principals.Federated !== undefined && a.actions === undefined) {
			const message = "a Federated principal needs its actions";
			out.push(problem("MissingField", message, r.at(at), "add actions: [sts:AssumeRoleWithWebIdentity]", r.key));
		}
		checkConditions(r, [...at, "conditions"], a.conditions, out);
		checkPrincipals(r, at, a, out);
		checkSourceArn(r, [...at, "conditions"], a, out);
	});
}

function checkPrincipals(r: Resource, at: FieldPath, a: AdditionalTrustSpec, out: Finding[]): void {
	for (const type of ["AWS", "Service", "Federated"] as const) {
		a.principals[type]?.forEach((p, n) => {
			const here = [...at, "principals", type, n];
			characters(r, here, p, out);
			if (p === "*" && Object.keys(a.conditions ?? {}).length === 0) {
				const message = "the trust would let anybody, in any AWS account, assume the role";
				out.push(problem("PublicTrust", message, r.at(here, "value"), "name an account or a role, or add conditions", r.key));
				return;
			}
			if (p.startsWith("${")) return;
			const ok =
				type === "AWS"
					? p === "*" || /^[0-9]{12}$/.test(p) || p.startsWith("arn:")
					: type === "Service"
						? /^[a-z0-9.-]+$/.test(p)
						: true;
			if (ok) return;
			const fix = type === "AWS" ? "an account id, the ARN of a role or user" : "e.g. ecs-tasks.amazonaws.com";
			out.push(problem("InvalidStatement", `"${p}" is not a principal of type ${type}`, r.at(here, "value"), fix, r.key));
		});
	}
}

/** ECS says `arn:…:ecs:REGION:ACCOUNT:*`; with a cluster in it no task would ever get the role (aws-facts §4.4). */
function checkSourceArn(r: Resource, path: FieldPath, a: AdditionalTrustSpec, out: Finding[]): void {
	if (a.principals.Service?.includes("ecs-tasks.amazonaws.com") !== true) return;
	for (const [operator, keys] of Object.entries(a.conditions ?? {})) {
		for (const [key, value] of Object.entries(keys)) {
			if (key.toLowerCase() !== "aws:sourcearn") continue;
			const values: readonly unknown[] = Array.isArray(value) ? value : [value];
			values.forEach((v, n) => {
				const rest = String(v)
					.replace(/\$\{[^}]*\}/g, "x")
					.split(":")
					.slice(5)
					.join(":");
				if (rest === "*" || rest === "") return;
				const message = `aws:SourceArn "${String(v)}" names more than account and region, which does not work on ECS`;
				const here = [...path, operator, key];
				const place = r.at(Array.isArray(value) ? [...here, n] : here, "value");
				out.push(problem("ClusterScopedTrust", message, place, "end it with :* after the account id", r.key));
			});
		}
	}
}
