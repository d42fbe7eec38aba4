import { list } from "../../policy/canonical.ts";
import type { PolicyDocument, Statement } from "../../policy/document.ts";
import { type Need, type NeedType, need } from "./derived-needs.ts";

/** What pulling takes; GetAuthorizationToken has no resource type (Service Authorization Reference, ECR). */
const PULL = ["ecr:BatchCheckLayerAvailability", "ecr:BatchGetImage", "ecr:GetDownloadUrlForLayer"];
const LOG = ["logs:CreateLogStream", "logs:PutLogEvents"];

/**
 * The least that covers the needs: exact resources, and keys only for what Secrets Manager and Parameter Store decrypt for
 * the role (aws-facts §4.3; Amazon ECS Developer Guide, task execution IAM role). The same needs give the same statements.
 */
export function statementsFor(needs: readonly Need[]): readonly Statement[] {
	const of = (type: NeedType): readonly string[] =>
		[...new Set(needs.filter((n) => n.type === type).map((n) => n.resource))].sort();
	const images = of("image");
	const groups = of("createLogs");
	const files = of("file");
	const buckets = [...new Set(files.map((f) => f.slice(0, f.indexOf("/"))))];
	return [
		...allow("LogInToRegistries", ["ecr:GetAuthorizationToken"], images.length === 0 ? [] : ["*"]),
		...allow("PullImages", PULL, images),
		...allow(
			"CreateLogGroups",
			["logs:CreateLogGroup"],
			groups.flatMap((g) => [g, `${g}:*`]),
		),
		...allow(
			"WriteLogs",
			LOG,
			of("logs").map((g) => `${g}:*`),
		),
		...allow("ReadSecrets", ["secretsmanager:GetSecretValue"], of("secret")),
		...allow("ReadParameters", ["ssm:GetParameters"], of("parameter")),
		...decrypt(of("key"), of("alias")),
		...allow("ReadFiles", ["s3:GetObject"], files),
		...allow("FindBuckets", ["s3:GetBucketLocation"], buckets),
	];
}

function allow(sid: string, actions: readonly string[], resources: readonly string[]): readonly Statement[] {
	return resources.length === 0 ? [] : [{ Sid: sid, Effect: "Allow", Action: scalar(actions), Resource: scalar(resources) }];
}

/** By region: a key is asked of the service of its own. An alias is no resource of a policy, but a condition on keys. */
function decrypt(keys: readonly string[], aliases: readonly string[]): readonly Statement[] {
	const byRegion = Map.groupBy(keys, (arn) => arn.split(":")[3] ?? "");
	const several = byRegion.size > 1;
	return [
		...[...byRegion].map(([region, resources], n): Statement => {
			const sid = several ? `DecryptSecrets${n + 1}` : "DecryptSecrets";
			const via = viaService(resources[0] ?? "", region);
			return {
				Sid: sid,
				Effect: "Allow",
				Action: "kms:Decrypt",
				Resource: scalar(resources),
				Condition: { StringEquals: { "kms:ViaService": via } },
			};
		}),
		...aliases.map((arn, n): Statement => {
			const [, partition = "", , region = "", account = "", alias = ""] = arn.split(":");
			return {
				Sid: `DecryptByAlias${n + 1}`,
				Effect: "Allow",
				Action: "kms:Decrypt",
				Resource: `arn:${partition}:kms:${region}:${account}:key/*`,
				Condition: {
					StringEquals: { "kms:ViaService": viaService(arn, region) },
					"ForAnyValue:StringEquals": { "kms:ResourceAliases": alias },
				},
			};
		}),
	];
}

/** AWS KMS Developer Guide, kms:ViaService: the endpoint of the service, which in some partitions ends differently. */
function viaService(arn: string, region: string): readonly string[] {
	const own: Readonly<Record<string, string>> = { "aws-cn": "amazonaws.com.cn", "aws-eusc": "amazonaws.eu" };
	const end = own[arn.split(":")[1] ?? ""];
	const ends = end === undefined ? ["amazonaws.com"] : ["amazonaws.com", end];
	return ["secretsmanager", "ssm"].flatMap((service) => ends.map((e) => `${service}.${region}.${e}`));
}

function scalar(values: readonly string[]): string | readonly string[] {
	const [only] = values;
	return values.length === 1 && only !== undefined ? only : values;
}

/** Action -> need, and what our own statements put behind its ARN. */
const GRANTS: readonly { readonly action: string; readonly type: NeedType; readonly behind: string }[] = [
	{ action: "ecr:batchgetimage", type: "image", behind: "" },
	{ action: "logs:putlogevents", type: "logs", behind: ":*" },
	{ action: "logs:createloggroup", type: "createLogs", behind: "" },
	{ action: "secretsmanager:getsecretvalue", type: "secret", behind: "" },
	{ action: "ssm:getparameters", type: "parameter", behind: "" },
	{ action: "s3:getobject", type: "file", behind: "" },
];

/** What documents grant, as far as it is what this program would grant too: the way back from `statementsFor`. */
export function needsGranted(documents: readonly PolicyDocument[]): readonly Need[] {
	return documents.flatMap((d) => d.Statement).flatMap((s) => (s.Effect === "Allow" ? grantedBy(s) : []));
}

function grantedBy(s: Statement): readonly Need[] {
	const actions = new Set(list(s.Action).map((a) => a.toLowerCase()));
	const resources = list(s.Resource);
	if (actions.has("kms:decrypt")) return keysGranted(s, resources);
	if (s.Condition !== undefined) return [];
	return GRANTS.filter((g) => actions.has(g.action)).flatMap((g) =>
		resources.flatMap((r) => (r.endsWith(g.behind) ? (need(g.type, r.slice(0, r.length - g.behind.length)) ?? []) : [])),
	);
}

function keysGranted(s: Statement, resources: readonly string[]): readonly Need[] {
	if (s.Condition?.StringEquals?.["kms:ViaService"] === undefined) return [];
	const alias = s.Condition["ForAnyValue:StringEquals"]?.["kms:ResourceAliases"];
	if (alias === undefined) return resources.flatMap((r) => need("key", r) ?? []);
	return resources.flatMap((r) => need("alias", r.replace(/key\/\*$/, String(alias))) ?? []);
}
