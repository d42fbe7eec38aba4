/** Names of what the installation itself has in an account; kept apart from what it manages. */
export interface OwnNames {
	/** Of its own roles and policies: outside of every managed path, so that it never manages itself. */
	readonly path: string;
	readonly controllerRole: string;
	/** For pull requests: plans, and writes nothing. */
	readonly planRole: string;
	/** The most that any role it writes may do. */
	readonly workloadBoundary: string;
	/** The most that the controller itself may do. */
	readonly ownBoundary: string;
}

export function ownNames(installation: string): OwnNames {
	return {
		path: "/ecs-access-system/",
		controllerRole: `ecs-access-${installation}-controller`,
		planRole: `ecs-access-${installation}-plan`,
		workloadBoundary: `ecs-access-${installation}-workload`,
		ownBoundary: `ecs-access-${installation}-own`,
	};
}
