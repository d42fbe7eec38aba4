/** Made from crds/*.yaml by `npm run generate`; do not edit. */
import type {ConditionBlock} from "../../policy/document.ts";

/**
 * Where events come in: see ecs-access triggers.
 */
export interface EventsSpec {
	/**
	 * Name of the SQS queue that run listens to, in the first Account without assumeRole and in its region. Omitted: ecs-access-NAME, by the name of the Installation.
	 */
	readonly queue?: string;
	/**
	 * EventBridge bus of that account for the events of ecs-access itself, those that ask and those that tell.
	 */
	readonly bus?: string;
}
/**
 * A window in time, again and again.
 */
export interface WindowSpec {
	/**
	 * Deny: nothing may be changed within it. Allow: only within one of these.
	 */
	readonly kind: "Deny" | "Allow";
	/**
	 * When it begins: minute, hour, day of month, month, day of week, by the wall clock of timeZone.
	 */
	readonly cron: string;
	/**
	 * How long it lasts, also over a change of the clocks.
	 */
	readonly duration: string;
	/**
	 * IANA name.
	 */
	readonly timeZone?: string;
}
/**
 * How this installation works. At most one document, below platform/.
 */
export interface InstallationSpec {
	/**
	 * Observe: plan and report, never write. Enforce: apply. Binds the controller; a person's apply is their own word.
	 */
	readonly mode?: "Observe" | "Enforce";
	/**
	 * Where status, history, lease and pauses are kept, shared by all who apply: dynamodb://TABLE, or dynamodb://TABLE?region=REGION. Omitted: SQLite in the state directory.
	 */
	readonly store?: string;
	/**
	 * What the source mark on every role says. Omitted: origin's host/owner/repo//root, else "directory".
	 */
	readonly source?: string;
	/**
	 * Sources this repository had before it moved: marks of these are ours and are re-marked.
	 *
	 * Items: A source mark.
	 */
	readonly previousSources?: readonly string[];
	/**
	 * The repository that run follows.
	 */
	readonly git?: {
		/**
		 * https or ssh address of the repository.
		 */
		readonly url: string;
		/**
		 * The branch that is in force.
		 */
		readonly branch?: string;
		/**
		 * Secrets Manager secret with the credentials, by name or ARN: a token, a deploy key or a GitHub App; docs/git.md shows the forms.
		 */
		readonly credentialsSecret?: string;
		/**
		 * SSH host keys that are trusted: lines of a known_hosts file, or the absolute path of one where run runs. A deploy key needs them.
		 */
		readonly knownHosts?: string;
		/**
		 * Secrets Manager secret that webhooks are signed with, by name or ARN.
		 */
		readonly webhookSecret?: string;
		/**
		 * Only commits with a good SSH signature are admitted.
		 */
		readonly requireSignatures?: boolean;
		/**
		 * Who may sign: lines of an allowed-signers file of ssh-keygen, or the absolute path of one where run runs.
		 */
		readonly allowedSigners?: string;
	};
	/**
	 * How often everything is looked at again, whatever events said.
	 */
	readonly resync?: string;
	readonly events?: EventsSpec;
	/**
	 * What one account may lose in a rolling 24 hours before an approval is needed; the limit is max(1, min(count, percent of the roles owned)).
	 */
	readonly budgets?: {
		/**
		 * Roles deleted.
		 */
		readonly deletions?: number;
		/**
		 * Roles that lose access.
		 */
		readonly narrowings?: number;
		/**
		 * Share of the roles owned.
		 */
		readonly percent?: number;
	};
	/**
	 * When changes are frozen: within any Deny window, and, where there are Allow windows, outside of all of them. Deny wins. What has expired is removed all the same. See ecs-access apply --during-freeze.
	 */
	readonly windows?: readonly WindowSpec[];
}
/**
 * An AWS account to act in. Below platform/.
 */
export interface AccountSpec {
	/**
	 * Twelve digits, in quotes. The caller's identity is checked against it before the first write.
	 */
	readonly accountId: string;
	/**
	 * Default region of the workloads.
	 */
	readonly region: string;
	/**
	 * Where workloads may be. Default [region].
	 *
	 * @minItems 1
	 *
	 * Items: A region.
	 */
	readonly regions?: readonly string[];
	/**
	 * The role to assume there. Omitted: the caller's own credentials.
	 */
	readonly assumeRole?: {
		/**
		 * ARN of the role.
		 */
		readonly roleArn: string;
		/**
		 * External id that its trust policy asks for.
		 */
		readonly externalId?: string;
	};
	/**
	 * Default path for every managed role.
	 */
	readonly rolePath?: string;
	/**
	 * Default permissions boundary for every managed role, as an ARN.
	 */
	readonly permissionsBoundary?: string;
	/**
	 * Values for ${account.vars.NAME} in the policies.
	 */
	readonly vars?: {
		/**
		 * A value.
		 */
		readonly [k: string]: string;
	};
	/**
	 * Roles and users that deploy, which must be able to pass the roles: PassRoleGap looks at these.
	 *
	 * Items: ARN of a role or user.
	 */
	readonly deployers?: readonly string[];
}
/**
 * One more statement of the trust policy.
 */
export interface AdditionalTrustSpec {
	/**
	 * Statement id.
	 */
	readonly sid?: string;
	/**
	 * Who.
	 */
	readonly principals: {
		/**
		 * Account ids and ARNs of roles and users.
		 *
		 * @minItems 1
		 *
		 * Items: A principal.
		 */
		readonly AWS?: readonly string[];
		/**
		 * Service principals, e.g. ecs-tasks.amazonaws.com.
		 *
		 * @minItems 1
		 *
		 * Items: A principal.
		 */
		readonly Service?: readonly string[];
		/**
		 * ARNs of identity providers.
		 *
		 * @minItems 1
		 *
		 * Items: A principal.
		 */
		readonly Federated?: readonly string[];
	};
	/**
	 * Default [sts:AssumeRole]; for Federated it must be written.
	 *
	 * @minItems 1
	 *
	 * Items: An action of sts.
	 */
	readonly actions?: readonly string[];
	/**
	 * As in a statement.
	 */
	readonly conditions?: ConditionBlock;
}
/**
 * Who may assume the role.
 */
export interface TrustSpec {
	/**
	 * Generated: ecs-tasks.amazonaws.com, for this account and the regions of the workloads. Preserve: nothing is said of it. Default Generated; Preserve where adopt is true, so that adoption alone never changes who may assume a role.
	 */
	readonly mode?: "Generated" | "Preserve";
	/**
	 * More principals that may assume the role; with mode Generated only.
	 */
	readonly additional?: readonly AdditionalTrustSpec[];
}
/**
 * One use of a PermissionSet.
 */
export interface PermissionSetUseSpec {
	/**
	 * Name of the PermissionSet.
	 */
	readonly name: string;
	/**
	 * Values for its parameters.
	 */
	readonly params?: {
		/**
		 * A value.
		 */
		readonly [k: string]: string | number;
	};
}
/**
 * One IAM statement. Exactly one of actions and notActions, exactly one of resources and notResources.
 */
export interface StatementSpec {
	/**
	 * Statement id; letters and digits only, unique within the role. It has no meaning for access.
	 */
	readonly sid?: string;
	/**
	 * Allow or Deny.
	 */
	readonly effect?: "Allow" | "Deny";
	/**
	 * What may be done, e.g. s3:GetObject. Wildcards as in IAM.
	 *
	 * @minItems 1
	 *
	 * Items: An action, e.g. s3:GetObject.
	 */
	readonly actions?: readonly string[];
	/**
	 * Everything but these.
	 *
	 * @minItems 1
	 *
	 * Items: An action that is left out.
	 */
	readonly notActions?: readonly string[];
	/**
	 * ARNs, or "*". Interpolation as everywhere in a policy.
	 *
	 * @minItems 1
	 *
	 * Items: An ARN, or "*".
	 */
	readonly resources?: readonly string[];
	/**
	 * Everything but these.
	 *
	 * @minItems 1
	 *
	 * Items: An ARN that is left out.
	 */
	readonly notResources?: readonly string[];
	/**
	 * Operator, then key, then value or values, as in IAM: { StringEquals: { "aws:ResourceAccount": "${account.id}" } }.
	 */
	readonly conditions?: ConditionBlock;
	/**
	 * RFC 3339 time at which the statement ends, by a condition in the statement itself, so also when nothing runs. Refused on a Deny.
	 */
	readonly expiresAt?: string;
}
/**
 * The role with which ECS itself pulls images, writes logs and reads secrets. Omitted: not checked. Within a workload it replaces the policy's for that entry.
 */
export interface ExecutionRoleSpec {
	/**
	 * Name of another AccessPolicy: its role of the same use is bound here. No other field beside it.
	 */
	readonly ref?: string;
	/**
	 * Managed: made and kept as git says. Unmanaged: checked and bound, never written. Derived: made and kept with the least that the workloads need, as far as git allows it.
	 */
	readonly mode?: "Managed" | "Unmanaged" | "Derived";
	/**
	 * Role name. Default <metadata.name>-execution.
	 */
	readonly name?: string;
	/**
	 * Role path. Default: the Account's rolePath for Managed, / for Unmanaged. A role that lives under another path is an error, never a re-creation.
	 */
	readonly path?: string;
	/**
	 * ARN patterns of secrets, parameters and S3 objects (environment files) that a Derived role may read where a task definition asks for them, beyond those under secrets; and whole ARNs of keys that it may decrypt them with.
	 *
	 * Items: An ARN pattern.
	 */
	readonly allow?: readonly string[];
	/**
	 * Take over an existing role of that name that nobody marked.
	 */
	readonly adopt?: boolean;
	readonly trust?: TrustSpec;
	/**
	 * ARN of a policy. Omitted: the Account's; none of either: not ours, left as it is. "none": remove it (only by a person's apply).
	 */
	readonly permissionsBoundary?: string;
	/**
	 * PermissionSets whose statements the role gets.
	 */
	readonly permissionSets?: readonly PermissionSetUseSpec[];
	/**
	 * Statements of the role's own.
	 */
	readonly statements?: readonly StatementSpec[];
	/**
	 * ARNs of the managed policies that are attached.
	 *
	 * Items: ARN of a managed policy.
	 */
	readonly managedPolicies?: readonly string[];
	/**
	 * Tags of the role. Declared keys are ours; all other tags are not looked at.
	 */
	readonly tags?: {
		/**
		 * A value.
		 */
		readonly [k: string]: string;
	};
}
/**
 * One environment variable that is injected. Exactly one of secret and parameter.
 */
export interface SecretUseSpec {
	/**
	 * Container name.
	 */
	readonly container: string;
	/**
	 * Name of the environment variable.
	 */
	readonly name: string;
	/**
	 * Name or ARN of a Secrets Manager secret.
	 */
	readonly secret?: string;
	/**
	 * Name or ARN of an SSM parameter.
	 */
	readonly parameter?: string;
	/**
	 * The key of a JSON secret.
	 */
	readonly jsonKey?: string;
}
/**
 * Workloads of one cluster.
 */
export interface WorkloadSpec {
	/**
	 * Cluster name; needed where services are named.
	 */
	readonly cluster?: string;
	/**
	 * Default: the Account's region.
	 */
	readonly region?: string;
	/**
	 * Services of the cluster.
	 *
	 * @minItems 1
	 *
	 * Items: Service name.
	 */
	readonly services?: readonly string[];
	/**
	 * Task definition families that are started by RunTask or a schedule.
	 *
	 * @minItems 1
	 *
	 * Items: Family name.
	 */
	readonly taskFamilies?: readonly string[];
	readonly executionRole?: ExecutionRoleSpec;
	/**
	 * Secrets and parameters that the containers must be given. Within a workload they replace the policy's for that entry.
	 */
	readonly secrets?: readonly SecretUseSpec[];
}
/**
 * The role of the code in the containers. Omitted: these workloads run without one, and a live task role is a finding.
 */
export interface TaskRoleSpec {
	/**
	 * Name of another AccessPolicy: its role of the same use is bound here. No other field beside it.
	 */
	readonly ref?: string;
	/**
	 * Managed: made and kept as git says. Unmanaged: checked and bound, never written.
	 */
	readonly mode?: "Managed" | "Unmanaged";
	/**
	 * Role name. Default <metadata.name>-task.
	 */
	readonly name?: string;
	/**
	 * Role path. Default: the Account's rolePath for Managed, / for Unmanaged. A role that lives under another path is an error, never a re-creation.
	 */
	readonly path?: string;
	/**
	 * Take over an existing role of that name that nobody marked.
	 */
	readonly adopt?: boolean;
	readonly trust?: TrustSpec;
	/**
	 * ARN of a policy. Omitted: the Account's; none of either: not ours, left as it is. "none": remove it (only by a person's apply).
	 */
	readonly permissionsBoundary?: string;
	/**
	 * PermissionSets whose statements the role gets.
	 */
	readonly permissionSets?: readonly PermissionSetUseSpec[];
	/**
	 * Statements of the role's own.
	 */
	readonly statements?: readonly StatementSpec[];
	/**
	 * ARNs of the managed policies that are attached.
	 *
	 * Items: ARN of a managed policy.
	 */
	readonly managedPolicies?: readonly string[];
	/**
	 * Tags of the role. Declared keys are ours; all other tags are not looked at.
	 */
	readonly tags?: {
		/**
		 * A value.
		 */
		readonly [k: string]: string;
	};
}
/**
 * Which ECS workloads run as which role, with which access and which secrets.
 */
export interface AccessPolicySpec {
	/**
	 * Name of the Account. May be omitted where the repository has one Account or none.
	 */
	readonly accountRef?: string;
	/**
	 * Names of several Accounts: one instance each, keyed NAME@ACCOUNT.
	 *
	 * @minItems 1
	 *
	 * Items: Name of an Account.
	 */
	readonly accountRefs?: readonly string[];
	/**
	 * Every Account that bears these labels, one instance each.
	 */
	readonly accountSelector?: {
		/**
		 * Labels that an Account must have, all of them.
		 */
		readonly matchLabels: {
			/**
			 * A value.
			 */
			readonly [k: string]: string;
		};
	};
	/**
	 * The ECS services and task families that run as the role.
	 */
	readonly workloads?: readonly WorkloadSpec[];
	readonly taskRole?: TaskRoleSpec;
	readonly executionRole?: ExecutionRoleSpec;
	/**
	 * Secrets and parameters that the containers must be given. Within a workload they replace the policy's for that entry.
	 */
	readonly secrets?: readonly SecretUseSpec[];
	/**
	 * Verify: report a service whose task definition carries another role or lacks a secret. Enforce: register a revision that does, and roll the service to it.
	 */
	readonly binding?: "Verify" | "Enforce";
	/**
	 * How the role is kept.
	 */
	readonly management?: {
		/**
		 * Enforce: what others change is put back. Report: it is only reported.
		 */
		readonly drift?: "Enforce" | "Report";
		/**
		 * Remove what others add to a managed role. Default true, false for a role that was taken over.
		 */
		readonly exclusive?: boolean;
		/**
		 * What others may add. AWSRevokeOlderSessions and * /AWSCompromisedKeyQuarantine* are always ignored.
		 */
		readonly ignore?: {
			/**
			 * Names of inline policies; * and ? are wildcards.
			 *
			 * Items: A name or pattern.
			 */
			readonly inlinePolicies?: readonly string[];
			/**
			 * ARNs of managed policies; * and ? are wildcards.
			 *
			 * Items: An ARN or pattern.
			 */
			readonly managedPolicies?: readonly string[];
		};
		/**
		 * When the policy leaves git. Orphan: our tags are removed and nothing else. Delete: the role is retired, then deleted when nothing uses it.
		 */
		readonly deletion?: "Orphan" | "Delete";
		/**
		 * How long a retired role is kept before it is deleted.
		 */
		readonly retainFor?: string;
	};
	/**
	 * Plan and report, but change nothing.
	 */
	readonly suspend?: boolean;
}
/**
 * One parameter.
 */
export interface ParamSpec {
	/**
	 * Type of the value.
	 */
	readonly type?: "string" | "integer" | "arn";
	/**
	 * What it means.
	 */
	readonly description?: string;
	/**
	 * Regular expression that the value must match.
	 */
	readonly pattern?: string;
	/**
	 * The values that are allowed.
	 *
	 * @minItems 1
	 *
	 * Items: A value.
	 */
	readonly enum?: readonly string[];
	/**
	 * Value where a policy gives none. Without it the parameter is required.
	 */
	readonly default?: string | number;
	/**
	 * Values with * ? or $ are refused unless this is true.
	 */
	readonly allowWildcards?: boolean;
}
/**
 * Reusable statements with typed parameters.
 */
export interface PermissionSetSpec {
	/**
	 * What it is for, in one line.
	 */
	readonly description?: string;
	/**
	 * Parameters by name, used as ${param.NAME}.
	 */
	readonly params?: {
		readonly [k: string]: ParamSpec;
	};
	/**
	 * What a role gets.
	 *
	 * @minItems 1
	 */
	readonly statements: readonly StatementSpec[];
}
/**
 * A temporary addition to one policy, with a reason and an end.
 */
export interface AccessGrantSpec {
	/**
	 * Name of the AccessPolicy whose task role gets it.
	 */
	readonly policyRef: string;
	/**
	 * RFC 3339. Omitted: at once. Required under a guardrail's maxGrantDuration, which measures from it.
	 */
	readonly startsAt?: string;
	/**
	 * RFC 3339. It ends even when nothing runs.
	 */
	readonly expiresAt: string;
	/**
	 * Why.
	 */
	readonly reason: string;
	/**
	 * What the task role gets.
	 *
	 * @minItems 1
	 */
	readonly statements: readonly StatementSpec[];
}
/**
 * When it is rotated; omitted: only when asked (ecs-access rotate). One of every and cron.
 */
export interface RotationScheduleSpec {
	/**
	 * Time from one rotation to the next, at least 10m (with lambda 4h), e.g. 30d.
	 */
	readonly every?: string;
	/**
	 * Five fields of crontab(5): minute, hour, day of month, month, day of week. As far apart as with every.
	 */
	readonly cron?: string;
	/**
	 * IANA time zone of cron; default UTC.
	 */
	readonly timeZone?: string;
	/**
	 * When a rotation that is due may begin: days, times and time zone, e.g. "Sun 02:00-04:00 Europe/Berlin", "Mon-Fri 22:00-02:00 UTC", "Sat-Mon 00:00-04:00 UTC" or "daily 01:00-03:00 UTC". One that has begun goes on beyond it.
	 */
	readonly window?: string;
}
/**
 * Random values that only the consumers need to agree on. Refused for what looks like a database's secret: the database would never learn it.
 */
export interface GenerateSpec {
	/**
	 * JSON keys that get a new value; all others are kept. Omitted: the secret is one plain string.
	 *
	 * @minItems 1
	 *
	 * Items: A key of the secret's JSON.
	 */
	readonly keys?: readonly string[];
	/**
	 * Characters of a new value.
	 */
	readonly length?: number;
	/**
	 * Characters that must not occur.
	 */
	readonly excludeCharacters?: string;
}
/**
 * The client secret of an OAuth client, made or set at its identity provider.
 */
export interface OAuthClientSpec {
	/**
	 * The provider: okta, keycloak, auth0, or oidc for any that keeps RFC 7592.
	 */
	readonly provider: "okta" | "keycloak" | "auth0" | "oidc";
	/**
	 * The issuer's address, e.g. https://id.acme.io/realms/main.
	 */
	readonly issuer: string;
	/**
	 * The client's id at the provider.
	 */
	readonly clientId: string;
	/**
	 * Name or ARN of the secret that holds what administers the client; its form is the provider's, see docs/oauth-clients.md.
	 */
	readonly adminSecret: string;
	/**
	 * The JSON key that the client secret is written to.
	 */
	readonly key?: string;
}
/**
 * The secret's own rotation function makes, sets and tests the value; databases belong here.
 */
export interface LambdaSpec {
	/**
	 * The function that must be the secret's; omitted: whichever it has.
	 */
	readonly functionArn?: string;
}
/**
 * Somebody else rotates it; the consumers are restarted when a new version is current.
 */
export interface ExternalSpec {}
/**
 * Who makes the new value. Exactly one of generate, oauthClient, lambda and external.
 */
export interface RotationStrategySpec {
	readonly generate?: GenerateSpec;
	readonly oauthClient?: OAuthClientSpec;
	readonly lambda?: LambdaSpec;
	readonly external?: ExternalSpec;
}
/**
 * An address that is asked with GET.
 */
export interface VerifyHttpSpec {
	/**
	 * The address, https. No redirect is followed.
	 */
	readonly url: string;
	/**
	 * The status that means well.
	 */
	readonly expectStatus?: number;
}
/**
 * What must answer once the first consumer, and then all of them, have the new value.
 */
export interface VerifySpec {
	readonly http?: VerifyHttpSpec;
}
/**
 * How the consumers are restarted. The first goes alone, and is verified before the rest.
 */
export interface RolloutSpec {
	/**
	 * Services that are restarted at one time.
	 */
	readonly maxParallel?: number;
	/**
	 * How long the restart of one service, and the verification, may take.
	 */
	readonly timeout?: string;
	/**
	 * Rollback: the labels go back, then the services. Stop: everything stands still and waits for a person.
	 */
	readonly onFailure?: "Rollback" | "Stop";
}
/**
 * How one secret of Secrets Manager is rotated, and who is restarted with it.
 */
export interface SecretRotationSpec {
	/**
	 * Name of the Account. May be omitted where the repository has one Account or none.
	 */
	readonly accountRef?: string;
	/**
	 * Names of several Accounts: one instance each, keyed NAME@ACCOUNT.
	 *
	 * @minItems 1
	 *
	 * Items: Name of an Account.
	 */
	readonly accountRefs?: readonly string[];
	/**
	 * Every Account that bears these labels, one instance each.
	 */
	readonly accountSelector?: {
		/**
		 * Labels that an Account must have, all of them.
		 */
		readonly matchLabels: {
			/**
			 * A value.
			 */
			readonly [k: string]: string;
		};
	};
	/**
	 * Name of the secret, in the Account's region, or its ARN. Interpolation as in a policy.
	 */
	readonly secret: string;
	readonly schedule?: RotationScheduleSpec;
	readonly strategy: RotationStrategySpec;
	/**
	 * JSON keys that are made anew from other keys, each by its template: { url: "amqps://${username}:${password:uri}@broker:5671" }. The filter uri escapes for an address.
	 */
	readonly derive?: {
		/**
		 * A template.
		 */
		readonly [k: string]: string;
	};
	readonly verify?: VerifySpec;
	/**
	 * Auto (the default): every service whose task definition injects the secret. Or a list: { cluster, service, refresh: Restart | Self } names services instead of looking for them, Self means that it fetches the value by itself and is not restarted; { listenerRule: ARN } is a rule of a load balancer that holds a copy of the client secret. A list of listener rules alone leaves services to be found. Names and ARNs are interpolated as in a policy.
	 */
	readonly consumers?: {
		readonly [k: string]: unknown;
	};
	readonly rollout?: RolloutSpec;
	/**
	 * How long the old value is kept after the verification; until then the way back is open.
	 */
	readonly retireAfter?: string;
	/**
	 * Nothing is done, and that is said.
	 */
	readonly suspend?: boolean;
}
/**
 * One rule.
 */
export interface GuardrailRuleSpec {
	/**
	 * Name of the rule, unique within the guardrail.
	 */
	readonly id: string;
	/**
	 * Why there is such a rule.
	 */
	readonly description?: string;
	/**
	 * No role may do these, on any resource but those of exceptResources.
	 *
	 * @minItems 1
	 *
	 * Items: An action or pattern.
	 */
	readonly denyActions?: readonly string[];
	/**
	 * ARN patterns on which denyActions does not speak.
	 *
	 * @minItems 1
	 *
	 * Items: An ARN pattern.
	 */
	readonly exceptResources?: readonly string[];
	/**
	 * Every managed role must have one of these boundaries.
	 *
	 * @minItems 1
	 *
	 * Items: An ARN pattern.
	 */
	readonly requirePermissionsBoundary?: readonly string[];
	/**
	 * No container may have a secret in plain text in its environment.
	 */
	readonly denyPlaintextSecrets?: true;
	/**
	 * The longest time from an AccessGrant's startsAt to its expiresAt.
	 */
	readonly maxGrantDuration?: string;
	/**
	 * Changes that wait for an Approval.
	 *
	 * @minItems 1
	 *
	 * Items: A kind of change.
	 */
	readonly requireApprovalFor?: readonly ("broadens" | "deletes")[];
	/**
	 * No role may reach more than it was given by a known path (not in this version).
	 */
	readonly privilegeEscalation?: boolean;
}
/**
 * One exception.
 */
export interface GuardrailExceptionSpec {
	/**
	 * Name of the AccessPolicy.
	 */
	readonly policy: string;
	/**
	 * Id of the rule.
	 */
	readonly rule: string;
	/**
	 * Why.
	 */
	readonly reason: string;
	/**
	 * RFC 3339.
	 */
	readonly expiresAt: string;
}
/**
 * What no policy may do, whoever wrote it. Below platform/.
 */
export interface GuardrailSpec {
	/**
	 * Deny: it must not happen. Warn: it is said.
	 */
	readonly enforcement: "Deny" | "Warn";
	/**
	 * Which policies it speaks of; omitted: every one. All of those given must hold.
	 */
	readonly match?: {
		/**
		 * Names of Accounts.
		 *
		 * @minItems 1
		 *
		 * Items: Name of an Account.
		 */
		readonly accounts?: readonly string[];
		/**
		 * Clusters of the workloads; * and ? are wildcards.
		 *
		 * @minItems 1
		 *
		 * Items: A cluster or pattern.
		 */
		readonly clusters?: readonly string[];
		/**
		 * Files of the policies, relative to the source root; * and ? are wildcards.
		 *
		 * @minItems 1
		 *
		 * Items: A path or pattern.
		 */
		readonly paths?: readonly string[];
		/**
		 * Labels of the policy; only where enforcement is Warn, because its author writes them.
		 */
		readonly labels?: {
			/**
			 * A value.
			 */
			readonly [k: string]: string;
		};
	};
	/**
	 * The rules. Each has an id and exactly one thing it asks for.
	 *
	 * @minItems 1
	 */
	readonly rules: readonly GuardrailRuleSpec[];
	/**
	 * Policies for which a rule does not speak, with a reason and an end.
	 */
	readonly exceptions?: readonly GuardrailExceptionSpec[];
}
/**
 * A person's word for steps that wait. Below platform/. Written by ecs-access approve.
 */
export interface ApprovalSpec {
	/**
	 * The full digest that plan shows, in quotes.
	 */
	readonly approvalId: string;
	/**
	 * Why.
	 */
	readonly reason: string;
	/**
	 * RFC 3339.
	 */
	readonly expiresAt?: string;
}
