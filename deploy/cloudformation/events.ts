import { deadLetterOf, ruleName } from "../../controller/model/event-home.ts";
import { patternOf, TRIGGERS, type Trigger } from "../../controller/model/triggers.ts";
import { TARGET_ID } from "../../controller/plan/trigger-wanted.ts";
import { att, filled, INSTALLATION, type Part, parameter, ref, sub, type Template } from "./parts.ts";
import { NAMES } from "./policies.ts";

const QUEUE = "ecs-access-${Installation}";

/** The queue by which the controller hears, and the one for what nobody could read. */
export function queues(rules: Readonly<Record<string, Part>>): Readonly<Record<string, Part>> {
	const lets = (queue: string): Part => ({
		Type: "AWS::SQS::QueuePolicy",
		Properties: {
			Queues: [ref(queue)],
			PolicyDocument: {
				Version: "2012-10-17",
				Statement: [
					{
						Sid: "EventsOfOurRules",
						Effect: "Allow",
						Principal: { Service: "events.amazonaws.com" },
						Action: "sqs:SendMessage",
						Resource: att(queue, "Arn"),
						Condition: {
							ArnLike: {
								"aws:SourceArn": sub(
									"arn:${AWS::Partition}:events:${AWS::Region}:${AWS::AccountId}:rule/ecs-access-${Installation}-*",
								),
							},
							StringEquals: { "aws:SourceAccount": ref("AWS::AccountId") },
						},
					},
				],
			},
		},
	});
	return {
		DeadLetters: {
			Type: "AWS::SQS::Queue",
			Properties: { QueueName: sub(deadLetterOf(QUEUE)), MessageRetentionPeriod: 1_209_600, SqsManagedSseEnabled: true },
		},
		Events: {
			Type: "AWS::SQS::Queue",
			Properties: {
				QueueName: sub(QUEUE),
				MessageRetentionPeriod: 345_600,
				SqsManagedSseEnabled: true,
				RedrivePolicy: { deadLetterTargetArn: att("DeadLetters", "Arn"), maxReceiveCount: 5 },
			},
		},
		EventsPolicy: lets("Events"),
		DeadLettersPolicy: lets("DeadLetters"),
		...rules,
	};
}

/** A rule a trigger, by the same table as the code's. `to`: where it sends. */
export function rules(
	of: (t: Trigger) => boolean,
	to: Part,
	condition?: (t: Trigger) => string | undefined,
): Readonly<Record<string, Part>> {
	return Object.fromEntries(
		TRIGGERS.filter(of).map((t): [string, Part] => {
			const only = condition?.(t);
			return [
				`Rule${t.id.replace(/(^|-)(\w)/g, (_w, _d, c: string) => c.toUpperCase())}`,
				{
					Type: "AWS::Events::Rule",
					...(only !== undefined && { Condition: only }),
					Properties: {
						Name: sub(ruleName("${Installation}", t.id)),
						Description: `ecs-access: ${t.what}.`,
						State: "ENABLED",
						EventPattern: filled(patternOf(t)),
						Targets: [to],
					},
				},
			];
		}),
	);
}

export const TO_QUEUE: Part = { Id: TARGET_ID, Arn: att("Events", "Arn"), DeadLetterConfig: { Arn: att("DeadLetters", "Arn") } };

/** Lets the forwarders of spokes, and nobody else of the organization, put events on the bus at home. */
export const BUS_POLICY: Part = {
	Type: "AWS::Events::EventBusPolicy",
	Condition: "HasSpokes",
	Properties: {
		StatementId: sub("ecs-access-${Installation}-spokes"),
		Statement: {
			Effect: "Allow",
			Principal: "*",
			Action: "events:PutEvents",
			Resource: sub("arn:${AWS::Partition}:events:${AWS::Region}:${AWS::AccountId}:event-bus/default"),
			Condition: {
				StringEquals: { "aws:PrincipalOrgID": ref("OrganizationId") },
				ArnLike: {
					"aws:PrincipalArn": sub("arn:${AWS::Partition}:iam::*:role/ecs-access-system/ecs-access-${Installation}-forward-*"),
				},
			},
		},
	},
};

/** Sends to the bus at home, by a role, as EventBridge asks across regions and accounts (aws-facts §10). */
export const TO_HOME: Part = { Id: TARGET_ID, Arn: ref("HomeBus"), RoleArn: att("Forwarder", "Arn") };

export const FORWARDER: Part = {
	Type: "AWS::IAM::Role",
	Properties: {
		RoleName: sub("ecs-access-${Installation}-forward-${AWS::Region}"),
		Path: NAMES.path,
		Description: "By which EventBridge forwards events to where the controller of ecs-access hears them.",
		AssumeRolePolicyDocument: {
			Version: "2012-10-17",
			Statement: [
				{
					Effect: "Allow",
					Principal: { Service: "events.amazonaws.com" },
					Action: "sts:AssumeRole",
					Condition: { StringEquals: { "aws:SourceAccount": ref("AWS::AccountId") } },
				},
			],
		},
		Policies: [
			{
				PolicyName: "forward",
				PolicyDocument: {
					Version: "2012-10-17",
					Statement: [{ Effect: "Allow", Action: "events:PutEvents", Resource: ref("HomeBus") }],
				},
			},
		],
	},
};

export const HOME_BUS = parameter("ARN of the default event bus in the account and region where the controller runs.", {
	AllowedPattern: "arn:[a-z-]+:events:[a-z0-9-]+:[0-9]{12}:event-bus/.+",
});

/** IAM tells its events in one region of a partition alone (aws-facts §5.1): there this forwards them home. */
export function eventsTemplate(): Template {
	return {
		AWSTemplateFormatVersion: "2010-09-09",
		Description:
			"ecs-access: forwards the events of IAM from the partition's IAM region (us-east-1, cn-north-1, us-gov-west-1) to where the controller runs.",
		Parameters: { Installation: INSTALLATION, HomeBus: HOME_BUS },
		Resources: { Forwarder: FORWARDER, ...rules((t) => t.where === "iam-region", TO_HOME) },
	};
}
