import type { HistoryEntry, Status } from "../../../controller/model/status.ts";
import type { Target } from "../../../controller/model/target.ts";

/** What the store of a small company holds after some days. */

const ROLE: Target = { type: "iam.role", account: "123456789012", region: "global", name: "orders-api-task" };
const SERVICE: Target = { type: "ecs.service", account: "123456789012", region: "eu-west-1", name: "prod/orders-api" };

const ROLE_ARN = "arn:aws:iam::123456789012:role/ecs-access/orders-api-task";

export function status(name: string, rest: Partial<Status> = {}): Status {
	return {
		key: `AccessPolicy/${name}`,
		account: "prod",
		labels: { team: "orders" },
		observedGeneration: "sha256:00",
		lastAttemptedRevision: "3f2a91c0000000000000000000000000000000000",
		lastAppliedRevision: "3f2a91c0000000000000000000000000000000000",
		conditions: [
			{ type: "Ready", status: "True", reason: "AsGitSays", message: "", lastTransitionTime: "2026-11-24T11:58:00Z" },
			{
				type: "Drifted",
				status: "False",
				reason: "Healed",
				message: "inline policy quick-fix removed",
				lastTransitionTime: "2026-11-24T11:58:00Z",
			},
		],
		inventory: [
			{
				target: ROLE,
				applied: {
					inline: {
						Version: "2012-10-17",
						Statement: [{ Effect: "Allow", Action: ["s3:GetObject"], Resource: ["arn:aws:s3:::catalogue-prod/*"] }],
					},
					managedPolicies: ["arn:aws:iam::aws:policy/AWSXRayDaemonWriteAccess"],
					trust: null,
					permissionsBoundary: null,
					tags: {},
				},
				appliedAt: "2026-11-24T11:58:00Z",
			},
		],
		workloads: [
			{
				target: SERVICE,
				wanted: {
					taskRole: ROLE_ARN,
					secrets: { "app/DATABASE_URL": "arn:aws:secretsmanager:eu-west-1:123456789012:secret:prod/orders/database:url::" },
				},
				live: {
					taskRole: ROLE_ARN,
					executionRole: "arn:aws:iam::123456789012:role/ecsTaskExecutionRole",
					secrets: { "app/API_KEY": "arn:aws:secretsmanager:eu-west-1:123456789012:secret:prod/orders/key-AbCdEf" },
					taskDefinition: "arn:aws:ecs:eu-west-1:123456789012:task-definition/orders-api:7",
					tasks: { running: 2, desired: 3 },
				},
			},
			{
				target: { type: "ecs.family", account: "123456789012", region: "eu-west-1", name: "orders-nightly" },
				wanted: { taskRole: ROLE_ARN },
				live: null,
			},
		],
		summary: "healed",
		firstSeen: "2026-10-14T10:00:00Z",
		updatedAt: "2026-11-24T11:59:00Z",
		...rest,
	};
}

export const BILLING: Status = status("billing", {
	labels: { team: "money" },
	summary: "waits: approval b04d77e1",
	conditions: [
		{ type: "Ready", status: "False", reason: "Waits", message: "approval", lastTransitionTime: "2026-11-24T10:00:00Z" },
	],
	firstSeen: "2026-11-12T10:00:00Z",
});

export function entry(at: string, rest: Partial<HistoryEntry> = {}): HistoryEntry {
	return {
		at,
		key: "AccessPolicy/orders-api",
		account: "prod",
		reconcileId: "r1",
		revision: "3f2a91c0000000000000000000000000000000000",
		planId: null,
		actor: "arn:aws:sts::123456789012:assumed-role/Admin/kim",
		event: "applied",
		why: "drifted",
		api: "iam:DeleteRolePolicy",
		target: ROLE,
		before: { "quick-fix": { Version: "2012-10-17", Statement: [{ Effect: "Allow", Action: "*", Resource: "*" }] } },
		after: {},
		outcome: "applied",
		...rest,
	};
}
