import {
	ecsTasksTrust,
	type RoleSeed,
	roleSeed,
	type SeedData,
	type SeedStatement,
	type ServiceSeed,
	seedDocument,
	serviceSeed,
	type TaskDefinitionSeed,
	taskDefinitionSeed,
} from "./seed-data.ts";

/** The demo company's account. */
export const companyAccount = "123456789012";

const region = "eu-west-1";
const executionPolicy = "arn:aws:iam::aws:policy/service-role/AmazonECSTaskExecutionRolePolicy";

const allow = (Action: string | readonly string[], Resource: string | readonly string[], Sid?: string): SeedStatement => ({
	...(Sid === undefined ? {} : { Sid }),
	Effect: "Allow",
	Action,
	Resource,
});

/** Repeated, by copy and paste, in the role of nearly every service: the candidates for a PermissionSet. */
const tracing = allow(["xray:PutTraceSegments", "xray:PutTelemetryRecords"], "*", "Tracing");

/**
 * "acme": two clusters, fourteen services, and the sins that fifteen people leave behind in five years.
 * The comments name the sin; the data is what `import` and `plan` get to see.
 */
export function company(account: string = companyAccount): SeedData {
	const role = (name: string) => `arn:aws:iam::${account}:role/${name}`;
	const arn = (service: string, resource: string) => `arn:aws:${service}:${region}:${account}:${resource}`;
	const secret = (name: string) => arn("secretsmanager", `secret:${name}`);
	const execution = { executionRoleArn: role("ecsTaskExecutionRole") };
	const events: SeedStatement = allow("events:PutEvents", arn("events", "event-bus/acme"), "Events");
	const task = (family: string, more: Parameters<typeof taskDefinitionSeed>[1] = {}) =>
		taskDefinitionSeed(family, { taskRoleArn: role(`${family}-task`), ...execution, ...more });

	const roles: RoleSeed[] = [
		roleSeed("Admin", [], {
			trust: trusting({ AWS: `arn:aws:iam::${account}:root` }),
			attached: ["arn:aws:iam::aws:policy/AdministratorAccess"],
			description: "People of the platform team",
		}),
		// One execution role for all: every service can read every secret.
		roleSeed("ecsTaskExecutionRole", [allow("secretsmanager:GetSecretValue", secret("prod/*"))], { attached: [executionPolicy] }),
		roleSeed("ecsEventsRole", [], {
			trust: trusting({ Service: "events.amazonaws.com" }),
			attached: ["arn:aws:iam::aws:policy/service-role/AmazonEC2ContainerServiceEventsRole"],
		}),
		// The deploy pipeline may pass the roles of today, one by one: a new role is a PassRole gap.
		roleSeed(
			"github-deploy",
			[
				allow(["ecs:RegisterTaskDefinition", "ecs:UpdateService", "ecs:Describe*"], "*"),
				allow("iam:PassRole", [role("ecsTaskExecutionRole"), role("orders-api-task"), role("web-task")]),
			],
			{ trust: trusting({ AWS: `arn:aws:iam::${account}:root` }), description: "CI" },
		),
		roleSeed("orders-api-task", [
			allow(
				["dynamodb:GetItem", "dynamodb:PutItem", "dynamodb:UpdateItem", "dynamodb:Query"],
				[arn("dynamodb", "table/orders"), arn("dynamodb", "table/orders/index/*")],
			),
			allow(["sqs:SendMessage", "sqs:GetQueueUrl"], arn("sqs", "orders-events")),
			events,
			tracing,
		]),
		// Edited by hand one night, and never again.
		handEdited(
			roleSeed("billing-task", [
				allow(["s3:GetObject", "s3:PutObject"], "arn:aws:s3:::acme-invoices/*"),
				allow("s3:ListBucket", "arn:aws:s3:::acme-invoices"),
				allow(["kms:Decrypt", "kms:GenerateDataKey"], arn("kms", "key/6f5c2d0e-6e0a-4a8e-9c5c-2f6d6f1f7d11")),
				events,
				tracing,
			]),
			"quick-fix",
			allow("s3:*", "*"),
		),
		roleSeed("search-task", [
			allow(["es:ESHttpGet", "es:ESHttpPost"], `${arn("es", "domain/catalogue")}/*`),
			allow("s3:GetObject", "arn:aws:s3:::acme-catalogue/*"),
			tracing,
		]),
		roleSeed("catalogue-task", [
			allow(["dynamodb:GetItem", "dynamodb:Query", "dynamodb:Scan"], arn("dynamodb", "table/catalogue")),
			allow(["s3:GetObject", "s3:PutObject"], "arn:aws:s3:::acme-catalogue/*"),
			events,
			tracing,
		]),
		roleSeed("web-task", [allow("s3:GetObject", "arn:aws:s3:::acme-assets/*"), tracing]),
		roleSeed("auth-task", [
			allow(["dynamodb:GetItem", "dynamodb:PutItem", "dynamodb:DeleteItem"], arn("dynamodb", "table/sessions")),
			allow(["kms:Sign", "kms:GetPublicKey"], arn("kms", "key/0b9f9a3e-51b0-4f0b-8a39-6a3d3f5a9c42")),
			tracing,
		]),
		roleSeed("notifications-task", [
			allow(["ses:SendEmail", "ses:SendTemplatedEmail"], `arn:aws:ses:${region}:${account}:identity/acme.example`),
			allow(["sqs:ReceiveMessage", "sqs:DeleteMessage", "sqs:GetQueueAttributes"], arn("sqs", "orders-events")),
			tracing,
		]),
		roleSeed(
			"reports-task",
			[allow(["athena:StartQueryExecution", "athena:GetQueryResults"], arn("athena", "workgroup/reports"))],
			{
				attached: ["arn:aws:iam::aws:policy/AmazonS3ReadOnlyAccess", `arn:aws:iam::${account}:policy/acme-log-writing`],
			},
		),
		// Can make itself anything: iam:* in a task role.
		roleSeed("admin-task", [allow("iam:*", "*"), allow(["ecs:*", "logs:*"], "*")]),
		// Task role and execution role in one: the application can pull any image and read its own start-up secrets.
		roleSeed(
			"legacy-batch",
			[
				allow(["s3:GetObject", "s3:PutObject", "s3:DeleteObject"], "arn:aws:s3:::acme-batch/*"),
				allow("secretsmanager:GetSecretValue", secret("prod/legacy-batch-*")),
			],
			{ attached: [executionPolicy] },
		),
		roleSeed("orders-nightly-task", [
			allow(["dynamodb:Scan", "dynamodb:Query"], arn("dynamodb", "table/orders")),
			allow("s3:PutObject", "arn:aws:s3:::acme-exports/orders/*"),
		]),
		roleSeed("grafana-task", [allow(["cloudwatch:GetMetricData", "cloudwatch:ListMetrics"], "*")]),
		roleSeed("checkout-task", [allow("sqs:SendMessage", arn("sqs", "orders-events"))]),
		// Nobody uses it any more.
		roleSeed("recommendations-task", [allow("personalize:GetRecommendations", "*")]),
	];

	const taskDefinitions: TaskDefinitionSeed[] = [
		task("orders-api"),
		task("orders-api", {
			environment: { STAGE: "prod", TABLE: "orders" },
			secrets: { DB_PASSWORD: `${secret("prod/orders-db-AbCdEf")}:password::`, STRIPE_KEY: secret("prod/stripe-GhIjKl") },
		}),
		task("billing", {
			environment: { BUCKET: "acme-invoices" },
			secrets: { DB_PASSWORD: `${secret("prod/billing-db-MnOpQr")}:password::` },
		}),
		task("search"),
		task("catalogue"),
		task("web", { environment: { ASSETS: "https://assets.acme.example" } }),
		task("auth", { secrets: { OIDC_CLIENT_SECRET: `${secret("prod/auth-oidc-StUvWx")}:client_secret::` } }),
		// A password in plain text, for anyone who may describe a task definition.
		task("notifications", { environment: { SMTP_HOST: "smtp.acme.example", SMTP_PASSWORD: "correct-horse-battery" } }),
		task("reports"),
		taskDefinitionSeed("legacy-batch", {
			taskRoleArn: role("legacy-batch"),
			executionRoleArn: role("legacy-batch"),
			secrets: { TOKEN: secret("prod/legacy-batch-YzAbCd") },
		}),
		task("admin"),
		task("grafana"),
		// Needs no AWS, so has no task role.
		taskDefinitionSeed("status-page", execution),
		task("checkout"),
		task("orders-nightly", { environment: { EXPORT: "s3://acme-exports/orders" } }),
	];

	const services: ServiceSeed[] = [
		serviceSeed("prod", "orders-api", { desiredCount: 3, tags: { team: "orders" } }),
		serviceSeed("prod", "billing", { desiredCount: 2, tags: { team: "billing" } }),
		serviceSeed("prod", "search", { desiredCount: 2, tags: { team: "catalogue" } }),
		serviceSeed("prod", "catalogue", { desiredCount: 2, tags: { team: "catalogue" } }),
		// CodeDeploy moves it, not we.
		serviceSeed("prod", "web", { desiredCount: 4, deploymentController: "CODE_DEPLOY", tags: { team: "web" } }),
		serviceSeed("prod", "auth", { desiredCount: 2, tags: { team: "platform" } }),
		serviceSeed("prod", "notifications", { tags: { team: "orders" } }),
		serviceSeed("prod", "reports", { tags: { team: "finance" } }),
		serviceSeed("prod", "legacy-batch"),
		// Express: ECS itself manages its resources.
		serviceSeed("prod", "checkout", { resourceManagementType: "ECS", tags: { team: "web" } }),
		serviceSeed("tools", "admin", { tags: { team: "platform" } }),
		serviceSeed("tools", "grafana", { tags: { team: "platform" } }),
		serviceSeed("tools", "status-page", { tags: { team: "platform" } }),
		// The old revision of the family: an older task definition of the same application.
		serviceSeed("tools", "orders-api-canary", { taskDefinition: "orders-api:1", tags: { team: "orders" } }),
	];

	const nightly = {
		RoleArn: role("ecsEventsRole"),
		EcsParameters: { TaskDefinitionArn: arn("ecs", "task-definition/orders-nightly"), TaskCount: 1, LaunchType: "FARGATE" },
	};
	return {
		region,
		alias: "acme-prod",
		policies: [
			{
				name: "acme-log-writing",
				description: "Write to the logs of acme's services",
				document: seedDocument(allow(["logs:CreateLogStream", "logs:PutLogEvents"], arn("logs", "log-group:/acme/*"))),
			},
		],
		roles,
		secrets: [
			{ name: "prod/orders-db", suffix: "AbCdEf", value: '{"username":"orders","password":"sandbox"}' },
			{ name: "prod/stripe", suffix: "GhIjKl", value: "sandbox" },
			{ name: "prod/billing-db", suffix: "MnOpQr", value: '{"username":"billing","password":"sandbox"}' },
			{ name: "prod/auth-oidc", suffix: "StUvWx", value: '{"client_id":"acme","client_secret":"sandbox"}' },
			{ name: "prod/legacy-batch", suffix: "YzAbCd", value: "sandbox" },
		],
		clusters: [{ name: "prod" }, { name: "tools" }],
		taskDefinitions,
		services,
		rules: [
			{
				name: "orders-nightly",
				scheduleExpression: "cron(0 3 * * ? *)",
				targets: [{ Id: "orders-nightly", Arn: arn("ecs", "cluster/prod"), ...nightly }],
			},
		],
	};
}

function trusting(principal: Readonly<Record<string, string>>): { Version: string; Statement: unknown } {
	const [statement] = ecsTasksTrust.Statement;
	return { ...ecsTasksTrust, Statement: [{ ...statement, Principal: principal }] };
}

/** `role` with one more inline policy, as somebody adds it in the console. */
function handEdited(role: RoleSeed, name: string, statement: SeedStatement): RoleSeed {
	return { ...role, inline: { ...role.inline, [name]: seedDocument(statement) } };
}
