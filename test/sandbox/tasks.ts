/** What a test orders for the ECS tasks of its account; what is absent stays as it is. */
export interface TaskOrders {
	/** From PENDING to RUNNING, or to the failure. Default 0.3. */
	readonly startSeconds?: number;
	/** From the order to stop to STOPPED. Default 0.1. */
	readonly stopSeconds?: number;
	/** Replaces those ordered before, and has the scheduler try again at once. The first that matches a task decides. */
	readonly fail?: readonly TaskFailure[];
	/** ECS does nothing while held: no task starts or stops, no deployment moves. What came due happens when it is let go. */
	readonly hold?: boolean;
}

interface TaskFailure {
	/** `family:revision`; `*` stands for any run of characters. Default: every task. */
	readonly taskDefinition?: string;
	/** Only tasks that are started with this secret (name or ARN) and, when given, this version of it. */
	readonly secret?: { readonly id: string; readonly version?: string };
	/**
	 * - `launch`: there is no task at all, the service's events say why; by default the role cannot be assumed
	 * - `start` (default): the task stops without having run
	 * - `exit`: it runs for as long as it took to start, then its container exits
	 */
	readonly stage?: "launch" | "start" | "exit";
	/** Of a task that exits. Default 1. */
	readonly exitCode?: number;
	/** What ECS says: `stoppedReason` of the task, or the error of the launch. */
	readonly reason?: string;
	/** How many tasks fail. Default: all. */
	readonly times?: number;
}

/** A task that ECS started, with what DescribeTasks does not tell. */
export interface StartedTask {
	readonly taskArn: string;
	/** `service:NAME` or `family:NAME`. */
	readonly group: string;
	readonly taskDefinitionArn: string;
	readonly lastStatus: "PENDING" | "RUNNING" | "DEACTIVATING" | "STOPPED";
	/** Injected secrets, with the versions that were current when the task was made. */
	readonly secretVersions: readonly {
		readonly container: string;
		readonly name: string;
		readonly secretName: string;
		readonly secretArn: string;
		readonly versionId: string;
	}[];
}
