import { describe, expect, test } from "vitest";
import { ofPolicy } from "./checked.ts";

describe("a role whose fields do not fit", () => {
	const long = "a".repeat(65);
	const cases: readonly (readonly [what: string, spec: string, findings: readonly string[]])[] = [
		[
			"a name of 65 characters",
			`taskRole: { name: ${long} }`,
			[`5:21 error InvalidRoleName role name "${long}" has 65 characters, IAM allows 64 -> give the role a shorter name`],
		],
		[
			"a space in the name",
			"taskRole: { name: a b }",
			['5:21 error InvalidRoleName role name "a b" holds what IAM does not allow -> letters, digits and +=,.@_-'],
		],
		[
			"an ARN for the name",
			"taskRole: { name: 'arn:aws:iam::123456789012:role/x/a' }",
			['5:21 error InvalidRoleName "arn:aws:iam::123456789012:role/x/a" is an ARN, a role name is wanted -> write name: a'],
		],
		[
			"a role of another account",
			"taskRole: { name: 'arn:aws:iam::210987654321:role/a' }",
			[
				"5:21 error OutsideAccount role arn:aws:iam::210987654321:role/a is in another account -> this policy is for 123456789012",
			],
		],
		[
			"a service-linked role",
			"taskRole: { name: AWSServiceRoleForECS }",
			["5:21 error ReservedRole role /ecs-access/AWSServiceRoleForECS belongs to AWS -> name another"],
		],
		[
			"an Identity Center role",
			"taskRole: { name: a, path: /aws-reserved/sso/ }",
			["5:21 error ReservedRole role /aws-reserved/sso/a belongs to AWS -> name another"],
		],
		[
			"a path without its end",
			"taskRole: { path: /a }",
			['5:21 error InvalidRoleName path "/a" must begin and end with / -> e.g. /ecs-access/'],
		],
		[
			"a boundary of another account",
			"taskRole: { permissionsBoundary: 'arn:aws:iam::210987654321:policy/b' }",
			[
				"5:36 error OutsideAccount policy arn:aws:iam::210987654321:policy/b is in another account -> this policy is for 123456789012",
			],
		],
		[
			"an attachment that is no policy",
			"taskRole: { managedPolicies: [ReadOnlyAccess] }",
			[
				'5:33 error InvalidValue "ReadOnlyAccess" is not the ARN of a managed policy -> e.g. arn:aws:iam::aws:policy/ReadOnlyAccess',
			],
		],
		[
			"one attachment twice",
			"taskRole: { managedPolicies: [&a 'arn:aws:iam::aws:policy/A', *a] }",
			["5:65 error InvalidRole managed policy arn:aws:iam::aws:policy/A is named twice -> delete one"],
		],
		[
			"one of our marks",
			"taskRole: { tags: { ECS-Access.dev/owner: x } }",
			['5:23 error ReservedTag tag "ECS-Access.dev/owner" is one of this program\'s marks -> delete it'],
		],
		[
			"two tags that IAM takes for one",
			"taskRole: { tags: { team: a, Team: b } }",
			['5:32 error ReservedTag tags "team" and "Team" are one tag to IAM -> keep one'],
		],
		[
			"a tag value that IAM refuses",
			"taskRole: { tags: { owner: 'a*b' } }",
			['5:30 error InvalidValue tag value "a*b" is not possible in IAM -> letters, digits, spaces and _.:/=+-@'],
		],
		[
			"fields beside a ref",
			"taskRole: { ref: orders, name: a }",
			[
				'5:28 error InvalidRole a role by ref has no field "name": the other policy says it all -> delete it, or delete ref',
				"5:20 error CircularReference the task role refers in a circle: orders -> orders",
			],
		],
		[
			"statements of a role that is never written",
			"taskRole: { mode: Unmanaged, name: a, statements: [] }",
			['5:41 error InvalidRole "statements" says nothing of a role that is never written -> delete it, or write mode: Managed'],
		],
		[
			"an execution role without a mode",
			"executionRole: { name: a }",
			[
				"5:3 error MissingField an execution role needs its mode, or a ref -> add mode: Unmanaged to check it only, or mode: Managed",
			],
		],
		[
			"an Unmanaged role without a name",
			"executionRole: { mode: Unmanaged }",
			["5:3 error MissingField an Unmanaged role needs its name -> add name"],
		],
		[
			"a Derived execution role, with all that it may have",
			'executionRole: { mode: Derived, name: a, adopt: true, tags: { team: a }, allow: ["arn:aws:secretsmanager:*:*:secret:orders/*", "arn:${account.partition}:ssm:eu-west-1:${account.id}:parameter/orders/*", "arn:aws:s3:::config/orders/*.env", "arn:aws:kms:eu-west-1:${account.id}:key/0a1b", "arn:aws:kms:eu-west-1:${account.id}:alias/orders"] }',
			[],
		],
		[
			"statements of a Derived role",
			"executionRole: { mode: Derived, statements: [] }",
			[
				'5:35 error InvalidRole "statements" has no meaning for a Derived role: it gets what its workloads need -> delete it, or write mode: Managed',
			],
		],
		[
			"patterns that a Derived role cannot have",
			'executionRole: { mode: Derived, allow: ["*", "arn:aws:iam::123456789012:role/x", "arn:aws:kms:eu-west-1:123456789012:key/*"] }',
			[
				'5:43 error InvalidValue "*" is no pattern of secrets, parameters, files in S3 or keys -> e.g. arn:aws:secretsmanager:eu-west-1:123456789012:secret:orders/*',
				'5:48 error InvalidValue "arn:aws:iam::123456789012:role/x" is no pattern of secrets, parameters, files in S3 or keys -> e.g. arn:aws:secretsmanager:eu-west-1:123456789012:secret:orders/*',
				'5:84 error InvalidValue "arn:aws:kms:eu-west-1:123456789012:key/*" is not the whole ARN of one key -> e.g. arn:aws:secretsmanager:eu-west-1:123456789012:secret:orders/*',
			],
		],
		[
			"allow of a role that is not Derived",
			"executionRole: { mode: Unmanaged, name: a, allow: [] }",
			["5:46 error InvalidRole allow bounds a Derived role, and nothing else -> delete it, or write mode: Derived"],
		],
		["binding: Enforce", "binding: Enforce", []],
		[
			"more principals of a preserved trust",
			"taskRole: { trust: { mode: Preserve, additional: [] } }",
			[
				"5:40 error InvalidRole additional has no meaning where the trust is preserved as it is -> write mode: Generated, or delete it",
			],
		],
		[
			"a cluster in the source ARN",
			"taskRole: { trust: { additional: [{ principals: { Service: [ecs-tasks.amazonaws.com] }, conditions: { ArnLike: { 'aws:SourceArn': 'arn:aws:ecs:eu-west-1:123456789012:cluster/prod' } } }] } }",
			[
				'5:133 error ClusterScopedTrust aws:SourceArn "arn:aws:ecs:eu-west-1:123456789012:cluster/prod" names more than account and region, which does not work on ECS -> end it with :* after the account id',
			],
		],
		[
			"a trust that anybody could use",
			"taskRole: { trust: { additional: [{ principals: { AWS: ['*'] } }] } }",
			[
				"5:59 error PublicTrust the trust would let anybody, in any AWS account, assume the role -> name an account or a role, or add conditions",
			],
		],
		[
			"a Federated principal without actions",
			"taskRole: { trust: { additional: [{ principals: { Federated: ['arn:aws:iam::123456789012:oidc-provider/a.b'] } }] } }",
			["5:37 error MissingField a Federated principal needs its actions -> add actions: [sts:AssumeRoleWithWebIdentity]"],
		],
		[
			"services without their cluster",
			"workloads: [{ services: [a] }]",
			["5:17 error MissingField services need their cluster -> add cluster"],
		],
		[
			"a workload that names nothing",
			"workloads: [{ cluster: a }]",
			["5:15 error MissingField a workload names services or taskFamilies -> add one of them"],
		],
		[
			"a region of nobody's",
			"workloads: [{ cluster: a, region: us-east-1, services: [b] }]",
			[
				'5:37 error UnknownRegion region "us-east-1" is not among those of Account "prod": eu-west-1 -> correct it, or add it to the Account\'s regions',
			],
		],
		[
			"secret and parameter",
			"secrets: [{ container: a, name: B, secret: c, parameter: d }]",
			["5:13 error InvalidValue a/B has both secret and parameter -> write one of them"],
		],
		[
			"a key of a parameter",
			"secrets: [{ container: a, name: B, parameter: d, jsonKey: e }]",
			["5:52 error InvalidValue a parameter has no JSON keys -> delete it, or use a secret"],
		],
		[
			"one variable twice",
			"secrets: [{ container: a, name: B, secret: c }, { container: a, name: B, secret: d }]",
			["5:73 error DuplicateClaim secret variable a/B is also in line 5 -> keep one"],
		],
		[
			"a pinned secret",
			"secrets: [{ container: a, name: B, secret: 'arn:aws:secretsmanager:eu-west-1:123456789012:secret:c:k::' }]",
			["5:46 error InvalidValue the key stands in jsonKey, and versions are not pinned -> a name, or a whole ARN"],
		],
		[
			"the cluster where there are two",
			"workloads: [{ cluster: a, services: [s] }, { cluster: b, services: [s] }]\ntaskRole: { name: 'x-${workload.cluster}' }",
			[
				'6:24 error AmbiguousCluster "${workload.cluster}" stands for no one cluster: the workloads name several or none -> write the cluster\'s name, or split the policy',
			],
		],
	];
	test.each(cases)("%s", (_, spec, findings) => {
		expect(ofPolicy(spec)).toEqual(findings);
	});

	test("one role in two uses is a warning: ECS's own rights become the containers'", () => {
		expect(ofPolicy("taskRole: { name: both }\nexecutionRole: { mode: Unmanaged, name: both }")).toEqual([
			"6:43 warning SharedRole role both is both task and execution role: the containers may do all that ECS itself needs -> give ECS a role of its own",
		]);
	});

	test("a policy over the quota is refused with the figures", () => {
		const many = Array.from(
			{ length: 120 },
			(_, n) => `    - { actions: [s3:GetObject], resources: ["arn:aws:s3:::a-bucket-with-a-rather-long-name-${n}/*"] }`,
		).join("\n");
		const [finding, ...others] = ofPolicy(`taskRole:\n  statements:\n${many}`);
		expect(others).toEqual([]);
		expect(finding).toMatch(
			/^5:3 error SizeExceeded the policy of role orders-task has 1\d,\d{3} characters, IAM allows 10,240 -> /,
		);
	});

	test("more attachments than IAM takes by default are a warning, more than it ever takes an error", () => {
		const attached = (n: number) =>
			ofPolicy(
				`taskRole: { managedPolicies: [${Array.from({ length: n }, (_, i) => `"arn:aws:iam::aws:policy/P${i}"`).join(", ")}] }`,
			);
		expect(attached(10)).toEqual([]);
		expect(attached(11)).toEqual([
			expect.stringContaining(
				"warning QuotaExceeded 11 managed policies are attached to role orders-task, IAM allows 10 by default",
			),
		]);
		expect(attached(26)).toEqual([
			expect.stringContaining("error QuotaExceeded 26 managed policies are attached to role orders-task, IAM allows 25"),
		]);
	});
});
