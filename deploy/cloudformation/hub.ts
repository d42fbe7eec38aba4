import { tableDefinition } from "../../controller/aws/store-table.ts";
import { alarms } from "./alarms.ts";
import { BUS_POLICY, queues, rules, TO_QUEUE } from "./events.ts";
import { att, filled, INSTALLATION, type Part, parameter, ref, sub, type Template } from "./parts.ts";
import { NAMES, policies, ROLE_PATH, SECRETS, scopeOf } from "./policies.ts";
import { running } from "./task.ts";

const TASKS: Part = {
	Version: "2012-10-17",
	Statement: [
		{
			Effect: "Allow",
			Principal: { Service: "ecs-tasks.amazonaws.com" },
			Action: "sts:AssumeRole",
			Condition: {
				StringEquals: { "aws:SourceAccount": ref("AWS::AccountId") },
				ArnLike: { "aws:SourceArn": sub("arn:${AWS::Partition}:ecs:${AWS::Region}:${AWS::AccountId}:*") },
			},
		},
	],
};

/** Everything that the controller needs in the account and region that it runs in. */
export function hubTemplate(): Template {
	const { TableName, ...table } = tableDefinition("ecs-access-${Installation}");
	return {
		AWSTemplateFormatVersion: "2010-09-09",
		Description: "ecs-access: the controller on ECS, with its rights, its store, and the way by which events come to it.",
		Parameters: {
			Installation: INSTALLATION,
			Image: parameter("The container image, by digest."),
			Architecture: parameter("Of the image that is run.", { Default: "X86_64", AllowedValues: ["X86_64", "ARM64"] }),
			Repository: parameter("https address of the git repository that holds the policies."),
			Subdir: parameter("Folder of the policies in it.", { Default: "policies" }),
			Mode: parameter("Service: it runs, and hears events. Schedule: a task is started again and again, and ends.", {
				Default: "Service",
				AllowedValues: ["Service", "Schedule"],
			}),
			ScheduleExpression: parameter("Of the mode Schedule.", { Default: "rate(15 minutes)" }),
			Cluster: parameter("Name of the ECS cluster to run in. Empty: one is made.", { Default: "" }),
			VpcId: parameter("The VPC.", { Type: "AWS::EC2::VPC::Id" }),
			Subnets: parameter("Subnets with a way to AWS and to the repository.", { Type: "List<AWS::EC2::Subnet::Id>" }),
			PublicIp: parameter("Whether the task gets a public address: in subnets without NAT.", {
				Default: "DISABLED",
				AllowedValues: ["DISABLED", "ENABLED"],
			}),
			RolePath: ROLE_PATH,
			Secrets: SECRETS,
			OrganizationId: parameter("Organization whose accounts may forward their events here (o-…). Empty: none.", { Default: "" }),
			LogRetention: parameter("Days.", { Type: "Number", Default: 90, AllowedValues: [7, 30, 90, 365, 731] }),
			AlarmTopic: parameter("ARN of an SNS topic that alarms are sent to. Empty: they are only shown.", { Default: "" }),
		},
		Conditions: {
			AsService: { "Fn::Equals": [ref("Mode"), "Service"] },
			OnSchedule: { "Fn::Equals": [ref("Mode"), "Schedule"] },
			MakesCluster: { "Fn::Equals": [ref("Cluster"), ""] },
			HasSpokes: { "Fn::Not": [{ "Fn::Equals": [ref("OrganizationId"), ""] }] },
			HasTopic: { "Fn::Not": [{ "Fn::Equals": [ref("AlarmTopic"), ""] }] },
		},
		Resources: {
			...policies(
				scopeOf({
					table: "ecs-access-${Installation}",
					spokes: ["arn:${AWS::Partition}:iam::*:role/ecs-access-system/ecs-access-${Installation}-controller"],
				}),
			),
			ControllerRole: {
				Type: "AWS::IAM::Role",
				Properties: {
					RoleName: sub(NAMES.controllerRole),
					Path: NAMES.path,
					Description: "The controller of ecs-access.",
					AssumeRolePolicyDocument: TASKS,
					ManagedPolicyArns: [ref("ControllerReads"), ref("ControllerWrites")],
				},
			},
			ExecutionRole: {
				Type: "AWS::IAM::Role",
				Properties: {
					RoleName: sub("ecs-access-${Installation}-start"),
					Path: NAMES.path,
					Description: "Starts the task of ecs-access: pulls its image, writes its log.",
					AssumeRolePolicyDocument: TASKS,
					ManagedPolicyArns: [sub("arn:${AWS::Partition}:iam::aws:policy/service-role/AmazonECSTaskExecutionRolePolicy")],
				},
			},
			Store: {
				Type: "AWS::DynamoDB::Table",
				DeletionPolicy: "Retain",
				UpdateReplacePolicy: "Retain",
				Properties: {
					TableName: sub(TableName),
					...(filled(table) as object),
					PointInTimeRecoverySpecification: { PointInTimeRecoveryEnabled: true },
				},
			},
			Logs: {
				Type: "AWS::Logs::LogGroup",
				DeletionPolicy: "Retain",
				UpdateReplacePolicy: "Retain",
				Properties: { LogGroupName: sub("/ecs-access/${Installation}"), RetentionInDays: ref("LogRetention") },
			},
			SecurityGroup: {
				Type: "AWS::EC2::SecurityGroup",
				Properties: {
					GroupDescription: "ecs-access: out to AWS and git, nothing in.",
					VpcId: ref("VpcId"),
					SecurityGroupEgress: [{ IpProtocol: "tcp", FromPort: 443, ToPort: 443, CidrIp: "0.0.0.0/0", Description: "https" }],
				},
			},
			// What other regions and accounts forward arrives on the bus here too: a rule for every trigger.
			...queues(rules(() => true, TO_QUEUE)),
			BusPolicy: BUS_POLICY,
			...running(),
			...alarms(),
		},
		Outputs: {
			WorkloadBoundary: { Description: "permissionsBoundary of the Account.", Value: ref("WorkloadBoundary") },
			Store: { Description: "store of the Installation.", Value: sub("dynamodb://${Store}") },
			ControllerRole: { Description: "For the trust of the spokes.", Value: att("ControllerRole", "Arn") },
			HomeBus: {
				Description: "For the forwarders.",
				Value: sub("arn:${AWS::Partition}:events:${AWS::Region}:${AWS::AccountId}:event-bus/default"),
			},
		},
	};
}
