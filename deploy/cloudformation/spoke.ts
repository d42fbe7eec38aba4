import { FORWARDER, HOME_BUS, rules, TO_HOME } from "./events.ts";
import { att, INSTALLATION, parameter, ref, sub, type Template } from "./parts.ts";
import { NAMES, policies, ROLE_PATH, SECRETS, scopeOf } from "./policies.ts";

/** What another account needs, for StackSets: the role that the controller works by there, and the way of its events. */
export function spokeTemplate(): Template {
	return {
		AWSTemplateFormatVersion: "2010-09-09",
		Description: "ecs-access: an account that a controller elsewhere keeps. For StackSets, one instance an account and region.",
		Parameters: {
			Installation: INSTALLATION,
			ControllerRole: parameter("ARN of the controller's role in the account that it runs in.", {
				AllowedPattern: "arn:[a-z-]+:iam::[0-9]{12}:role/.+",
			}),
			ExternalId: parameter("externalId of the Account's assumeRole.", { MinLength: 2, MaxLength: 1_224, NoEcho: true }),
			MakesRole: parameter("yes in one region of the account: roles are the account's, not a region's.", {
				Default: "yes",
				AllowedValues: ["yes", "no"],
			}),
			HomeBus: HOME_BUS,
			RolePath: ROLE_PATH,
			Secrets: SECRETS,
		},
		Mappings: {
			IamRegion: { aws: { Region: "us-east-1" }, "aws-cn": { Region: "cn-north-1" }, "aws-us-gov": { Region: "us-gov-west-1" } },
		},
		Conditions: {
			Roles: { "Fn::Equals": [ref("MakesRole"), "yes"] },
			InIamRegion: { "Fn::Equals": [ref("AWS::Region"), { "Fn::FindInMap": ["IamRegion", ref("AWS::Partition"), "Region"] }] },
		},
		Resources: {
			...Object.fromEntries(
				Object.entries(policies(scopeOf({ table: null, spokes: [] }))).map(([name, p]) => [
					name,
					{ Condition: "Roles", ...(p as object) },
				]),
			),
			SpokeRole: {
				Type: "AWS::IAM::Role",
				Condition: "Roles",
				Properties: {
					RoleName: sub(NAMES.controllerRole),
					Path: NAMES.path,
					Description: "By which the controller of ecs-access works in this account.",
					AssumeRolePolicyDocument: {
						Version: "2012-10-17",
						Statement: [
							{
								Effect: "Allow",
								Principal: { AWS: ref("ControllerRole") },
								Action: "sts:AssumeRole",
								Condition: { StringEquals: { "sts:ExternalId": ref("ExternalId") } },
							},
						],
					},
					ManagedPolicyArns: [ref("ControllerReads"), ref("ControllerWrites")],
				},
			},
			Forwarder: FORWARDER,
			...rules(
				(t) => t.where !== "home",
				TO_HOME,
				(t) => (t.where === "iam-region" ? "InIamRegion" : undefined),
			),
		},
		Outputs: {
			SpokeRole: { Condition: "Roles", Description: "assumeRole.roleArn of the Account.", Value: att("SpokeRole", "Arn") },
		},
	};
}
