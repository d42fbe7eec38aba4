import { createHash, timingSafeEqual } from "node:crypto";
import type { IncomingHttpHeaders } from "node:http";
import { TerminalError } from "../model/errors.ts";
import type { Secret } from "../model/secret.ts";
import { createAlbVerifier, NotAllowedError, type VerifyAlb } from "./alb.ts";
import { HttpError } from "./errors.ts";
import type { Access, ApiDeps } from "./served.ts";

/** Says who asks, for what needs to know. Throws HttpError 401 or 403. */
export type Identify = (headers: IncomingHttpHeaders) => Promise<string>;

/** 128 bits, in any spelling that has them. */
const SHORTEST_TOKEN = 24;

/** Who a request is from. Throws TerminalError where the access cannot be checked as it is asked. */
export async function createIdentify({ access, clock }: Pick<ApiDeps, "access" | "clock">): Promise<Identify> {
	if (access.token !== null) (await access.token()).use(checkToken);
	const verifyAlb = access.alb === null ? null : await createAlbVerifier(access.alb, clock);
	return async (headers) => {
		const [, token] = /^bearer +([^\s]+)$/i.exec(headers.authorization ?? "") ?? [];
		if (token !== undefined && access.token !== null) {
			if (!equals(token, await access.token())) throw unauthorized("the token is not the right one", access);
			return "bearer token";
		}
		const claims = headers["x-amzn-oidc-data"];
		if (typeof claims === "string" && verifyAlb !== null) return await byAlb(verifyAlb, claims, access);
		throw unauthorized("nobody is signed in", access);
	};
}

async function byAlb(verify: VerifyAlb, claims: string, access: Access): Promise<string> {
	try {
		return await verify(claims);
	} catch (error) {
		if (error instanceof NotAllowedError) {
			throw new HttpError(
				403,
				"you are signed in, but not among those who may do this",
				`ask for ${access.alb?.claim?.name ?? "access"}`,
			);
		}
		// The library's words quote what was sent.
		throw unauthorized("the load balancer's claims cannot be verified", access);
	}
}

function unauthorized(message: string, access: Access): HttpError {
	const ways = [
		...(access.token === null ? [] : ["send authorization: Bearer <token>"]),
		...(access.alb === null ? [] : ["come through the load balancer that signs people in"]),
	];
	return new HttpError(401, message, ways.join(", or "), access.token === null ? {} : { "www-authenticate": "Bearer" });
}

function checkToken(token: string): void {
	if (token.length >= SHORTEST_TOKEN && !/\s/.test(token)) return;
	throw new TerminalError(
		"BadApiToken",
		`the token of the HTTP server is shorter than ${SHORTEST_TOKEN} characters, or has a space in it`,
		{
			fix: "make one: openssl rand -hex 32",
		},
	);
}

/** In a time that says nothing of the secret; by digest, since lengths may differ. */
export function equals(given: string, secret: Secret): boolean {
	const digest = (text: string): Buffer => createHash("sha256").update(text).digest();
	return secret.use((value) => value !== "" && timingSafeEqual(digest(given), digest(value)));
}
