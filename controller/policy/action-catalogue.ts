/** What AWS's services can be asked to do. Names are matched case-insensitively, as IAM does. */
export interface ActionCatalogue {
	/** Whether there is a service of that prefix (`s3`). */
	readonly isService: (prefix: string) => boolean;
	/** `s3:GetObject` and so on, sorted; empty for an unknown service. */
	readonly actionsOf: (prefix: string) => readonly string[];
	readonly has: (action: string) => boolean;
	/** What was probably meant by an action that does not exist; null when nothing is near. */
	readonly nearest: (action: string) => string | null;
	/** The actions that a pattern (`s3:Get*`) matches, sorted within a service. */
	readonly matching: (pattern: string) => readonly string[];
	/** The ARN patterns (`arn:*:sqs:*:*:*`) that the action can be asked about; empty: it takes `*` only, or is unknown. */
	readonly resourcesOf: (action: string) => readonly string[];
}
