import { inspect } from "node:util";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { plaintextSecrets } from "../../../controller/aws/plaintext.ts";
import { Secret } from "../../../controller/model/secret.ts";

function ruleOf(name: string, value: string): string | undefined {
	return plaintextSecrets("app", [{ name, value: new Secret(value) }])[0]?.rule;
}

describe("plain-text secrets", () => {
	test.each([
		["DB_PASSWORD", "hunter2"],
		["dbPassword", "correct horse"],
		["PASSWORD", "123456"],
		["STRIPE_SECRET_KEY", "not-so-random"],
		["API_KEY", "abcdef"],
		["AUTH_TOKEN", "tok-1-2-3"],
		["SESSION_SECRET", "keyboardcat"],
		["client_secret", "s3cr3t"],
		["MYSQL_PWD", "root"],
		["AWS_SECRET_ACCESS_KEY", "wJalrXUtnFEMIK7MDENGbPxRfiCYEXAMPLEKEY"],
		["CONNECTION_STRING", "Server=db;User=sa"],
	])("%s=%s is found by its name", (name, value) => {
		expect(ruleOf(name, value)).toBe("name");
	});

	test.each([
		["DATABASE_URL", "postgres://orders:hunter2@db.internal:5432/orders"],
		["BROKER", "amqps://svc:p%40ss@broker:5671"],
		["AWS_ACCESS_KEY_ID", "AKIAIOSFODNN7EXAMPLE"],
		["GIT_AUTH", "ghp_abcdefghijklmnopqrstuvwxyz0123456789"],
		["WEBHOOK", "https://x:y1z2@example.com/hook"],
		["CONFIG", "Driver=x;Server=y;Password=hunter2;"],
		["CERT", "-----BEGIN RSA PRIVATE KEY-----\nMIIE"],
		["THING", "q8J2vX0pLr5TnB7mKs3WzYc9DfGhAe4U"],
		["JWT", "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxMjM0NSJ9.abcdefghijklmnop"],
	])("%s=%s is found by its value", (name, value) => {
		expect(ruleOf(name, value)).toBe("entropy");
	});

	test.each([
		["LOG_LEVEL", "info"],
		["DATABASE_URL", "postgres://db.internal:5432/orders"],
		["DATABASE_URL", "postgres://orders@db.internal/orders"],
		["DATABASE_URL", "postgres://orders:${DB_PASSWORD}@db/orders"],
		["SENTRY_DSN", "https://0123456789abcdef0123456789abcdef@o1.ingest.sentry.io/42"],
		["DB_PASSWORD_ARN", "arn:aws:secretsmanager:eu-west-1:123456789012:secret:prod/db-AbCdEf"],
		["DB_SECRET", "arn:aws:secretsmanager:eu-west-1:123456789012:secret:prod/db-AbCdEf"],
		["SECRET_NAME", "prod-orders-db"],
		["DB_SECRET", "prod/orders/database"],
		["PASSWORD_FILE", "/run/secrets/db"],
		["DB_PASSWORD", "/run/secrets/db"],
		["TOKEN_TTL", "3600"],
		["MAX_TOKENS", "4096"],
		["TOKEN_ENDPOINT", "https://idp.example.com/oauth/token"],
		["TOKEN", "https://idp.example.com/oauth/token"],
		["PASSWORD", ""],
		["PASSWORD", "${DB_PASSWORD}"],
		["SECRETS_ENABLED", "true"],
		["REQUIRE_TOKEN", "true"],
		["PUBLIC_KEY", "MFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAE8Xs2"],
		["COGNITO_CLIENT_ID", "7a8b9C0d1E2f3G4h5I6j7K8l9M"],
		["REQUEST_ID", "123e4567-e89b-12d3-a456-426614174000"],
		["TENANT", "123e4567-e89b-12d3-a456-426614174000"],
		["GIT_COMMIT", "3f2a91c0d4e5f6a7b8c9d0e1f2a3b4c5d6e7f8a9"],
		["IMAGE", "123456789012.dkr.ecr.eu-west-1.amazonaws.com/orders:1.2.3"],
		["SUBNETS", "subnet-0a1b2c3d4e5f67890,subnet-0f1e2d3c4b5a69788"],
		["QUEUE", "arn:aws:sqs:eu-west-1:123456789012:orders-Dead-Letter-Queue-7F8a9B0c"],
		["JAVA_OPTS", "-Xmx512m -XX:+UseG1GC"],
		["HANDLER", "OrdersApiRequestHandlerFactoryV2"],
		["BYPASS_CACHE", "true"],
		["COMPASS_MODE", "north"],
	])("%s=%s is left alone", (name, value) => {
		expect(ruleOf(name, value)).toBeUndefined();
	});

	test("are named without their values", () => {
		const found = plaintextSecrets("app", [{ name: "DB_PASSWORD", value: new Secret("hunter2") }]);
		expect(found).toEqual([{ container: "app", name: "DB_PASSWORD", rule: "name" }]);
	});
});

test("a secret never turns into text", () => {
	fc.assert(
		fc.property(fc.string({ minLength: 25 }), (value) => {
			const secret = new Secret(value);
			const texts = [
				`${secret}`,
				String(secret),
				JSON.stringify({ secret }),
				inspect(secret),
				inspect({ deep: [secret] }, { showHidden: true }),
				JSON.stringify(Object.entries(secret)),
			];
			for (const text of texts) expect(text === "[secret]" || !text.includes(value)).toBe(true);
		}),
	);
	expect(new Secret("hunter2").test((v) => v === "hunter2")).toBe(true);
});
