import type { Arn, Region } from "../../model/ids.ts";
import { partitionOf } from "../../model/partition.ts";
import type { LogTarget } from "../../model/reference.ts";
import { parseSecretRef } from "../../model/secret-ref.ts";

/**
 * One thing that ECS must reach before containers start. `resource` is an ARN as a policy names it: of a secret whose
 * last characters are not known it ends in `-??????` (aws-facts §4.3); of a log group it has no `:*`.
 */
export interface Need {
	readonly type: NeedType;
	readonly resource: string;
}

/** `key`: a KMS key; `alias`: one that is known by its alias only; `file`: an object in S3. */
const TYPES = ["image", "logs", "createLogs", "secret", "parameter", "file", "key", "alias"] as const;
export type NeedType = (typeof TYPES)[number];

/** Where a task runs. */
export interface TaskPlace {
	readonly account: string;
	readonly region: Region;
}

const ARN = "arn:aws[a-z-]*";
const AT = "[a-z0-9-]+:[0-9]{12}";
/**
 * What each may look like. Whoever registers a task definition writes these texts, ECS checks few of them, and they come to
 * stand in a policy: no wildcard and no variable gets through.
 */
const SHAPES: Readonly<Record<NeedType, RegExp>> = {
	image: new RegExp(`^${ARN}:ecr:${AT}:repository/[a-z0-9][a-z0-9._/-]*$`),
	logs: new RegExp(`^${ARN}:logs:${AT}:log-group:[A-Za-z0-9_./#-]{1,512}$`),
	createLogs: new RegExp(`^${ARN}:logs:${AT}:log-group:[A-Za-z0-9_./#-]{1,512}$`),
	secret: new RegExp(String.raw`^${ARN}:secretsmanager:${AT}:secret:[A-Za-z0-9/_+=.@-]+(?:-\?{6})?$`),
	parameter: new RegExp(`^${ARN}:ssm:${AT}:parameter/[A-Za-z0-9_./-]+$`),
	file: new RegExp(`^${ARN}:s3:::[a-z0-9][a-z0-9.-]*/[A-Za-z0-9!_.()/=@:+,-]+$`),
	key: new RegExp(`^${ARN}:kms:${AT}:key/[A-Za-z0-9-]+$`),
	alias: new RegExp(`^${ARN}:kms:${AT}:alias/[A-Za-z0-9/_-]+$`),
};

/** Null: it does not look like one, or holds what must not stand in a policy. */
export function need(type: NeedType, resource: string): Need | null {
	return SHAPES[type].test(resource) ? { type, resource } : null;
}

/** As it is remembered: `image arn:…`. */
export function needText({ type, resource }: Need): string {
	return `${type} ${resource}`;
}

export function parseNeed(text: string): Need | null {
	const space = text.indexOf(" ");
	const type = TYPES.find((t) => t === text.slice(0, space));
	return type === undefined ? null : need(type, text.slice(space + 1));
}

/** Hosts of private registries: `ID.dkr.ecr.REGION.amazonaws.com`, with `-fips`, and the dual-stack ones below on.aws. */
const ECR_HOST = /^([0-9]{12})\.dkr[.-]ecr(?:-fips)?\.([a-z0-9-]+)\.(?:amazonaws\.com|amazonaws\.com\.cn|amazonaws\.eu|on\.aws)$/;

/** The private repository that an image is pulled from; null: it lies elsewhere, and needs nothing of the role. */
export function imageNeed(image: string): Need | null {
	const slash = image.indexOf("/");
	const host = ECR_HOST.exec(image.slice(0, Math.max(0, slash)));
	if (host === null) return null;
	const [, account = "", region = ""] = host;
	const repository = image
		.slice(slash + 1)
		.replace(/@.*$/, "")
		.replace(/:[^/]*$/, "");
	return need("image", `arn:${partitionOf(region)}:ecr:${region}:${account}:repository/${repository}`);
}

/** Null in the place of what is no log group. */
export function logNeeds(log: LogTarget, { account, region }: TaskPlace): readonly (Need | null)[] {
	const at = log.region ?? region;
	const resource = `arn:${partitionOf(at)}:logs:${at}:${account}:log-group:${log.group}`;
	return [need("logs", resource), ...(log.create ? [need("createLogs", resource)] : [])];
}

/** Secrets Manager appends a dash and six characters to the name (aws-facts §4.3). */
const SUFFIX = /-[A-Za-z0-9]{6}$/;

/** The secret or parameter behind a `valueFrom`; null: it is neither. */
export function secretNeed(valueFrom: string, { account, region }: TaskPlace): Need | null {
	const parts = parseSecretRef(valueFrom);
	if (parts === null) return null;
	const at = `${parts.region ?? region}:${parts.account ?? account}`;
	const partition = parts.partition ?? partitionOf(parts.region ?? region);
	if (parts.store === "parameter") return need("parameter", `arn:${partition}:ssm:${at}:parameter/${parts.name}`);
	return need("secret", wholeSecret(`arn:${partition}:secretsmanager:${at}:secret:${parts.name}`));
}

/** Of an ARN that may lack the end. */
export function wholeSecret(arn: Arn): string {
	return SUFFIX.test(arn) ? arn : `${arn}-??????`;
}

/** The key of a secret as Secrets Manager names it: an id, an ARN, or an alias with or without one. */
export function keyNeed(key: string, secret: string): Need | null {
	const [, partition = "", , region = "", account = ""] = secret.split(":");
	const arn = key.startsWith("arn:")
		? key
		: `arn:${partition}:kms:${region}:${account}:${key.startsWith("alias/") ? key : `key/${key}`}`;
	return need("key", arn) ?? need("alias", arn);
}
