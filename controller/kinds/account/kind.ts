import type { Finding } from "../../model/finding.ts";
import type { AccountSpec } from "../../model/generated/specs.ts";
import { partitionOf } from "../../model/partition.ts";
import type { FieldPath, Resource } from "../../model/resource.ts";
import { inertKind } from "../inert.ts";
import { problem } from "../problem.ts";
import { characters } from "../statement-check.ts";

export const account = inertKind<AccountSpec>({
	kind: "Account",
	plural: "accounts",
	platform: true,
	check: (r, c) => {
		const out: Finding[] = [];
		const twin = c.ofKind<AccountSpec>("Account").find((a) => a !== r && a.spec.accountId === r.spec.accountId);
		if (twin !== undefined) {
			const message = `account ${r.spec.accountId} is also Account "${twin.metadata.name}" in ${twin.origin.path}:${twin.origin.line}`;
			out.push(
				problem("DuplicateAccount", message, r.at(["spec", "accountId"], "value"), "one Account, with several regions", r.key),
			);
		}
		checkRegions(r, out);
		sameAccount(r, ["spec", "permissionsBoundary"], r.spec.permissionsBoundary, out);
		sameAccount(r, ["spec", "assumeRole", "roleArn"], r.spec.assumeRole?.roleArn, out);
		for (const [name, value] of Object.entries(r.spec.vars ?? {})) {
			characters(r, ["spec", "vars", name], value, out);
			if (/^[A-Za-z][A-Za-z0-9_-]*$/.test(name)) continue;
			const message = `variable name "${name}" cannot be interpolated`;
			out.push(problem("InvalidValue", message, r.at(["spec", "vars", name]), "a letter, then letters, digits, _ and -", r.key));
		}
		return out;
	},
});

function checkRegions(r: Resource<AccountSpec>, out: Finding[]): void {
	const { region, regions } = r.spec;
	if (regions === undefined) return;
	if (!regions.includes(region)) {
		const message = `region "${region}" is not among regions: ${regions.join(", ")}`;
		out.push(problem("UnknownRegion", message, r.at(["spec", "regions"]), `add ${region}`, r.key));
	}
	regions.forEach((other, n) => {
		if (partitionOf(other) === partitionOf(region)) return;
		const message = `region "${other}" is in partition ${partitionOf(other)}, "${region}" is in ${partitionOf(region)}`;
		out.push(problem("UnknownRegion", message, r.at(["spec", "regions", n], "value"), "an account lies in one partition", r.key));
	});
}

function sameAccount(r: Resource<AccountSpec>, path: FieldPath, arn: string | undefined, out: Finding[]): void {
	const owner = arn?.split(":")[4];
	if (owner === undefined || owner === "aws" || owner === r.spec.accountId) return;
	const message = `${arn} is in account ${owner}, not in ${r.spec.accountId}`;
	out.push(problem("OutsideAccount", message, r.at(path, "value"), "correct one of them", r.key));
}
