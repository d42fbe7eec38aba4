import { TerminalError } from "../model/errors.ts";
import type { Clock } from "../model/ports.ts";

/** Whom an Application Load Balancer signed in (its action authenticate-oidc), and who of them may write. */
export interface AlbIdentity {
	/** ARN of the load balancer: any AWS customer's can sign claims, so it is what makes them ours (aws-facts §7.2). */
	readonly signer: string;
	/** As the identity provider calls itself. */
	readonly issuer: string;
	readonly clientId: string;
	/** A claim that must hold one of these values; null: whoever may sign in may write. */
	readonly claim: { readonly name: string; readonly values: readonly string[] } | null;
	/** Where the load balancer's keys are; default: AWS's address for its region, known for the partition `aws` only. */
	readonly keys?: string;
}

/** Verifies `x-amzn-oidc-data`; the actor's name, or rejects. */
export type VerifyAlb = (jwt: string) => Promise<string>;

/** Each kid that is not known costs a call to AWS, and anybody can think of one. */
const KEYS_A_MINUTE = 20;
const FETCH_MS = 5_000;
const ACTOR_LENGTH = 200;

/** Throws TerminalError `BadAlbIdentity` where the ARN is none of a load balancer. */
export async function createAlbVerifier(identity: AlbIdentity, clock: Clock): Promise<VerifyAlb> {
	const { AlbJwtVerifier } = await import("aws-jwt-verify");
	const { AlbJwksCache } = await import("aws-jwt-verify/alb-cache");
	const { signer, issuer, clientId, claim, keys } = identity;
	if (keys === undefined && !signer.startsWith("arn:aws:")) {
		throw new TerminalError("BadAlbIdentity", `where the keys of ${JSON.stringify(signer)} are is not known`, {
			fix: "name the address of the keys too: https://docs.aws.amazon.com/elasticloadbalancing/latest/application/listener-authenticate-users.html has it for each partition",
		});
	}
	const fetched: number[] = [];
	const fetcher = {
		fetch: async (uri: string): Promise<ArrayBuffer> => {
			const now = clock.millis();
			while (fetched.length > 0 && now - (fetched[0] ?? 0) > 60_000) fetched.shift();
			if (fetched.length >= KEYS_A_MINUTE) throw new Error("too many keys were asked for");
			fetched.push(now);
			const answer = await fetch(uri, { signal: AbortSignal.timeout(FETCH_MS), redirect: "error" });
			if (!answer.ok) throw new Error(`key: ${answer.status}`);
			return answer.arrayBuffer();
		},
	};
	const make = () =>
		AlbJwtVerifier.create(
			{ albArn: signer, issuer, clientId, ...(keys !== undefined && { jwksUri: keys }) },
			{ jwksCache: new AlbJwksCache({ fetcher }) },
		);
	let verifier: ReturnType<typeof make>;
	try {
		verifier = make();
	} catch (cause) {
		throw new TerminalError(
			"BadAlbIdentity",
			`${JSON.stringify(signer)} is no ARN of a load balancer whose claims can be verified`,
			{
				cause,
				fix: "give the ARN of the Application Load Balancer, arn:aws:elasticloadbalancing:<region>:<account>:loadbalancer/app/…",
			},
		);
	}
	return async (jwt) => {
		const claims: Readonly<Record<string, unknown>> = await verifier.verify(jwt);
		// The library looks at an end only where there is one.
		if (typeof claims.exp !== "number") throw new Error("claims without an end");
		if (claim !== null && !holds(claims[claim.name], claim.values)) throw new NotAllowedError();
		return actorOf(claims);
	};
}

/** Signed in, and not among those who may write. */
export class NotAllowedError extends Error {}

function holds(value: unknown, wanted: readonly string[]): boolean {
	const values = Array.isArray(value) ? value : [value];
	return values.some((v) => typeof v === "string" && wanted.includes(v));
}

/** Text of others: one line of plain characters. Who it is is `sub`; an email is what people know each other by. */
function actorOf(claims: Readonly<Record<string, unknown>>): string {
	const text = (value: unknown): string =>
		typeof value === "string" ? value.replace(/[^\x20-\x7e]/g, "?").slice(0, ACTOR_LENGTH) : "";
	const [sub, email] = [text(claims.sub), text(claims.email)];
	if (sub === "") throw new Error("claims without sub");
	return email === "" ? sub : `${email} (${sub})`;
}
