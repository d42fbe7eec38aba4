import type { Action, Rule } from "@aws-sdk/client-elastic-load-balancing-v2";
import { ConflictError, TerminalError } from "../model/errors.ts";
import type { Arn } from "../model/ids.ts";
import type { ConsumerRule, RotationCall } from "../model/rotation.ts";
import { RULE_VERSION_MARK } from "../model/rotation-marks.ts";
import { parseArn } from "./arn.ts";
import { awsCode, brief } from "./errors.ts";
import type { CallAws } from "./operations.ts";
import { keyOf, readVersion, withheld } from "./secret-value.ts";

/** A listener rule that holds a copy of a client secret: which version its tag says it was given (aws-facts §7.2). */
export async function readRule(arn: Arn, call: CallAws, signal: AbortSignal): Promise<ConsumerRule> {
	const region = parseArn(arn)?.region ?? "";
	try {
		const rule = await describe(arn, call, signal);
		if (rule === null) return { arn, version: null, fault: "there is no such rule" };
		if (!hasClient(rule)) return { arn, version: null, fault: "none of its actions is authenticate-oidc" };
		const { TagDescriptions = [] } = await call("elasticloadbalancing:DescribeTags", region, { ResourceArns: [arn] }, signal);
		const version = TagDescriptions[0]?.Tags?.find((t) => t.Key === RULE_VERSION_MARK)?.Value ?? null;
		return { arn, version, fault: null };
	} catch (error) {
		signal.throwIfAborted();
		return { arn, version: null, fault: `it cannot be read: ${brief(error)}` };
	}
}

/** Gives the rule the client secret of one version; everything else of it stays. The secret itself is write-only there. */
export async function giveToRule(
	input: Extract<RotationCall, { api: "elasticloadbalancing:ModifyRule" }>["input"],
	call: CallAws,
	signal: AbortSignal,
): Promise<string | null> {
	const { rule: arn, secret, version, key } = input;
	const region = parseArn(arn)?.region ?? "";
	const rule = await describe(arn, call, signal);
	if (rule === null) throw new ConflictError(`listener rule ${arn} is gone since it was planned: plan again`);
	if (!hasClient(rule))
		throw new TerminalError("RuleWithoutClient", `none of the actions of listener rule ${arn} is authenticate-oidc`);
	const whole = await readVersion(secret, { VersionId: version }, call, signal);
	const value = keyOf(whole, key, secret);
	const actions = (rule.Actions ?? []).map((action): Action => {
		if (action.AuthenticateOidcConfig === undefined) return action;
		const { UseExistingClientSecret: _existing, ...config } = action.AuthenticateOidcConfig;
		return { ...action, AuthenticateOidcConfig: { ...config, ClientSecret: value.use((v) => v) } };
	});
	try {
		// Conditions that are not sent stay as they are (ELB API Reference, ModifyRule).
		const { $metadata } = await call("elasticloadbalancing:ModifyRule", region, { RuleArn: arn, Actions: actions }, signal);
		const tags = [{ Key: RULE_VERSION_MARK, Value: version }];
		await call("elasticloadbalancing:AddTags", region, { ResourceArns: [arn], Tags: tags }, signal);
		return $metadata.requestId ?? null;
	} catch (error) {
		throw withheld(error, value, secret);
	}
}

async function describe(arn: Arn, call: CallAws, signal: AbortSignal): Promise<Rule | null> {
	try {
		const { Rules = [] } = await call(
			"elasticloadbalancing:DescribeRules",
			parseArn(arn)?.region ?? "",
			{ RuleArns: [arn] },
			signal,
		);
		return Rules[0] ?? null;
	} catch (error) {
		if (awsCode(error) === "RuleNotFound") return null;
		throw error;
	}
}

function hasClient(rule: Rule): boolean {
	return rule.Actions?.some((a) => a.AuthenticateOidcConfig !== undefined) === true;
}
