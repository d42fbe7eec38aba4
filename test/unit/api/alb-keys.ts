import { generateKeyPairSync, type KeyObject, randomUUID, sign } from "node:crypto";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import type { AlbIdentity } from "../../../controller/api/alb.ts";

const SIGNER = "arn:aws:elasticloadbalancing:eu-west-1:123456789012:loadbalancer/app/ecs-access/50dc6c495c0c9188";
const ISSUER = "https://login.acme.example";
const CLIENT = "ecs-access-console";

/** A load balancer that signs people in: its key pair, its key endpoint, and the claims it sends. */
export interface SigningAlb {
	readonly identity: AlbIdentity;
	/** How often a key was asked for. */
	readonly asked: () => number;
	/** What it sends as `x-amzn-oidc-data`. */
	readonly claims: (
		payload?: Readonly<Record<string, unknown>>,
		header?: Readonly<Record<string, unknown>>,
		key?: KeyObject,
	) => string;
	readonly close: () => Promise<void>;
}

export async function signingAlb(more: Partial<AlbIdentity> = {}): Promise<SigningAlb> {
	const { privateKey, publicKey } = generateKeyPairSync("ec", { namedCurve: "P-256" });
	const kid = randomUUID();
	let asked = 0;
	const server = createServer((request, response) => {
		asked += 1;
		if (request.url === `/${kid}`) response.end(publicKey.export({ type: "spki", format: "pem" }));
		else response.writeHead(404).end();
	});
	await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
	const { port } = server.address() as AddressInfo;
	return {
		identity: { signer: SIGNER, issuer: ISSUER, clientId: CLIENT, claim: null, keys: `http://127.0.0.1:${port}`, ...more },
		asked: () => asked,
		claims: (payload = {}, header = {}, key = privateKey) => {
			const exp = Math.floor(Date.now() / 1000) + 120;
			const head = { typ: "JWT", kid, alg: "ES256", iss: ISSUER, client: CLIENT, signer: SIGNER, exp, ...header };
			const body = { sub: "00u1kim", email: "kim@acme.example", exp, iss: ISSUER, ...payload };
			const signed = `${padded(head)}.${padded(body)}`;
			const signature = sign("sha256", Buffer.from(signed), { key, dsaEncoding: "ieee-p1363" });
			return `${signed}.${withPadding(signature)}`;
		},
		close: () => new Promise((resolve) => server.close(() => resolve())),
	};
}

/** Unlike any other JWT, with its padding. */
function padded(value: object): string {
	return withPadding(Buffer.from(JSON.stringify(value)));
}

function withPadding(bytes: Buffer): string {
	return bytes.toString("base64").replaceAll("+", "-").replaceAll("/", "_");
}
