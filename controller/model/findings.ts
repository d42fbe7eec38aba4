/**
 * Every id a Finding may have, with what it says in one line: for SARIF, JUnit and the docs. An id is stable; a message is
 * not.
 */
export const FINDINGS: Readonly<Record<string, string>> = {
	// of the files
	InvalidYaml: "A file is not YAML, or uses what is not allowed here",
	UnknownApiVersion: "A document's apiVersion is not ecs-access.dev/v1alpha1",
	UnknownKind: "A document is of a kind that does not exist",
	NotInThisVersion: "What is asked for is known and not yet possible",
	UnknownField: "A field does not exist",
	MissingField: "A field that is needed is not there",
	InvalidType: "A field holds a value of the wrong type",
	InvalidValue: "A field holds a value that is not allowed",
	InvalidTime: "A field does not hold a time",
	DuplicateName: "Two documents of one kind have one name",
	PlatformOnly: "A document of the platform team's stands outside platform/",
	PlatformDepth: "A folder platform/ stands at another depth than the root's",
	// of references
	UnknownReference: "A document names another that does not exist",
	CircularReference: "Policies refer to each other's roles in a circle",
	AmbiguousAccount: "A policy does not say which of several accounts it is for",
	NoAccount: "A policy's selector matches no account",
	DuplicateAccount: "Two Accounts have one account id",
	UnknownRegion: "A workload is in a region that its Account does not list",
	UnknownVariable: "An interpolation names what does not exist",
	AmbiguousCluster: "The cluster is asked for where the workloads have several or none",
	InvalidParameter: "A parameter of a PermissionSet is missing, unknown or not allowed",
	UnusedPermissionSet: "No policy uses a PermissionSet",
	// of claims
	DuplicateClaim: "Two policies claim one role, service, family or secret variable",
	ReservedRole: "A role that AWS owns is claimed",
	OutsideAccount: "Something of another account is claimed",
	SharedRole: "One role is both task and execution role",
	// of roles
	InvalidRole: "A role's fields do not fit together",
	InvalidRoleName: "A role name or path that IAM refuses",
	InvalidStatement: "A statement that IAM refuses or that cannot mean what it says",
	InvalidCharacter: "A character that IAM does not allow in a policy document",
	UnknownAction: "An action that does not exist",
	UnknownService: "An action of a service that does not exist",
	MatchesNothing: "A pattern that matches no action",
	DuplicateSid: "Two statements of one role have one sid",
	ClusterScopedTrust: "A trust policy names a cluster, which does not work on ECS",
	SizeExceeded: "A policy document is larger than IAM allows",
	QuotaExceeded: "More of something than IAM allows by default",
	ReservedTag: "A tag that is one of this program's marks",
	RoleMissing: "A role that is only checked does not exist",
	PathDiffers: "A role lives under another path than git says",
	NotRead: "Something in AWS could not be read",
	// of time
	Expired: "An entry in git whose time is over",
	GrantWindow: "A grant ends before it begins",
	DuplicateGrant: "Two grants of one policy say the same for the same time",
	// of guardrails
	InvalidGuardrail: "A rule that cannot be evaluated",
};
