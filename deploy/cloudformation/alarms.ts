import { att, type Part, ref, sub, when } from "./parts.ts";

const NAMESPACE = "ecs-access";

/** Log lines of the controller that are counted: message of the line -> metric, and what the alarm means. */
export const COUNTED = {
	AccountNotRead: {
		message: "account not read",
		says: "An account could not be read at a resync: credentials, throttling, or AWS itself.",
	},
	RevisionRefused: { message: "revision refused", says: "A revision was refused; the last good one stays in force." },
	StepFailed: { message: "step failed", says: "A write was refused by AWS; its resource is Stalled." },
	PassEndedEarly: {
		message: "pass ended early",
		says: "Passes are cut short again and again: throttling, or a target that somebody contests.",
	},
	EventsNotHeard: { message: "events not heard", says: "The event queue cannot be read: changes are seen at the resync only." },
} as const;

export function alarms(): Readonly<Record<string, Part>> {
	const notify: Part = when("HasTopic", [ref("AlarmTopic")]);
	const alarm = (name: string, description: string, more: Readonly<Record<string, Part>>): Part => ({
		Type: "AWS::CloudWatch::Alarm",
		Properties: {
			AlarmName: sub(`ecs-access-\${Installation}-${name}`),
			AlarmDescription: description,
			EvaluationPeriods: 1,
			Threshold: 0,
			ComparisonOperator: "GreaterThanThreshold",
			TreatMissingData: "notBreaching",
			AlarmActions: notify,
			...more,
		},
	});
	const queue = (name: string, metric: string): Readonly<Record<string, Part>> => ({
		Namespace: "AWS/SQS",
		MetricName: metric,
		Dimensions: [{ Name: "QueueName", Value: att(name, "QueueName") }],
		Statistic: "Maximum",
		Period: 300,
	});
	const counted = Object.entries(COUNTED).flatMap(([name, { message, says }]): [string, Part][] => [
		[
			`Count${name}`,
			{
				Type: "AWS::Logs::MetricFilter",
				Properties: {
					LogGroupName: ref("Logs"),
					FilterPattern: `{ $.msg = "${message}" }`,
					MetricTransformations: [
						{ MetricNamespace: NAMESPACE, MetricName: sub(`\${Installation}-${name}`), MetricValue: "1", DefaultValue: 0 },
					],
				},
			},
		],
		[
			`Alarm${name}`,
			alarm(name, says, {
				Namespace: NAMESPACE,
				MetricName: sub(`\${Installation}-${name}`),
				Statistic: "Sum",
				Period: 600,
				// One pass that is cut short is tried again; a quarter of an hour of them is no accident.
				...(name === "PassEndedEarly" && { Threshold: 10, EvaluationPeriods: 2 }),
			}),
		],
	]);
	return {
		AlarmDeadLetters: alarm(
			"DeadLetters",
			"Events that nobody could read lie in the dead-letter queue.",
			queue("DeadLetters", "ApproximateNumberOfMessagesVisible"),
		),
		AlarmNotHeard: {
			Condition: "AsService",
			...(alarm("NotHeard", "The oldest event is older than ten minutes: no controller hears.", {
				...queue("Events", "ApproximateAgeOfOldestMessage"),
				Threshold: 600,
			}) as object),
		},
		...Object.fromEntries(counted),
	};
}
