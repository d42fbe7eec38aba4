import { att, type Part, ref, sub, when } from "./parts.ts";

/** The controller as a task: read-only root, no rights, two volumes. */
function taskDefinition(command: readonly Part[], family: string, healthy: boolean): Part {
	return {
		Type: "AWS::ECS::TaskDefinition",
		Properties: {
			Family: sub(family),
			Cpu: "512",
			Memory: "1024",
			NetworkMode: "awsvpc",
			RequiresCompatibilities: ["FARGATE"],
			RuntimePlatform: { CpuArchitecture: ref("Architecture"), OperatingSystemFamily: "LINUX" },
			ExecutionRoleArn: att("ExecutionRole", "Arn"),
			TaskRoleArn: att("ControllerRole", "Arn"),
			Volumes: [{ Name: "tmp" }, { Name: "state" }],
			ContainerDefinitions: [
				{
					Name: "controller",
					Image: ref("Image"),
					Essential: true,
					User: "10001:10001",
					ReadonlyRootFilesystem: true,
					LinuxParameters: { InitProcessEnabled: true, Capabilities: { Drop: ["ALL"] } },
					MountPoints: [
						{ SourceVolume: "tmp", ContainerPath: "/tmp" },
						{ SourceVolume: "state", ContainerPath: "/var/lib/ecs-access" },
					],
					Command: command,
					StopTimeout: 90,
					LogConfiguration: {
						LogDriver: "awslogs",
						Options: {
							"awslogs-group": ref("Logs"),
							"awslogs-region": ref("AWS::Region"),
							"awslogs-stream-prefix": "controller",
						},
					},
					...(healthy && {
						HealthCheck: {
							Command: [
								"CMD",
								"node",
								"-e",
								"fetch('http://127.0.0.1:8080/healthz').then((r) => process.exit(r.ok ? 0 : 1), () => process.exit(1))",
							],
							Interval: 30,
							Timeout: 5,
							Retries: 3,
							StartPeriod: 60,
						},
					}),
				},
			],
		},
	};
}

const SOURCE: readonly Part[] = ["--git", ref("Repository"), "--subdir", ref("Subdir")];
const NETWORK: Part = {
	AwsvpcConfiguration: { Subnets: ref("Subnets"), SecurityGroups: [ref("SecurityGroup")], AssignPublicIp: ref("PublicIp") },
};
const CLUSTER: Part = when("MakesCluster", ref("OwnCluster"), ref("Cluster"));

/** One task and never two: the old one lets the lease go before the new one starts. Or, on a schedule, one that ends. */
export function running(): Readonly<Record<string, Part>> {
	return {
		OwnCluster: {
			Type: "AWS::ECS::Cluster",
			Condition: "MakesCluster",
			Properties: { ClusterName: sub("ecs-access-${Installation}") },
		},
		Task: taskDefinition(["run", ...SOURCE, "--http", "0.0.0.0:8080"], "ecs-access-${Installation}", true),
		OnceTask: {
			...(taskDefinition(["reconcile", "--once", ...SOURCE], "ecs-access-${Installation}-once", false) as object),
			Condition: "OnSchedule",
		},
		Service: {
			Type: "AWS::ECS::Service",
			Condition: "AsService",
			Properties: {
				ServiceName: sub("ecs-access-${Installation}"),
				Cluster: CLUSTER,
				TaskDefinition: ref("Task"),
				LaunchType: "FARGATE",
				DesiredCount: 1,
				DeploymentConfiguration: {
					MinimumHealthyPercent: 0,
					MaximumPercent: 100,
					DeploymentCircuitBreaker: { Enable: true, Rollback: true },
				},
				NetworkConfiguration: NETWORK,
				PropagateTags: "SERVICE",
			},
		},
		SchedulerRole: {
			Type: "AWS::IAM::Role",
			Condition: "OnSchedule",
			Properties: {
				RoleName: sub("ecs-access-${Installation}-scheduler"),
				Path: "/ecs-access-system/",
				AssumeRolePolicyDocument: {
					Version: "2012-10-17",
					Statement: [
						{
							Effect: "Allow",
							Principal: { Service: "scheduler.amazonaws.com" },
							Action: "sts:AssumeRole",
							Condition: { StringEquals: { "aws:SourceAccount": ref("AWS::AccountId") } },
						},
					],
				},
				Policies: [
					{
						PolicyName: "start",
						PolicyDocument: {
							Version: "2012-10-17",
							Statement: [
								{
									Effect: "Allow",
									Action: "ecs:RunTask",
									Resource: sub(
										"arn:${AWS::Partition}:ecs:${AWS::Region}:${AWS::AccountId}:task-definition/ecs-access-${Installation}-once:*",
									),
								},
								{
									Effect: "Allow",
									Action: "iam:PassRole",
									Resource: [att("ControllerRole", "Arn"), att("ExecutionRole", "Arn")],
									Condition: { StringEquals: { "iam:PassedToService": "ecs-tasks.amazonaws.com" } },
								},
							],
						},
					},
				],
			},
		},
		Schedule: {
			Type: "AWS::Scheduler::Schedule",
			Condition: "OnSchedule",
			Properties: {
				Name: sub("ecs-access-${Installation}"),
				Description: "Starts one full pass of ecs-access.",
				FlexibleTimeWindow: { Mode: "OFF" },
				ScheduleExpression: ref("ScheduleExpression"),
				Target: {
					Arn: when(
						"MakesCluster",
						att("OwnCluster", "Arn"),
						sub("arn:${AWS::Partition}:ecs:${AWS::Region}:${AWS::AccountId}:cluster/${Cluster}"),
					),
					RoleArn: att("SchedulerRole", "Arn"),
					EcsParameters: {
						TaskDefinitionArn: ref("OnceTask"),
						LaunchType: "FARGATE",
						NetworkConfiguration: NETWORK,
					},
				},
			},
		},
	};
}
