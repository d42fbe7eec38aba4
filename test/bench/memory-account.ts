import type { Account } from "../../controller/model/account.ts";
import type { AnyObserved } from "../../controller/model/desired.ts";
import { roleFingerprint } from "../../controller/model/fingerprint.ts";
import { holdOf, ownerOf } from "../../controller/model/marks.ts";
import type { AccountAccess, Provider } from "../../controller/model/ports.ts";
import type { Fact, Reference } from "../../controller/model/reference.ts";
import type { Existing, Observed, RoleState, TargetType } from "../../controller/model/target.ts";
import { toPolicyDocument } from "../../controller/policy/parse.ts";
import { fleetCluster, fleetName } from "../sandbox/fleet.ts";
import { seedDocument } from "../sandbox/seed-data.ts";
import { ROLE_PATH } from "./fleet.ts";

const BOUNDARY_DOCUMENT = toPolicyDocument(seedDocument({ Effect: "Allow", Action: "*", Resource: "*" }));
/** AmazonECSTaskExecutionRolePolicy, v1. */
const EXECUTION_DOCUMENT = toPolicyDocument(
	seedDocument({
		Effect: "Allow",
		Action: [
			"ecr:GetAuthorizationToken",
			"ecr:BatchCheckLayerAvailability",
			"ecr:GetDownloadUrlForLayer",
			"ecr:BatchGetImage",
			"logs:CreateLogStream",
			"logs:PutLogEvents",
		],
		Resource: "*",
	}),
);

/**
 * The account of a fleet of `n` with these roles, answering at once: what planning costs without AWS. Everything is made
 * before the first question.
 */
export function memoryAccount(id: string, n: number, roles: ReadonlyMap<string, RoleState>): (account: Account) => AccountAccess {
	const known = new Map<string, AnyObserved>();
	for (const [name, state] of roles) known.set(`iam.role/${name}`, observedRole(id, name, state));
	for (let index = 0; index < n; index++) {
		const service = observedService(id, index);
		known.set(`ecs.service/${service.target.name}`, service);
	}
	const caller = `arn:aws:sts::${id}:assumed-role/deploy/bench`;
	const provider = <T extends TargetType>(type: T): Provider<T> => ({
		type,
		observe: async (targets) =>
			targets.map((target) => (known.get(`${type}/${target.name}`) as Observed<T> | undefined) ?? { target, exists: false }),
		listOwned: async function* (installation) {
			for (const o of known.values()) {
				if (o.target.type === type && o.exists && o.owner?.installation === installation) yield o as Observed<T>;
			}
		},
		apply: async () => {
			throw new Error("nothing is written here");
		},
	});
	return (account) => ({
		account,
		provider,
		caller: async () => ({ accountId: id, arn: caller, partition: "aws", alias: null }),
		resolve: async (refs) => refs.map((ref) => factOf(ref, caller)),
		inUse: async () => ({ by: [], unread: [] }),
		readAgain: () => {},
		discover: async () => [],
		counts: () => ({ calls: 0, roles: roles.size, services: n }),
	});
}

function factOf(ref: Reference, caller: string): Fact {
	switch (ref.type) {
		case "iam.role":
			return { type: "absent" };
		case "ecs.revisions":
			return { type: "ecs.revisions", revisions: [], deployments: [] };
		case "ecs.workload":
			return { type: "ecs.workload", revisions: [] };
		case "secret.key":
			return { type: "secret.key", key: null };
		case "iam.managedPolicy":
			return {
				type: "iam.managedPolicy",
				arn: ref.arn,
				document: ref.arn.endsWith("/AmazonECSTaskExecutionRolePolicy") ? EXECUTION_DOCUMENT : BOUNDARY_DOCUMENT,
			};
		case "secret.consumers":
			return { type: "secret.consumers", consumers: { services: [], families: [], rules: [], unread: [] } };
		case "passers":
			return {
				type: "passers",
				passers: [{ arn: caller, as: "the caller", documents: [BOUNDARY_DOCUMENT], boundary: null, families: null }],
				unread: [],
			};
	}
}

export function observedRole(account: string, name: string, state: RoleState): Existing<"iam.role"> {
	return {
		target: { type: "iam.role", account, region: "global", name },
		exists: true,
		arn: `arn:aws:iam::${account}:role${state.path}${name}`,
		state,
		fingerprint: roleFingerprint(state),
		owner: ownerOf(state.tags),
		holdUntil: holdOf(state.tags),
		lastUsed: null,
	};
}

function observedService(account: string, n: number): Existing<"ecs.service"> {
	const name = fleetName(n);
	const ecs = `arn:aws:ecs:eu-west-1:${account}`;
	const role = (use: string): string => `arn:aws:iam::${account}:role${ROLE_PATH}${name}-${use}`;
	const taskDefinition = `${ecs}:task-definition/${name}:1`;
	return {
		target: { type: "ecs.service", account, region: "eu-west-1", name: `${fleetCluster(n)}/${name}` },
		exists: true,
		arn: `${ecs}:service/${fleetCluster(n)}/${name}`,
		state: {
			taskRole: role("task"),
			executionRole: role("execution"),
			secrets: {},
			taskDefinition,
			controller: "ECS",
			express: false,
			desiredCount: 1,
			runningCount: 1,
			plaintext: [],
			containers: [name],
		},
		fingerprint: `sha256:${name}`,
		owner: null,
		holdUntil: null,
		lastUsed: null,
	};
}
