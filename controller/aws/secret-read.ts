import type { DescribeSecretCommandOutput } from "@aws-sdk/client-secrets-manager";
import { digest } from "../model/digest.ts";
import type { Arn, Digest, Region, Tags } from "../model/ids.ts";
import { instantAt } from "../model/instant.ts";
import { holdOf, isMark } from "../model/marks.ts";
import { markOf } from "../model/rotation-marks.ts";
import { type SecretState, versionWith } from "../model/secret-state.ts";
import type { Observed, Target } from "../model/target.ts";
import { answeredAt } from "./answered-at.ts";
import { parseArn } from "./arn.ts";
import { awsCode, brief } from "./errors.ts";
import type { CallAws } from "./operations.ts";
import { instantOf } from "./rollouts.ts";

type SecretTarget = Target<"secretsmanager.secret">;

/** What DescribeSecret tells of a secret; never its value. */
export async function observeSecret(
	target: SecretTarget,
	call: CallAws,
	signal: AbortSignal,
): Promise<Observed<"secretsmanager.secret">> {
	let told: DescribeSecretCommandOutput;
	try {
		told = await call("secretsmanager:DescribeSecret", target.region, { SecretId: target.name }, signal);
	} catch (error) {
		signal.throwIfAborted();
		if (awsCode(error) === "ResourceNotFound") return { target, exists: false };
		return unreadable(target, `secret ${target.name} cannot be read: ${brief(error)}`);
	}
	const state = stateOf(told);
	const current = versionWith(state, "AWSCURRENT");
	const known = current === null || markOf(state.tags, "promotedVersion") === current || markOf(state.tags, "id") !== null;
	const arn = told.ARN ?? "";
	try {
		const currentMadeAt = known ? null : await madeAt(arn, current, target.region, call, signal);
		return existing(target, arn, { ...state, currentMadeAt });
	} catch (error) {
		signal.throwIfAborted();
		return unreadable(target, `the versions of secret ${target.name} cannot be read: ${brief(error)}`);
	}
}

/** What must still be so immediately before a step: labels, our marks, and who rotates it. */
function secretFingerprint(state: SecretState): Digest {
	const { labels, tags, rotationEnabled, rotationLambda, managedBy } = state;
	const marks = Object.fromEntries(Object.entries(tags).filter(([key]) => isMark(key)));
	const sorted = Object.fromEntries(Object.entries(labels).map(([id, all]) => [id, all.toSorted()]));
	return digest({ labels: sorted, marks, rotationEnabled, rotationLambda, managedBy });
}

function existing(target: SecretTarget, arn: Arn, state: SecretState): Observed<"secretsmanager.secret"> {
	return {
		target,
		exists: true,
		arn,
		state,
		fingerprint: secretFingerprint(state),
		owner: null,
		holdUntil: holdOf(state.tags),
		lastUsed: null,
	};
}

function unreadable(target: SecretTarget, why: string): Observed<"secretsmanager.secret"> {
	return { ...existing(target, "", stateOf({})), unreadable: why } as Observed<"secretsmanager.secret">;
}

function stateOf(told: Partial<DescribeSecretCommandOutput>): SecretState {
	const at = answeredAt(told);
	return {
		labels: told.VersionIdsToStages ?? {},
		tags: Object.fromEntries((told.Tags ?? []).map((t) => [t.Key ?? "", t.Value ?? ""])) satisfies Tags,
		rotationEnabled: told.RotationEnabled === true,
		rotationLambda: told.RotationLambdaARN || null,
		// Managed by another service, or a managed external secret of a partner (aws-facts §6.3).
		managedBy: told.OwningService || (told.Type === undefined || told.Type === "" ? null : `the managed type ${told.Type}`),
		createdAt: told.CreatedDate === undefined ? null : instantOf(told.CreatedDate),
		currentMadeAt: null,
		toldAt: at === null ? null : instantAt(at),
		deletedAt: told.DeletedDate === undefined ? null : instantOf(told.DeletedDate),
	};
}

/** A secret has a few versions with labels: they stand on the first page. */
async function madeAt(
	secret: Arn,
	version: string,
	region: Region | "global",
	call: CallAws,
	signal: AbortSignal,
): Promise<string | null> {
	const at = parseArn(secret)?.region ?? region;
	const { Versions = [] } = await call("secretsmanager:ListSecretVersionIds", at, { SecretId: secret, MaxResults: 100 }, signal);
	const made = Versions.find((v) => v.VersionId === version)?.CreatedDate;
	return made === undefined ? null : instantOf(made);
}
