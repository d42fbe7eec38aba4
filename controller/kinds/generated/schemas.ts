/** Made from crds/*.yaml by `npm run generate`; do not edit. */
import type { KindSchema, Schema } from "../schema.ts";

export const KIND_SCHEMAS: readonly KindSchema[] = [
	{
		"kind": "Installation",
		"plural": "installations",
		"description": "How one installation of the controller works.",
		"spec": "InstallationSpec"
	},
	{
		"kind": "Account",
		"plural": "accounts",
		"description": "An AWS account to act in.",
		"spec": "AccountSpec"
	},
	{
		"kind": "AccessPolicy",
		"plural": "accesspolicies",
		"description": "Which ECS workloads run as which role.",
		"spec": "AccessPolicySpec"
	},
	{
		"kind": "PermissionSet",
		"plural": "permissionsets",
		"description": "Reusable statements with typed parameters.",
		"spec": "PermissionSetSpec"
	},
	{
		"kind": "AccessGrant",
		"plural": "accessgrants",
		"description": "A temporary addition to one policy.",
		"spec": "AccessGrantSpec"
	},
	{
		"kind": "SecretRotation",
		"plural": "secretrotations",
		"description": "How one secret is rotated, and who is restarted with it.",
		"spec": "SecretRotationSpec"
	},
	{
		"kind": "Guardrail",
		"plural": "guardrails",
		"description": "What no policy may do.",
		"spec": "GuardrailSpec"
	},
	{
		"kind": "Approval",
		"plural": "approvals",
		"description": "A person's word for steps that wait.",
		"spec": "ApprovalSpec"
	}
];

export const DEFINITIONS: Readonly<Record<string, Schema>> = {
	"EventsSpec": {
		"description": "Where events come in: see ecs-access triggers.",
		"type": "object",
		"properties": {
			"queue": {
				"description": "Name of the SQS queue that run listens to, in the first Account without assumeRole and in its region. Omitted: ecs-access-NAME, by the name of the Installation.",
				"type": "string",
				"pattern": "^[A-Za-z0-9_-]{1,75}$"
			},
			"bus": {
				"description": "EventBridge bus of that account for the events of ecs-access itself, those that ask and those that tell.",
				"type": "string",
				"pattern": "^[A-Za-z0-9_./-]{1,256}$",
				"default": "default"
			}
		},
		"additionalProperties": false
	},
	"WindowSpec": {
		"description": "A window in time, again and again.",
		"type": "object",
		"required": [
			"kind",
			"cron",
			"duration"
		],
		"properties": {
			"kind": {
				"description": "Deny: nothing may be changed within it. Allow: only within one of these.",
				"type": "string",
				"enum": [
					"Deny",
					"Allow"
				]
			},
			"cron": {
				"description": "When it begins: minute, hour, day of month, month, day of week, by the wall clock of timeZone.",
				"type": "string",
				"minLength": 1
			},
			"duration": {
				"description": "How long it lasts, also over a change of the clocks.",
				"type": "string",
				"pattern": "^[1-9][0-9]*(m|h|d)$"
			},
			"timeZone": {
				"description": "IANA name.",
				"type": "string",
				"default": "UTC"
			}
		},
		"additionalProperties": false
	},
	"InstallationSpec": {
		"description": "How this installation works. At most one document, below platform/.",
		"type": "object",
		"properties": {
			"mode": {
				"description": "Observe: plan and report, never write. Enforce: apply. Binds the controller; a person's apply is their own word.",
				"type": "string",
				"enum": [
					"Observe",
					"Enforce"
				],
				"default": "Observe"
			},
			"store": {
				"description": "Where status, history, lease and pauses are kept, shared by all who apply: dynamodb://TABLE, or dynamodb://TABLE?region=REGION. Omitted: SQLite in the state directory.",
				"type": "string",
				"pattern": "^dynamodb://[a-zA-Z0-9_.-]{3,255}(\\?region=[a-z]{2,5}(-[a-z]+)+-[0-9]+)?$"
			},
			"source": {
				"description": "What the source mark on every role says. Omitted: origin's host/owner/repo//root, else \"directory\".",
				"type": "string",
				"pattern": "^[A-Za-z0-9 _.:/=+@-]{1,256}$"
			},
			"previousSources": {
				"description": "Sources this repository had before it moved: marks of these are ours and are re-marked.",
				"type": "array",
				"items": {
					"description": "A source mark.",
					"type": "string",
					"minLength": 1
				}
			},
			"git": {
				"description": "The repository that run follows.",
				"type": "object",
				"required": [
					"url"
				],
				"properties": {
					"url": {
						"description": "https or ssh address of the repository.",
						"type": "string",
						"minLength": 1
					},
					"branch": {
						"description": "The branch that is in force.",
						"type": "string",
						"minLength": 1,
						"default": "main"
					},
					"credentialsSecret": {
						"description": "Secrets Manager secret with the credentials, by name or ARN: a token, a deploy key or a GitHub App; docs/git.md shows the forms.",
						"type": "string",
						"minLength": 1
					},
					"knownHosts": {
						"description": "SSH host keys that are trusted: lines of a known_hosts file, or the absolute path of one where run runs. A deploy key needs them.",
						"type": "string",
						"minLength": 1
					},
					"webhookSecret": {
						"description": "Secrets Manager secret that webhooks are signed with, by name or ARN.",
						"type": "string",
						"minLength": 1
					},
					"requireSignatures": {
						"description": "Only commits with a good SSH signature are admitted.",
						"type": "boolean",
						"default": false
					},
					"allowedSigners": {
						"description": "Who may sign: lines of an allowed-signers file of ssh-keygen, or the absolute path of one where run runs.",
						"type": "string",
						"minLength": 1
					}
				},
				"additionalProperties": false
			},
			"resync": {
				"description": "How often everything is looked at again, whatever events said.",
				"type": "string",
				"pattern": "^[1-9][0-9]*(s|m|h|d)$",
				"default": "10m"
			},
			"events": {
				"$ref": "#/$defs/EventsSpec"
			},
			"budgets": {
				"description": "What one account may lose in a rolling 24 hours before an approval is needed; the limit is max(1, min(count, percent of the roles owned)).",
				"type": "object",
				"properties": {
					"deletions": {
						"description": "Roles deleted.",
						"type": "integer",
						"minimum": 0,
						"default": 5
					},
					"narrowings": {
						"description": "Roles that lose access.",
						"type": "integer",
						"minimum": 0,
						"default": 20
					},
					"percent": {
						"description": "Share of the roles owned.",
						"type": "integer",
						"minimum": 0,
						"maximum": 100,
						"default": 20
					}
				},
				"additionalProperties": false
			},
			"windows": {
				"description": "When changes are frozen: within any Deny window, and, where there are Allow windows, outside of all of them. Deny wins. What has expired is removed all the same. See ecs-access apply --during-freeze.",
				"type": "array",
				"items": {
					"$ref": "#/$defs/WindowSpec"
				}
			}
		},
		"additionalProperties": false
	},
	"AccountSpec": {
		"description": "An AWS account to act in. Below platform/.",
		"type": "object",
		"required": [
			"accountId",
			"region"
		],
		"properties": {
			"accountId": {
				"description": "Twelve digits, in quotes. The caller's identity is checked against it before the first write.",
				"type": "string",
				"pattern": "^[0-9]{12}$"
			},
			"region": {
				"description": "Default region of the workloads.",
				"type": "string",
				"pattern": "^[a-z]{2,5}(-[a-z]+)+-[0-9]+$"
			},
			"regions": {
				"description": "Where workloads may be. Default [region].",
				"type": "array",
				"minItems": 1,
				"items": {
					"description": "A region.",
					"type": "string",
					"pattern": "^[a-z]{2,5}(-[a-z]+)+-[0-9]+$"
				}
			},
			"assumeRole": {
				"description": "The role to assume there. Omitted: the caller's own credentials.",
				"type": "object",
				"required": [
					"roleArn"
				],
				"properties": {
					"roleArn": {
						"description": "ARN of the role.",
						"type": "string",
						"pattern": "^arn:[a-z-]+:iam::[0-9]{12}:role/.+$"
					},
					"externalId": {
						"description": "External id that its trust policy asks for.",
						"type": "string",
						"minLength": 2,
						"maxLength": 1224
					}
				},
				"additionalProperties": false
			},
			"rolePath": {
				"description": "Default path for every managed role.",
				"type": "string",
				"pattern": "^/([\\x21-\\x7E]+/)?$",
				"maxLength": 512,
				"default": "/ecs-access/"
			},
			"permissionsBoundary": {
				"description": "Default permissions boundary for every managed role, as an ARN.",
				"type": "string",
				"pattern": "^arn:[a-z-]+:iam::([0-9]{12}|aws):policy/.+$"
			},
			"vars": {
				"description": "Values for ${account.vars.NAME} in the policies.",
				"type": "object",
				"additionalProperties": {
					"description": "A value.",
					"type": "string"
				}
			},
			"deployers": {
				"description": "Roles and users that deploy, which must be able to pass the roles: PassRoleGap looks at these.",
				"type": "array",
				"items": {
					"description": "ARN of a role or user.",
					"type": "string",
					"pattern": "^arn:[a-z-]+:iam::[0-9]{12}:(role|user)/.+$"
				}
			}
		},
		"additionalProperties": false
	},
	"AdditionalTrustSpec": {
		"description": "One more statement of the trust policy.",
		"type": "object",
		"required": [
			"principals"
		],
		"properties": {
			"sid": {
				"description": "Statement id.",
				"type": "string",
				"pattern": "^[A-Za-z0-9]*$"
			},
			"principals": {
				"description": "Who.",
				"type": "object",
				"minProperties": 1,
				"properties": {
					"AWS": {
						"description": "Account ids and ARNs of roles and users.",
						"type": "array",
						"minItems": 1,
						"items": {
							"description": "A principal.",
							"type": "string",
							"minLength": 1
						}
					},
					"Service": {
						"description": "Service principals, e.g. ecs-tasks.amazonaws.com.",
						"type": "array",
						"minItems": 1,
						"items": {
							"description": "A principal.",
							"type": "string",
							"minLength": 1
						}
					},
					"Federated": {
						"description": "ARNs of identity providers.",
						"type": "array",
						"minItems": 1,
						"items": {
							"description": "A principal.",
							"type": "string",
							"minLength": 1
						}
					}
				},
				"additionalProperties": false
			},
			"actions": {
				"description": "Default [sts:AssumeRole]; for Federated it must be written.",
				"type": "array",
				"minItems": 1,
				"items": {
					"description": "An action of sts.",
					"type": "string",
					"pattern": "^sts:[A-Za-z]+$"
				}
			},
			"conditions": {
				"description": "As in a statement.",
				"type": "object",
				"additionalProperties": {
					"description": "Condition keys of one operator.",
					"type": "object",
					"additionalProperties": {
						"description": "A string, number or boolean, or a list of them."
					}
				}
			}
		},
		"additionalProperties": false
	},
	"TrustSpec": {
		"description": "Who may assume the role.",
		"type": "object",
		"properties": {
			"mode": {
				"description": "Generated: ecs-tasks.amazonaws.com, for this account and the regions of the workloads. Preserve: nothing is said of it. Default Generated; Preserve where adopt is true, so that adoption alone never changes who may assume a role.",
				"type": "string",
				"enum": [
					"Generated",
					"Preserve"
				]
			},
			"additional": {
				"description": "More principals that may assume the role; with mode Generated only.",
				"type": "array",
				"items": {
					"$ref": "#/$defs/AdditionalTrustSpec"
				}
			}
		},
		"additionalProperties": false
	},
	"PermissionSetUseSpec": {
		"description": "One use of a PermissionSet.",
		"type": "object",
		"required": [
			"name"
		],
		"properties": {
			"name": {
				"description": "Name of the PermissionSet.",
				"type": "string",
				"minLength": 1
			},
			"params": {
				"description": "Values for its parameters.",
				"type": "object",
				"additionalProperties": {
					"description": "A value.",
					"type": [
						"string",
						"integer"
					]
				}
			}
		},
		"additionalProperties": false
	},
	"StatementSpec": {
		"description": "One IAM statement. Exactly one of actions and notActions, exactly one of resources and notResources.",
		"type": "object",
		"properties": {
			"sid": {
				"description": "Statement id; letters and digits only, unique within the role. It has no meaning for access.",
				"type": "string",
				"pattern": "^[A-Za-z0-9]*$",
				"maxLength": 128
			},
			"effect": {
				"description": "Allow or Deny.",
				"type": "string",
				"enum": [
					"Allow",
					"Deny"
				],
				"default": "Allow"
			},
			"actions": {
				"description": "What may be done, e.g. s3:GetObject. Wildcards as in IAM.",
				"type": "array",
				"minItems": 1,
				"items": {
					"description": "An action, e.g. s3:GetObject.",
					"type": "string",
					"minLength": 1
				}
			},
			"notActions": {
				"description": "Everything but these.",
				"type": "array",
				"minItems": 1,
				"items": {
					"description": "An action that is left out.",
					"type": "string",
					"minLength": 1
				}
			},
			"resources": {
				"description": "ARNs, or \"*\". Interpolation as everywhere in a policy.",
				"type": "array",
				"minItems": 1,
				"items": {
					"description": "An ARN, or \"*\".",
					"type": "string",
					"minLength": 1
				}
			},
			"notResources": {
				"description": "Everything but these.",
				"type": "array",
				"minItems": 1,
				"items": {
					"description": "An ARN that is left out.",
					"type": "string",
					"minLength": 1
				}
			},
			"conditions": {
				"description": "Operator, then key, then value or values, as in IAM: { StringEquals: { \"aws:ResourceAccount\": \"${account.id}\" } }.",
				"type": "object",
				"additionalProperties": {
					"description": "Condition keys of one operator.",
					"type": "object",
					"additionalProperties": {
						"description": "A string, number or boolean, or a list of them."
					}
				}
			},
			"expiresAt": {
				"description": "RFC 3339 time at which the statement ends, by a condition in the statement itself, so also when nothing runs. Refused on a Deny.",
				"type": "string",
				"format": "date-time"
			}
		},
		"additionalProperties": false
	},
	"ExecutionRoleSpec": {
		"description": "The role with which ECS itself pulls images, writes logs and reads secrets. Omitted: not checked. Within a workload it replaces the policy's for that entry.",
		"type": "object",
		"properties": {
			"ref": {
				"description": "Name of another AccessPolicy: its role of the same use is bound here. No other field beside it.",
				"type": "string",
				"minLength": 1
			},
			"mode": {
				"description": "Managed: made and kept as git says. Unmanaged: checked and bound, never written. Derived: made and kept with the least that the workloads need, as far as git allows it.",
				"type": "string",
				"enum": [
					"Managed",
					"Unmanaged",
					"Derived"
				]
			},
			"name": {
				"description": "Role name. Default <metadata.name>-execution.",
				"type": "string",
				"minLength": 1
			},
			"path": {
				"description": "Role path. Default: the Account's rolePath for Managed, / for Unmanaged. A role that lives under another path is an error, never a re-creation.",
				"type": "string",
				"minLength": 1,
				"maxLength": 512
			},
			"allow": {
				"description": "ARN patterns of secrets, parameters and S3 objects (environment files) that a Derived role may read where a task definition asks for them, beyond those under secrets; and whole ARNs of keys that it may decrypt them with.",
				"type": "array",
				"items": {
					"description": "An ARN pattern.",
					"type": "string",
					"minLength": 1
				}
			},
			"adopt": {
				"description": "Take over an existing role of that name that nobody marked.",
				"type": "boolean",
				"default": false
			},
			"trust": {
				"$ref": "#/$defs/TrustSpec"
			},
			"permissionsBoundary": {
				"description": "ARN of a policy. Omitted: the Account's; none of either: not ours, left as it is. \"none\": remove it (only by a person's apply).",
				"type": "string",
				"minLength": 1
			},
			"permissionSets": {
				"description": "PermissionSets whose statements the role gets.",
				"type": "array",
				"items": {
					"$ref": "#/$defs/PermissionSetUseSpec"
				}
			},
			"statements": {
				"description": "Statements of the role's own.",
				"type": "array",
				"items": {
					"$ref": "#/$defs/StatementSpec"
				}
			},
			"managedPolicies": {
				"description": "ARNs of the managed policies that are attached.",
				"type": "array",
				"items": {
					"description": "ARN of a managed policy.",
					"type": "string",
					"minLength": 1
				}
			},
			"tags": {
				"description": "Tags of the role. Declared keys are ours; all other tags are not looked at.",
				"type": "object",
				"additionalProperties": {
					"description": "A value.",
					"type": "string",
					"maxLength": 256
				}
			}
		},
		"additionalProperties": false
	},
	"SecretUseSpec": {
		"description": "One environment variable that is injected. Exactly one of secret and parameter.",
		"type": "object",
		"required": [
			"container",
			"name"
		],
		"properties": {
			"container": {
				"description": "Container name.",
				"type": "string",
				"pattern": "^[A-Za-z0-9_-]{1,255}$"
			},
			"name": {
				"description": "Name of the environment variable.",
				"type": "string",
				"minLength": 1
			},
			"secret": {
				"description": "Name or ARN of a Secrets Manager secret.",
				"type": "string",
				"minLength": 1
			},
			"parameter": {
				"description": "Name or ARN of an SSM parameter.",
				"type": "string",
				"minLength": 1
			},
			"jsonKey": {
				"description": "The key of a JSON secret.",
				"type": "string",
				"pattern": "^[^:]+$"
			}
		},
		"additionalProperties": false
	},
	"WorkloadSpec": {
		"description": "Workloads of one cluster.",
		"type": "object",
		"properties": {
			"cluster": {
				"description": "Cluster name; needed where services are named.",
				"type": "string",
				"pattern": "^[A-Za-z0-9_${}.-]{1,255}$"
			},
			"region": {
				"description": "Default: the Account's region.",
				"type": "string",
				"minLength": 1
			},
			"services": {
				"description": "Services of the cluster.",
				"type": "array",
				"minItems": 1,
				"items": {
					"description": "Service name.",
					"type": "string",
					"pattern": "^[A-Za-z0-9_${}.-]{1,255}$"
				}
			},
			"taskFamilies": {
				"description": "Task definition families that are started by RunTask or a schedule.",
				"type": "array",
				"minItems": 1,
				"items": {
					"description": "Family name.",
					"type": "string",
					"pattern": "^[A-Za-z0-9_${}.-]{1,255}$"
				}
			},
			"executionRole": {
				"$ref": "#/$defs/ExecutionRoleSpec"
			},
			"secrets": {
				"description": "Secrets and parameters that the containers must be given. Within a workload they replace the policy's for that entry.",
				"type": "array",
				"items": {
					"$ref": "#/$defs/SecretUseSpec"
				}
			}
		},
		"additionalProperties": false
	},
	"TaskRoleSpec": {
		"description": "The role of the code in the containers. Omitted: these workloads run without one, and a live task role is a finding.",
		"type": "object",
		"properties": {
			"ref": {
				"description": "Name of another AccessPolicy: its role of the same use is bound here. No other field beside it.",
				"type": "string",
				"minLength": 1
			},
			"mode": {
				"description": "Managed: made and kept as git says. Unmanaged: checked and bound, never written.",
				"type": "string",
				"enum": [
					"Managed",
					"Unmanaged"
				],
				"default": "Managed"
			},
			"name": {
				"description": "Role name. Default <metadata.name>-task.",
				"type": "string",
				"minLength": 1
			},
			"path": {
				"description": "Role path. Default: the Account's rolePath for Managed, / for Unmanaged. A role that lives under another path is an error, never a re-creation.",
				"type": "string",
				"minLength": 1,
				"maxLength": 512
			},
			"adopt": {
				"description": "Take over an existing role of that name that nobody marked.",
				"type": "boolean",
				"default": false
			},
			"trust": {
				"$ref": "#/$defs/TrustSpec"
			},
			"permissionsBoundary": {
				"description": "ARN of a policy. Omitted: the Account's; none of either: not ours, left as it is. \"none\": remove it (only by a person's apply).",
				"type": "string",
				"minLength": 1
			},
			"permissionSets": {
				"description": "PermissionSets whose statements the role gets.",
				"type": "array",
				"items": {
					"$ref": "#/$defs/PermissionSetUseSpec"
				}
			},
			"statements": {
				"description": "Statements of the role's own.",
				"type": "array",
				"items": {
					"$ref": "#/$defs/StatementSpec"
				}
			},
			"managedPolicies": {
				"description": "ARNs of the managed policies that are attached.",
				"type": "array",
				"items": {
					"description": "ARN of a managed policy.",
					"type": "string",
					"minLength": 1
				}
			},
			"tags": {
				"description": "Tags of the role. Declared keys are ours; all other tags are not looked at.",
				"type": "object",
				"additionalProperties": {
					"description": "A value.",
					"type": "string",
					"maxLength": 256
				}
			}
		},
		"additionalProperties": false
	},
	"AccessPolicySpec": {
		"description": "Which ECS workloads run as which role, with which access and which secrets.",
		"type": "object",
		"properties": {
			"accountRef": {
				"description": "Name of the Account. May be omitted where the repository has one Account or none.",
				"type": "string",
				"minLength": 1
			},
			"accountRefs": {
				"description": "Names of several Accounts: one instance each, keyed NAME@ACCOUNT.",
				"type": "array",
				"minItems": 1,
				"items": {
					"description": "Name of an Account.",
					"type": "string",
					"minLength": 1
				}
			},
			"accountSelector": {
				"description": "Every Account that bears these labels, one instance each.",
				"type": "object",
				"required": [
					"matchLabels"
				],
				"properties": {
					"matchLabels": {
						"description": "Labels that an Account must have, all of them.",
						"type": "object",
						"minProperties": 1,
						"additionalProperties": {
							"description": "A value.",
							"type": "string"
						}
					}
				},
				"additionalProperties": false
			},
			"workloads": {
				"description": "The ECS services and task families that run as the role.",
				"type": "array",
				"items": {
					"$ref": "#/$defs/WorkloadSpec"
				}
			},
			"taskRole": {
				"$ref": "#/$defs/TaskRoleSpec"
			},
			"executionRole": {
				"$ref": "#/$defs/ExecutionRoleSpec"
			},
			"secrets": {
				"description": "Secrets and parameters that the containers must be given. Within a workload they replace the policy's for that entry.",
				"type": "array",
				"items": {
					"$ref": "#/$defs/SecretUseSpec"
				}
			},
			"binding": {
				"description": "Verify: report a service whose task definition carries another role or lacks a secret. Enforce: register a revision that does, and roll the service to it.",
				"type": "string",
				"enum": [
					"Verify",
					"Enforce"
				],
				"default": "Verify"
			},
			"management": {
				"description": "How the role is kept.",
				"type": "object",
				"properties": {
					"drift": {
						"description": "Enforce: what others change is put back. Report: it is only reported.",
						"type": "string",
						"enum": [
							"Enforce",
							"Report"
						],
						"default": "Enforce"
					},
					"exclusive": {
						"description": "Remove what others add to a managed role. Default true, false for a role that was taken over.",
						"type": "boolean"
					},
					"ignore": {
						"description": "What others may add. AWSRevokeOlderSessions and */AWSCompromisedKeyQuarantine* are always ignored.",
						"type": "object",
						"properties": {
							"inlinePolicies": {
								"description": "Names of inline policies; * and ? are wildcards.",
								"type": "array",
								"items": {
									"description": "A name or pattern.",
									"type": "string",
									"minLength": 1
								}
							},
							"managedPolicies": {
								"description": "ARNs of managed policies; * and ? are wildcards.",
								"type": "array",
								"items": {
									"description": "An ARN or pattern.",
									"type": "string",
									"minLength": 1
								}
							}
						},
						"additionalProperties": false
					},
					"deletion": {
						"description": "When the policy leaves git. Orphan: our tags are removed and nothing else. Delete: the role is retired, then deleted when nothing uses it.",
						"type": "string",
						"enum": [
							"Orphan",
							"Delete"
						],
						"default": "Orphan"
					},
					"retainFor": {
						"description": "How long a retired role is kept before it is deleted.",
						"type": "string",
						"pattern": "^[1-9][0-9]*(m|h|d)$",
						"default": "14d"
					}
				},
				"additionalProperties": false
			},
			"suspend": {
				"description": "Plan and report, but change nothing.",
				"type": "boolean",
				"default": false
			}
		},
		"additionalProperties": false
	},
	"ParamSpec": {
		"description": "One parameter.",
		"type": "object",
		"properties": {
			"type": {
				"description": "Type of the value.",
				"type": "string",
				"enum": [
					"string",
					"integer",
					"arn"
				],
				"default": "string"
			},
			"description": {
				"description": "What it means.",
				"type": "string"
			},
			"pattern": {
				"description": "Regular expression that the value must match.",
				"type": "string",
				"minLength": 1
			},
			"enum": {
				"description": "The values that are allowed.",
				"type": "array",
				"minItems": 1,
				"items": {
					"description": "A value.",
					"type": "string"
				}
			},
			"default": {
				"description": "Value where a policy gives none. Without it the parameter is required.",
				"type": [
					"string",
					"integer"
				]
			},
			"allowWildcards": {
				"description": "Values with * ? or $ are refused unless this is true.",
				"type": "boolean",
				"default": false
			}
		},
		"additionalProperties": false
	},
	"PermissionSetSpec": {
		"description": "Reusable statements with typed parameters.",
		"type": "object",
		"required": [
			"statements"
		],
		"properties": {
			"description": {
				"description": "What it is for, in one line.",
				"type": "string"
			},
			"params": {
				"description": "Parameters by name, used as ${param.NAME}.",
				"type": "object",
				"additionalProperties": {
					"$ref": "#/$defs/ParamSpec"
				}
			},
			"statements": {
				"description": "What a role gets.",
				"type": "array",
				"minItems": 1,
				"items": {
					"$ref": "#/$defs/StatementSpec"
				}
			}
		},
		"additionalProperties": false
	},
	"AccessGrantSpec": {
		"description": "A temporary addition to one policy, with a reason and an end.",
		"type": "object",
		"required": [
			"policyRef",
			"expiresAt",
			"reason",
			"statements"
		],
		"properties": {
			"policyRef": {
				"description": "Name of the AccessPolicy whose task role gets it.",
				"type": "string",
				"minLength": 1
			},
			"startsAt": {
				"description": "RFC 3339. Omitted: at once. Required under a guardrail's maxGrantDuration, which measures from it.",
				"type": "string",
				"format": "date-time"
			},
			"expiresAt": {
				"description": "RFC 3339. It ends even when nothing runs.",
				"type": "string",
				"format": "date-time"
			},
			"reason": {
				"description": "Why.",
				"type": "string",
				"minLength": 1
			},
			"statements": {
				"description": "What the task role gets.",
				"type": "array",
				"minItems": 1,
				"items": {
					"$ref": "#/$defs/StatementSpec"
				}
			}
		},
		"additionalProperties": false
	},
	"RotationScheduleSpec": {
		"description": "When it is rotated; omitted: only when asked (ecs-access rotate). One of every and cron.",
		"type": "object",
		"properties": {
			"every": {
				"description": "Time from one rotation to the next, at least 10m (with lambda 4h), e.g. 30d.",
				"type": "string",
				"pattern": "^[1-9][0-9]*(m|h|d)$"
			},
			"cron": {
				"description": "Five fields of crontab(5): minute, hour, day of month, month, day of week. As far apart as with every.",
				"type": "string",
				"minLength": 1
			},
			"timeZone": {
				"description": "IANA time zone of cron; default UTC.",
				"type": "string",
				"minLength": 1
			},
			"window": {
				"description": "When a rotation that is due may begin: days, times and time zone, e.g. \"Sun 02:00-04:00 Europe/Berlin\", \"Mon-Fri 22:00-02:00 UTC\", \"Sat-Mon 00:00-04:00 UTC\" or \"daily 01:00-03:00 UTC\". One that has begun goes on beyond it.",
				"type": "string",
				"minLength": 1
			}
		},
		"additionalProperties": false
	},
	"GenerateSpec": {
		"description": "Random values that only the consumers need to agree on. Refused for what looks like a database's secret: the database would never learn it.",
		"type": "object",
		"properties": {
			"keys": {
				"description": "JSON keys that get a new value; all others are kept. Omitted: the secret is one plain string.",
				"type": "array",
				"minItems": 1,
				"items": {
					"description": "A key of the secret's JSON.",
					"type": "string",
					"minLength": 1
				}
			},
			"length": {
				"description": "Characters of a new value.",
				"type": "integer",
				"minimum": 8,
				"maximum": 4096,
				"default": 40
			},
			"excludeCharacters": {
				"description": "Characters that must not occur.",
				"type": "string",
				"maxLength": 4096
			}
		},
		"additionalProperties": false
	},
	"OAuthClientSpec": {
		"description": "The client secret of an OAuth client, made or set at its identity provider.",
		"type": "object",
		"required": [
			"provider",
			"issuer",
			"clientId",
			"adminSecret"
		],
		"properties": {
			"provider": {
				"description": "The provider: okta, keycloak, auth0, or oidc for any that keeps RFC 7592.",
				"type": "string",
				"enum": [
					"okta",
					"keycloak",
					"auth0",
					"oidc"
				]
			},
			"issuer": {
				"description": "The issuer's address, e.g. https://id.acme.io/realms/main.",
				"type": "string",
				"minLength": 1
			},
			"clientId": {
				"description": "The client's id at the provider.",
				"type": "string",
				"minLength": 1
			},
			"adminSecret": {
				"description": "Name or ARN of the secret that holds what administers the client; its form is the provider's, see docs/oauth-clients.md.",
				"type": "string",
				"minLength": 1
			},
			"key": {
				"description": "The JSON key that the client secret is written to.",
				"type": "string",
				"minLength": 1,
				"default": "clientSecret"
			}
		},
		"additionalProperties": false
	},
	"LambdaSpec": {
		"description": "The secret's own rotation function makes, sets and tests the value; databases belong here.",
		"type": "object",
		"properties": {
			"functionArn": {
				"description": "The function that must be the secret's; omitted: whichever it has.",
				"type": "string",
				"minLength": 1
			}
		},
		"additionalProperties": false
	},
	"ExternalSpec": {
		"description": "Somebody else rotates it; the consumers are restarted when a new version is current.",
		"type": "object",
		"properties": {},
		"additionalProperties": false
	},
	"RotationStrategySpec": {
		"description": "Who makes the new value. Exactly one of generate, oauthClient, lambda and external.",
		"type": "object",
		"properties": {
			"generate": {
				"$ref": "#/$defs/GenerateSpec"
			},
			"oauthClient": {
				"$ref": "#/$defs/OAuthClientSpec"
			},
			"lambda": {
				"$ref": "#/$defs/LambdaSpec"
			},
			"external": {
				"$ref": "#/$defs/ExternalSpec"
			}
		},
		"additionalProperties": false
	},
	"VerifyHttpSpec": {
		"description": "An address that is asked with GET.",
		"type": "object",
		"required": [
			"url"
		],
		"properties": {
			"url": {
				"description": "The address, https. No redirect is followed.",
				"type": "string",
				"minLength": 1
			},
			"expectStatus": {
				"description": "The status that means well.",
				"type": "integer",
				"minimum": 100,
				"maximum": 599,
				"default": 200
			}
		},
		"additionalProperties": false
	},
	"VerifySpec": {
		"description": "What must answer once the first consumer, and then all of them, have the new value.",
		"type": "object",
		"properties": {
			"http": {
				"$ref": "#/$defs/VerifyHttpSpec"
			}
		},
		"additionalProperties": false
	},
	"RolloutSpec": {
		"description": "How the consumers are restarted. The first goes alone, and is verified before the rest.",
		"type": "object",
		"properties": {
			"maxParallel": {
				"description": "Services that are restarted at one time.",
				"type": "integer",
				"minimum": 1,
				"maximum": 100,
				"default": 1
			},
			"timeout": {
				"description": "How long the restart of one service, and the verification, may take.",
				"type": "string",
				"pattern": "^[1-9][0-9]*(m|h|d)$",
				"default": "15m"
			},
			"onFailure": {
				"description": "Rollback: the labels go back, then the services. Stop: everything stands still and waits for a person.",
				"type": "string",
				"enum": [
					"Rollback",
					"Stop"
				],
				"default": "Rollback"
			}
		},
		"additionalProperties": false
	},
	"SecretRotationSpec": {
		"description": "How one secret of Secrets Manager is rotated, and who is restarted with it.",
		"type": "object",
		"required": [
			"secret",
			"strategy"
		],
		"properties": {
			"accountRef": {
				"description": "Name of the Account. May be omitted where the repository has one Account or none.",
				"type": "string",
				"minLength": 1
			},
			"accountRefs": {
				"description": "Names of several Accounts: one instance each, keyed NAME@ACCOUNT.",
				"type": "array",
				"minItems": 1,
				"items": {
					"description": "Name of an Account.",
					"type": "string",
					"minLength": 1
				}
			},
			"accountSelector": {
				"description": "Every Account that bears these labels, one instance each.",
				"type": "object",
				"required": [
					"matchLabels"
				],
				"properties": {
					"matchLabels": {
						"description": "Labels that an Account must have, all of them.",
						"type": "object",
						"minProperties": 1,
						"additionalProperties": {
							"description": "A value.",
							"type": "string"
						}
					}
				},
				"additionalProperties": false
			},
			"secret": {
				"description": "Name of the secret, in the Account's region, or its ARN. Interpolation as in a policy.",
				"type": "string",
				"minLength": 1,
				"maxLength": 2048
			},
			"schedule": {
				"$ref": "#/$defs/RotationScheduleSpec"
			},
			"strategy": {
				"$ref": "#/$defs/RotationStrategySpec"
			},
			"derive": {
				"description": "JSON keys that are made anew from other keys, each by its template: { url: \"amqps://${username}:${password:uri}@broker:5671\" }. The filter uri escapes for an address.",
				"type": "object",
				"additionalProperties": {
					"description": "A template.",
					"type": "string",
					"minLength": 1
				}
			},
			"verify": {
				"$ref": "#/$defs/VerifySpec"
			},
			"consumers": {
				"description": "Auto (the default): every service whose task definition injects the secret. Or a list: { cluster, service, refresh: Restart | Self } names services instead of looking for them, Self means that it fetches the value by itself and is not restarted; { listenerRule: ARN } is a rule of a load balancer that holds a copy of the client secret. A list of listener rules alone leaves services to be found. Names and ARNs are interpolated as in a policy."
			},
			"rollout": {
				"$ref": "#/$defs/RolloutSpec"
			},
			"retireAfter": {
				"description": "How long the old value is kept after the verification; until then the way back is open.",
				"type": "string",
				"pattern": "^[1-9][0-9]*(m|h|d)$",
				"default": "24h"
			},
			"suspend": {
				"description": "Nothing is done, and that is said.",
				"type": "boolean",
				"default": false
			}
		},
		"additionalProperties": false
	},
	"GuardrailRuleSpec": {
		"description": "One rule.",
		"type": "object",
		"required": [
			"id"
		],
		"properties": {
			"id": {
				"description": "Name of the rule, unique within the guardrail.",
				"type": "string",
				"pattern": "^[a-z0-9]([a-z0-9-]*[a-z0-9])?$",
				"maxLength": 63
			},
			"description": {
				"description": "Why there is such a rule.",
				"type": "string"
			},
			"denyActions": {
				"description": "No role may do these, on any resource but those of exceptResources.",
				"type": "array",
				"minItems": 1,
				"items": {
					"description": "An action or pattern.",
					"type": "string",
					"minLength": 1
				}
			},
			"exceptResources": {
				"description": "ARN patterns on which denyActions does not speak.",
				"type": "array",
				"minItems": 1,
				"items": {
					"description": "An ARN pattern.",
					"type": "string",
					"minLength": 1
				}
			},
			"requirePermissionsBoundary": {
				"description": "Every managed role must have one of these boundaries.",
				"type": "array",
				"minItems": 1,
				"items": {
					"description": "An ARN pattern.",
					"type": "string",
					"minLength": 1
				}
			},
			"denyPlaintextSecrets": {
				"description": "No container may have a secret in plain text in its environment.",
				"type": "boolean",
				"enum": [
					true
				]
			},
			"maxGrantDuration": {
				"description": "The longest time from an AccessGrant's startsAt to its expiresAt.",
				"type": "string",
				"pattern": "^[1-9][0-9]*(m|h|d)$"
			},
			"requireApprovalFor": {
				"description": "Changes that wait for an Approval.",
				"type": "array",
				"minItems": 1,
				"items": {
					"description": "A kind of change.",
					"type": "string",
					"enum": [
						"broadens",
						"deletes"
					]
				}
			},
			"privilegeEscalation": {
				"description": "No role may reach more than it was given by a known path (not in this version).",
				"type": "boolean"
			}
		},
		"additionalProperties": false
	},
	"GuardrailExceptionSpec": {
		"description": "One exception.",
		"type": "object",
		"required": [
			"policy",
			"rule",
			"reason",
			"expiresAt"
		],
		"properties": {
			"policy": {
				"description": "Name of the AccessPolicy.",
				"type": "string",
				"minLength": 1
			},
			"rule": {
				"description": "Id of the rule.",
				"type": "string",
				"minLength": 1
			},
			"reason": {
				"description": "Why.",
				"type": "string",
				"minLength": 1
			},
			"expiresAt": {
				"description": "RFC 3339.",
				"type": "string",
				"format": "date-time"
			}
		},
		"additionalProperties": false
	},
	"GuardrailSpec": {
		"description": "What no policy may do, whoever wrote it. Below platform/.",
		"type": "object",
		"required": [
			"enforcement",
			"rules"
		],
		"properties": {
			"enforcement": {
				"description": "Deny: it must not happen. Warn: it is said.",
				"type": "string",
				"enum": [
					"Deny",
					"Warn"
				]
			},
			"match": {
				"description": "Which policies it speaks of; omitted: every one. All of those given must hold.",
				"type": "object",
				"properties": {
					"accounts": {
						"description": "Names of Accounts.",
						"type": "array",
						"minItems": 1,
						"items": {
							"description": "Name of an Account.",
							"type": "string",
							"minLength": 1
						}
					},
					"clusters": {
						"description": "Clusters of the workloads; * and ? are wildcards.",
						"type": "array",
						"minItems": 1,
						"items": {
							"description": "A cluster or pattern.",
							"type": "string",
							"minLength": 1
						}
					},
					"paths": {
						"description": "Files of the policies, relative to the source root; * and ? are wildcards.",
						"type": "array",
						"minItems": 1,
						"items": {
							"description": "A path or pattern.",
							"type": "string",
							"minLength": 1
						}
					},
					"labels": {
						"description": "Labels of the policy; only where enforcement is Warn, because its author writes them.",
						"type": "object",
						"minProperties": 1,
						"additionalProperties": {
							"description": "A value.",
							"type": "string"
						}
					}
				},
				"additionalProperties": false
			},
			"rules": {
				"description": "The rules. Each has an id and exactly one thing it asks for.",
				"type": "array",
				"minItems": 1,
				"items": {
					"$ref": "#/$defs/GuardrailRuleSpec"
				}
			},
			"exceptions": {
				"description": "Policies for which a rule does not speak, with a reason and an end.",
				"type": "array",
				"items": {
					"$ref": "#/$defs/GuardrailExceptionSpec"
				}
			}
		},
		"additionalProperties": false
	},
	"ApprovalSpec": {
		"description": "A person's word for steps that wait. Below platform/. Written by ecs-access approve.",
		"type": "object",
		"required": [
			"approvalId",
			"reason"
		],
		"properties": {
			"approvalId": {
				"description": "The full digest that plan shows, in quotes.",
				"type": "string",
				"pattern": "^sha256:[0-9a-f]{64}$"
			},
			"reason": {
				"description": "Why.",
				"type": "string",
				"minLength": 1
			},
			"expiresAt": {
				"description": "RFC 3339.",
				"type": "string",
				"format": "date-time"
			}
		},
		"additionalProperties": false
	}
};
