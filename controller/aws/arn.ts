import type { Arn } from "../model/ids.ts";

export interface ArnParts {
	readonly partition: string;
	readonly service: string;
	readonly region: string;
	readonly account: string;
	readonly resource: string;
}

/** Undefined when it is not an ARN. */
export function parseArn(arn: string): ArnParts | undefined {
	const [head, partition, service, region, account, ...rest] = arn.split(":");
	if (head !== "arn" || partition === undefined || service === undefined || rest.length === 0) return undefined;
	return { partition, service, region: region ?? "", account: account ?? "", resource: rest.join(":") };
}

/**
 * The role behind an ARN of IAM or of a session of it: `role/ecs-access/orders` and `assumed-role/orders/session` are
 * both `orders`, since a session's ARN drops the path (aws-facts §1.2). Undefined for anything else.
 */
export function roleNameOf(arn: Arn): string | undefined {
	const parts = parseArn(arn);
	if (parts === undefined) return undefined;
	const [kind, ...path] = parts.resource.split("/");
	if (parts.service === "iam" && kind === "role") return path.at(-1);
	if (parts.service === "sts" && kind === "assumed-role") return path[0];
	return undefined;
}

/** The last part of an ECS ARN or a name as it is: `arn:…:cluster/prod` and `prod` are both `prod`. */
export function lastSegment(arnOrName: string): string {
	return arnOrName.slice(arnOrName.lastIndexOf("/") + 1);
}
