import type { AccountId, Arn, Instant, Region, Tags } from "./ids.ts";
import type { HttpCheck, OAuthClient } from "./oauth-client.ts";
import type { RotationSchedule } from "./rotation-schedule.ts";
import type { PastDeployment, ServiceState, Target } from "./target.ts";

/** How the new value is made, and who must learn it. */
export type RotationStrategy =
	/** Random values under these JSON keys; no keys: the secret is one plain string. */
	| { readonly type: "generate"; readonly keys: readonly string[]; readonly length: number; readonly excludeCharacters: string }
	| { readonly type: "oauthClient"; readonly client: OAuthClient; readonly adminSecret: string; readonly key: string }
	/** The secret's own rotation function does it. */
	| { readonly type: "lambda"; readonly functionArn: Arn }
	/** Somebody else does it; the consumers are rolled. */
	| { readonly type: "external" };

/** A consumer that git names itself. */
export type ConsumerWanted =
	| { readonly cluster: string; readonly service: string; readonly refresh: "Restart" | "Self" }
	/** A rule of a load balancer that holds a copy of the client secret (aws-facts §7.2). */
	| { readonly listenerRule: Arn };

/** What git says of the rotation of one secret. */
export interface RotationWanted {
	readonly strategy: RotationStrategy;
	/** Null: only when asked. */
	readonly schedule: RotationSchedule | null;
	/** Keys that are made anew from other keys, by their templates. */
	readonly derive: Readonly<Record<string, string>>;
	readonly verify: HttpCheck | null;
	/** `named`: what git says beside, or instead of, those that are found. */
	readonly consumers: { readonly auto: boolean; readonly named: readonly ConsumerWanted[] };
	readonly maxParallel: number;
	/** Milliseconds that the roll of one service, and the verification, may take. */
	readonly timeoutMs: number;
	readonly onFailure: "Rollback" | "Stop";
	/** Milliseconds from the verification until the old value is retired at its provider. */
	readonly retireAfterMs: number;
	/** Where consumers are looked for. */
	readonly regions: readonly Region[];
	readonly suspended: boolean;
}

/** One place in a task definition where the secret is injected. */
export interface SecretUse {
	/** `app/DATABASE_URL`; of a log driver or a registry: what it is. */
	readonly place: string;
	readonly via: "secrets" | "secretOptions" | "repositoryCredentials";
	readonly jsonKey: string | null;
	readonly versionStage: string | null;
	/** A pinned one is never refreshed by a restart (aws-facts §4.3). */
	readonly versionId: string | null;
}

/** A task of a consumer that runs, or is about to. */
export interface ConsumerTask {
	readonly arn: Arn;
	readonly createdAt: Instant;
	readonly status: string;
	readonly taskDefinition: Arn;
}

/** A service whose task definition injects the secret, or that git names. */
export interface ConsumerService {
	readonly target: Target<"ecs.service">;
	/** Empty where git names the service and its task definition does not inject the secret. */
	readonly uses: readonly SecretUse[];
	/** Null: it is not there. */
	readonly state: ServiceState | null;
	/** Those that are to run; null: not looked at. */
	readonly tasks: readonly ConsumerTask[] | null;
	/** What was rolled out to it lately, the newest first; empty where nothing was since. Null: not looked at. */
	readonly past: readonly PastDeployment[] | null;
	/** Other secrets of its that are on their way to a new value, by ARN, and not there yet. */
	readonly awaits: readonly Arn[];
}

/** A family that a schedule or rule starts: its next task reads the new value by itself. */
export interface ConsumerFamily {
	readonly region: Region;
	readonly cluster: string | null;
	readonly family: string;
	readonly uses: readonly SecretUse[];
}

/** A listener rule that git names. `version`: of the secret that it was given last, as its tag says. */
export interface ConsumerRule {
	readonly arn: Arn;
	readonly version: string | null;
	/** Why it cannot be given a client secret: not there, no authenticate-oidc action, another client. */
	readonly fault: string | null;
}

/** Who uses a secret. */
export interface Consumers {
	readonly services: readonly ConsumerService[];
	readonly families: readonly ConsumerFamily[];
	readonly rules: readonly ConsumerRule[];
	/** What could not be looked at, in words: a rotation does not begin without knowing. */
	readonly unread: readonly string[];
}

/** Asks who uses a secret. */
export interface ConsumersReference {
	readonly type: "secret.consumers";
	readonly account: AccountId;
	readonly secret: Arn;
	readonly regions: readonly Region[];
	readonly auto: boolean;
	readonly named: readonly ConsumerWanted[];
	/** While consumers are rolled: since when. Their tasks, and what was rolled out since, are then looked at, too. */
	readonly since: Instant | null;
}

/** Marks to be written with a call that succeeded. `at` get the time at which it had. */
export interface RotationMarks {
	readonly set: Tags;
	readonly at: readonly string[];
	readonly remove: readonly string[];
}

/** What the calls of a rotation need to find the value in question. */
export interface OAuthStep {
	readonly secret: Arn;
	/** The version that holds, or gets, the new value; it is the rotation's id too. */
	readonly version: string;
	readonly previous: string;
	readonly client: OAuthClient;
	readonly adminSecret: string;
	readonly key: string;
	readonly derive: Readonly<Record<string, string>>;
	readonly began: Instant;
	/** Of the new secret at the provider; null: not known, or it has none. */
	readonly providerId: string | null;
}

interface MarkedOAuthStep extends OAuthStep {
	readonly marks: RotationMarks;
}

/**
 * One step of a rotation. Values live within a call alone: what is made, sent or tested is read from the secret's versions
 * by stage or id, and no call, mark or answer holds it.
 */
export type RotationCall =
	| { readonly api: "secretsmanager:TagResource"; readonly input: { readonly secret: Arn; readonly marks: RotationMarks } }
	| {
			/** Makes the AWSPENDING version `version`, or finds it made. */
			readonly api: "secretsmanager:PutSecretValue";
			readonly input: {
				readonly secret: Arn;
				readonly version: string;
				readonly keys: readonly string[];
				readonly length: number;
				readonly excludeCharacters: string;
				readonly derive: Readonly<Record<string, string>>;
				/** Refuse what looks like a database's secret (KINDS.md, SecretRotation). */
				readonly refuseDatabase: boolean;
			};
	  }
	| {
			readonly api: "secretsmanager:UpdateSecretVersionStage";
			readonly input: {
				readonly secret: Arn;
				readonly label: string;
				readonly to: string | null;
				readonly from: string | null;
				readonly marks: RotationMarks;
			};
	  }
	| {
			readonly api: "secretsmanager:RotateSecret";
			readonly input: { readonly secret: Arn; readonly version: string };
	  }
	/** Gives the provider the pending value, or takes the provider's and makes AWSPENDING of it. */
	| { readonly api: "oauth:CreateSecret"; readonly input: OAuthStep }
	/** A real token request with the pending value. */
	| { readonly api: "oauth:TestSecret"; readonly input: MarkedOAuthStep }
	/** `DeactivateOld`, `RemoveOld`: all but the new one. `RemoveNew`, or the old value put back: the way back. */
	| { readonly api: "oauth:DeactivateOld"; readonly input: MarkedOAuthStep }
	| { readonly api: "oauth:RemoveOld"; readonly input: MarkedOAuthStep }
	| { readonly api: "oauth:RemoveNew"; readonly input: MarkedOAuthStep }
	| {
			readonly api: "https:Get";
			readonly input: { readonly secret: Arn; readonly check: HttpCheck; readonly marks: RotationMarks };
	  }
	| {
			readonly api: "elasticloadbalancing:ModifyRule";
			readonly input: { readonly secret: Arn; readonly rule: Arn; readonly version: string; readonly key: string };
	  };

/** On a service: its tasks are replaced, and nothing of it changes. */
export interface RestartCall {
	readonly api: "ecs:ForceNewDeployment";
	readonly input: { readonly cluster: string; readonly service: string };
}
