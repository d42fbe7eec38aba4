import { ownNames } from "../../controller/model/own-names.ts";
import { controllerPolicies, type OwnScope, planOnlyPolicy, workloadBoundary } from "../../controller/model/own-policy.ts";
import { LIST, managedPolicy, type Part } from "./parts.ts";

/** In a template the account fills in what the code takes as values. */
export const NAMES = ownNames("${Installation}");

export function scopeOf(more: Pick<OwnScope, "table" | "spokes">): OwnScope {
	const own = (name: string): string => `arn:\${AWS::Partition}:iam::\${AWS::AccountId}:policy${NAMES.path}${name}`;
	return {
		partition: "${AWS::Partition}",
		accountId: "${AWS::AccountId}",
		installation: "${Installation}",
		rolePath: "${RolePath}",
		workloadBoundary: own(NAMES.workloadBoundary),
		adopted: [],
		secrets: [`${LIST}Secrets`],
		tagKeys: [],
		...more,
	};
}

/** The documents of an account, as managed policies: of the controller, of a pull request's plan, and the boundary. */
export function policies(scope: OwnScope): Readonly<Record<string, Part>> {
	const { read, write } = controllerPolicies(scope);
	return {
		ControllerReads: managedPolicy(`${NAMES.controllerRole}-read`, NAMES.path, "What the controller of ecs-access reads.", read),
		ControllerWrites: managedPolicy(
			`${NAMES.controllerRole}-write`,
			NAMES.path,
			"What the controller of ecs-access writes, and must not.",
			write,
		),
		PlanReads: managedPolicy(
			`${NAMES.planRole}-read`,
			NAMES.path,
			"What ecs-access plan reads for a pull request.",
			planOnlyPolicy(scope),
		),
		WorkloadBoundary: managedPolicy(
			NAMES.workloadBoundary,
			NAMES.path,
			"The most that a role written by ecs-access may do.",
			workloadBoundary(scope),
		),
	};
}

export const SECRETS: Part = {
	Type: "CommaDelimitedList",
	Description:
		"ARN patterns of the secrets that are rotated, of those that administer OAuth clients, and of the controller's own (git): arn:aws:secretsmanager:eu-central-1:111122223333:secret:orders/*.",
};

export const ROLE_PATH: Part = {
	Type: "String",
	Description: "Path of the roles that the controller writes, as rolePath of the Account says it.",
	Default: "/ecs-access/",
	AllowedPattern: "/([!-~]+/)?",
};
