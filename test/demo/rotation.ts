import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { ECSClient, UpdateServiceCommand } from "@aws-sdk/client-ecs";
import { startOidcProvider } from "../sandbox/oidc-provider.ts";
import type { Live } from "./live.ts";

const CLUSTER = "shop";

/** Two acts: a signing key whose consumer fails once, and the client secret of an OAuth client at a real provider. */
export async function playRotation({ stage, sandbox, account, folder, commit, region }: Live): Promise<void> {
	const arn = (name: string): string => `arn:aws:secretsmanager:${region}:${account}:secret:${name}-AbCdEf`;
	const write = (name: string, text: string): void => {
		writeFileSync(join(folder, "policies", name), text);
		stage.say(text.trimEnd());
	};
	const provider = await startOidcProvider();
	try {
		const { clientId, clientSecret, ...admin } = await provider.registerClient();
		const injects = (family: string, variable: string, valueFrom: string) => ({
			family,
			containerDefinitions: [{ name: "app", image: "registry.acme.example/shop:4", secrets: [{ name: variable, valueFrom }] }],
		});
		await sandbox.seed(account, {
			region,
			secrets: [
				{
					name: "prod/shop/signing",
					suffix: "AbCdEf",
					value: JSON.stringify({ signingKey: "of-last-year", algorithm: "HS256" }),
				},
				{ name: "prod/shop/oidc", suffix: "AbCdEf", value: JSON.stringify({ clientId, clientSecret }) },
				{ name: "prod/shop/oidc-admin", suffix: "AbCdEf", value: JSON.stringify(admin) },
			],
			clusters: [{ name: CLUSTER }],
			taskDefinitions: [
				...["cart", "links", "mails"].map((f) => injects(f, "SIGNING_KEY", `${arn("prod/shop/signing")}:signingKey::`)),
				...["portal", "backoffice"].map((f) => injects(f, "CLIENT_SECRET", `${arn("prod/shop/oidc")}:clientSecret::`)),
			],
			services: ["cart", "links", "mails", "portal", "backoffice"].map((name) => ({
				cluster: CLUSTER,
				name,
				taskDefinition: name,
				desiredCount: name === "links" ? 1 : 2,
			})),
		});

		stage.act("A key rotated, a consumer that fails, and the way back");
		await stage.hand("cat > policies/signing.yaml", () => write("signing.yaml", SIGNING));
		commit("Rotate the signing key each month");
		// Its next three tasks do not start: then ECS itself gives up, and starts it once more.
		await sandbox.deployments(account, { startSeconds: 0.3, stopSeconds: 0.2, fail: [{ taskDefinition: "mails:*", times: 3 }] });
		const deploymentCircuitBreaker = { enable: true, rollback: true };
		await new ECSClient({ endpoint: sandbox.endpoint, region }).send(
			new UpdateServiceCommand({ cluster: CLUSTER, service: "mails", deploymentConfiguration: { deploymentCircuitBreaker } }),
		);
		await stage.ecsAccess("rotate shop-signing-key --reason monthly --yes", 1, { told: true });
		stage.moral(
			"ECS rolls back a service, and neither its secret nor its role. Here the labels went back first, then the tasks: everybody is on the old key again, and it is not tried again by itself.",
		);
		stage.say("\n(ten minutes later, and the service is mended)");
		await sandbox.tick(account, 660);
		await stage.ecsAccess("rotate shop-signing-key --reason again --yes", 0, { told: true });
		await stage.ecsAccess("describe secretrotation shop-signing-key", 0);

		stage.act("The client secret of an OAuth client, at its provider");
		await stage.hand("cat > policies/oidc.yaml", () => write("oidc.yaml", oidc(provider.issuer, clientId)));
		commit("Rotate the portal's client secret when asked");
		await stage.ecsAccess("rotate shop-oidc --yes", 0, { told: true });
		stage.moral(
			"A real OpenID provider made the secret, took it in a real token request, and only then did it become current. No value was printed, stored or logged.",
		);
	} finally {
		await provider.close();
	}
}

const SIGNING = `apiVersion: ecs-access.dev/v1alpha1
kind: SecretRotation
metadata: { name: shop-signing-key }
spec:
  secret: prod/shop/signing
  schedule: { every: 30d, window: "Sun 02:00-04:00 Europe/Berlin" }
  strategy: { generate: { keys: [signingKey], length: 48 } }
`;

function oidc(issuer: string, clientId: string): string {
	return `apiVersion: ecs-access.dev/v1alpha1
kind: SecretRotation
metadata: { name: shop-oidc }
spec:
  secret: prod/shop/oidc
  strategy:
    oauthClient: { provider: oidc, issuer: "${issuer}", clientId: ${clientId}, adminSecret: prod/shop/oidc-admin }
`;
}
