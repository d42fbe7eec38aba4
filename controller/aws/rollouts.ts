import type { LinearConfiguration, Service, Deployment as ServiceDeploymentOf } from "@aws-sdk/client-ecs";
import type { Instant } from "../model/ids.ts";
import { instantAt } from "../model/instant.ts";
import type { Deployment, Rollouts } from "../model/target.ts";

/** CloudFormation tags what it makes, and puts back what others change. */
const STACK_TAG = "aws:cloudformation:stack-name";

/** What DescribeServices (with TAGS) tells of what is rolled out. */
export function rolloutsOf(service: Service): Rollouts {
	const configuration = service.deploymentConfiguration;
	const { deploymentCircuitBreaker: breaker, alarms } = configuration ?? {};
	return {
		deployments: (service.deployments ?? []).map(deploymentOf),
		rollsBack: (breaker?.enable === true && breaker.rollback === true) || (alarms?.enable === true && alarms.rollback === true),
		bakeMinutes:
			(configuration?.bakeTimeInMinutes ?? 0) +
			(configuration?.canaryConfiguration?.canaryBakeTimeInMinutes ?? 0) +
			linearMinutes(configuration?.linearConfiguration),
		stack: service.tags?.find((t) => t.key === STACK_TAG)?.value ?? null,
	};
}

function linearMinutes(linear: LinearConfiguration | undefined): number {
	if (linear?.stepBakeTimeInMinutes === undefined) return 0;
	return Math.ceil(100 / Math.max(1, linear.stepPercent ?? 10)) * linear.stepBakeTimeInMinutes;
}

function deploymentOf(d: ServiceDeploymentOf): Deployment {
	const { status, rolloutState } = d;
	return {
		id: d.id ?? "",
		status: status === "PRIMARY" || status === "ACTIVE" ? status : "INACTIVE",
		rollout: rolloutState ?? null,
		reason: d.rolloutStateReason ?? null,
		taskDefinition: d.taskDefinition ?? "",
		desired: d.desiredCount ?? 0,
		running: d.runningCount ?? 0,
		pending: d.pendingCount ?? 0,
		failed: d.failedTasks ?? 0,
		createdAt: instantOf(d.createdAt),
		updatedAt: instantOf(d.updatedAt ?? d.createdAt),
	};
}

export function instantOf(date: Date | undefined): Instant {
	return instantAt(date?.getTime() ?? 0);
}
