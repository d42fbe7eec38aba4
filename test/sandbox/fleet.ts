import { roleSeed, type SeedData, seedDocument, serviceSeed, taskDefinitionSeed } from "./seed-data.ts";

/** Services in one cluster of the fleet. */
const CLUSTER_SIZE = 250;

/** `fleet-0042`, the name of the n-th service of a fleet. */
export function fleetName(n: number): string {
	return `fleet-${String(n).padStart(4, "0")}`;
}

/** The cluster of the n-th service. */
export function fleetCluster(n: number): string {
	return `fleet-${(10 + Math.floor(n / CLUSTER_SIZE)).toString(36)}`;
}

/** The one inline statement of the n-th task role; what a policy must say to find it unchanged. */
export function fleetStatement(n: number): { Effect: "Allow"; Action: readonly string[]; Resource: readonly string[] } {
	return {
		Effect: "Allow",
		Action: ["s3:GetObject", "s3:PutObject"],
		Resource: [`arn:aws:s3:::${fleetName(n)}-data/*`],
	};
}

/**
 * A large account: `n` task roles (`NAME-task`) and execution roles (`NAME-execution`) below `path`, `n` task definitions and `n`
 * services in clusters `fleet-a`, `fleet-b`, … of 250.
 */
export function generateFleet(account: string, n: number, path = "/"): SeedData {
	const all = Array.from({ length: n }, (_, index) => index);
	const arn = (name: string) => `arn:aws:iam::${account}:role${path}${name}`;
	return {
		alias: "acme-fleet",
		clusters: [...new Set(all.map(fleetCluster))].map((name) => ({ name })),
		roles: all.flatMap((index) => [
			roleSeed(`${fleetName(index)}-task`, [], { path, inline: { access: seedDocument(fleetStatement(index)) } }),
			roleSeed(`${fleetName(index)}-execution`, [], {
				path,
				attached: ["arn:aws:iam::aws:policy/service-role/AmazonECSTaskExecutionRolePolicy"],
			}),
		]),
		taskDefinitions: all.map((index) =>
			taskDefinitionSeed(fleetName(index), {
				taskRoleArn: arn(`${fleetName(index)}-task`),
				executionRoleArn: arn(`${fleetName(index)}-execution`),
			}),
		),
		services: all.map((index) => serviceSeed(fleetCluster(index), fleetName(index))),
	};
}
