import { createHmac, timingSafeEqual } from "node:crypto";
import type { IncomingHttpHeaders } from "node:http";
import type { FastifyInstance } from "fastify";
import type { Clock } from "../model/ports.ts";
import type { Secret } from "../model/secret.ts";
import { HttpError } from "./errors.ts";
import { equals } from "./identity.ts";
import { open, standingBy } from "./resources.ts";
import type { ApiDeps } from "./served.ts";

type Sender = "github" | "gitlab";

/** A push of two thousand commits, with the paths of their files. */
const BODY_LIMIT = 5 * 1024 * 1024;
/** However often a delivery is sent again, the source is not looked at more often. */
const EVERY_MS = 2_000;
/** As Standard Webhooks has it. */
const SIGNED_WITHIN_MS = 5 * 60_000;

/** Pushes make the controller look at its source now. That is all they do: what is there, git says. */
export function webhookRoutes(app: FastifyInstance, deps: ApiDeps): void {
	const look = createRareLook(deps);
	app.addHook("onClose", async () => look.stop());
	app.register(async (own) => {
		own.removeAllContentTypeParsers();
		// Signed are the bytes, whatever they hold.
		own.addContentTypeParser("*", { parseAs: "buffer", bodyLimit: BODY_LIMIT }, (_request, body, done) => done(null, body));
		for (const sender of ["github", "gitlab"] as const) {
			own.post(`/webhook/${sender}`, { bodyLimit: BODY_LIMIT }, async (request, reply) => {
				const body = Buffer.isBuffer(request.body) ? request.body : Buffer.alloc(0);
				const served = open(deps);
				const { webhook } = served;
				if (webhook === null) {
					// On standby nobody knows what a later revision says of it.
					throw served.manager === null
						? standingBy(served)
						: new HttpError(404, "webhooks are off", "name spec.git.webhookSecret in the Installation, and follow a repository");
				}
				// Why is told to whoever runs the process: who asks is not known yet.
				const secret = await webhook.secret().catch((error: Error) => {
					deps.observe({ type: "failed", id: request.id, route: `/webhook/${sender}`, error });
					throw new HttpError(
						503,
						"the secret that deliveries are signed with cannot be read",
						`look for ${request.id} in the log of the process`,
					);
				});
				const signed = VERIFY[sender](request.headers, body, secret, deps.clock);
				if (!signed) {
					deps.observe({ type: "webhook", sender, result: "refused" });
					throw new HttpError(
						401,
						"the delivery is not signed with the secret of the Installation",
						"give both sides the same secret",
					);
				}
				const event = request.headers[EVENT[sender]];
				const ignored = isPush(sender, event)
					? otherBranch(sender, payloadOf(body, request.headers), webhook.branch)
					: `an event that is no push`;
				deps.observe({ type: "webhook", sender, result: ignored === null ? "hint" : "ignored" });
				if (ignored === null) look.ask();
				const told = ignored === null && served.manager === null ? "this process stands by" : ignored;
				return reply
					.code(202)
					.send({ apiVersion: "ecs-access.dev/v1alpha1", kind: "WebhookHeard", looks: told === null, why: told });
			});
		}
	});
}

const EVENT: Readonly<Record<Sender, string>> = { github: "x-github-event", gitlab: "x-gitlab-event" };

function isPush(sender: Sender, event: string | string[] | undefined): boolean {
	return event === (sender === "github" ? "push" : "Push Hook");
}

type Verify = (headers: IncomingHttpHeaders, body: Buffer, secret: Secret, clock: Clock) => boolean;

const VERIFY: Readonly<Record<Sender, Verify>> = { github: verifyGitHub, gitlab: verifyGitLab };

/** https://docs.github.com/en/webhooks/using-webhooks/validating-webhook-deliveries */
function verifyGitHub(headers: IncomingHttpHeaders, body: Buffer, secret: Secret): boolean {
	const given = /^sha256=([0-9a-f]{64})$/.exec(one(headers["x-hub-signature-256"]))?.[1];
	return given !== undefined && sameBytes(Buffer.from(given, "hex"), secret, (key) => [Buffer.from(key)], body);
}

/**
 * A signing token (`whsec_…`) signs id, time and body as Standard Webhooks has it; the older secret token is sent as it is.
 * https://docs.gitlab.com/user/project/integrations/webhooks/, https://www.standardwebhooks.com/
 */
function verifyGitLab(headers: IncomingHttpHeaders, body: Buffer, secret: Secret, clock: Clock): boolean {
	const signs = secret.test((value) => value.startsWith("whsec_"));
	if (!signs) return equals(one(headers["x-gitlab-token"]), secret);
	const [id, time] = [one(headers["webhook-id"]), one(headers["webhook-timestamp"])];
	if (id === "" || !/^\d{1,12}$/.test(time) || Math.abs(clock.millis() - Number(time) * 1000) > SIGNED_WITHIN_MS) return false;
	const content = Buffer.concat([Buffer.from(`${id}.${time}.`), body]);
	const keys = (value: string): readonly Buffer[] => [Buffer.from(value.slice("whsec_".length), "base64")];
	return one(headers["webhook-signature"])
		.split(" ")
		.slice(0, 8)
		.some((part) => {
			const given = /^v1,([A-Za-z0-9+/]{43}=)$/.exec(part)?.[1];
			return given !== undefined && sameBytes(Buffer.from(given, "base64"), secret, keys, content);
		});
}

function sameBytes(given: Buffer, secret: Secret, keysOf: (value: string) => readonly Buffer[], content: Buffer): boolean {
	return secret.use((value) =>
		keysOf(value).some((key) => {
			if (key.length === 0) return false;
			const right = createHmac("sha256", key).update(content).digest();
			return right.length === given.length && timingSafeEqual(right, given);
		}),
	);
}

function one(header: string | string[] | undefined): string {
	return typeof header === "string" ? header : "";
}

interface Push {
	readonly ref?: unknown;
	readonly repository?: { readonly default_branch?: unknown } | null;
	readonly project?: { readonly default_branch?: unknown } | null;
}

/** GitHub sends a form where it was set up so. */
function payloadOf(body: Buffer, headers: IncomingHttpHeaders): Push {
	const text = body.toString("utf8");
	const form = /^application\/x-www-form-urlencoded\b/i.test(headers["content-type"] ?? "");
	try {
		const value: unknown = JSON.parse(form ? (new URLSearchParams(text).get("payload") ?? "") : text);
		if (typeof value === "object" && value !== null) return value;
	} catch {}
	throw new HttpError(
		400,
		"the delivery is signed, but is no JSON",
		"choose application/json as the content type of the webhook",
	);
}

/** Why a push does not concern us; null: it does. */
function otherBranch(sender: Sender, push: Push, branch: string | null): string | null {
	const home = sender === "github" ? push.repository : push.project;
	const followed = branch ?? home?.default_branch;
	// One look too many costs less than one too few.
	return typeof followed !== "string" || push.ref === `refs/heads/${followed}` ? null : "a push of another branch";
}

/** At once, and then not again for a while: what is asked for meanwhile is asked once, at its end. */
function createRareLook({ served, clock }: Pick<ApiDeps, "served" | "clock">): {
	readonly ask: () => void;
	readonly stop: () => void;
} {
	const stopped = new AbortController();
	let resting = false;
	let asked = false;
	const ask = (): void => {
		if (resting) {
			asked = true;
			return;
		}
		resting = true;
		served()?.manager?.hint({ type: "source" });
		clock.sleep(EVERY_MS, stopped.signal).then(
			() => {
				resting = false;
				if (asked) ask();
			},
			() => {},
		);
		asked = false;
	};
	return { ask, stop: () => stopped.abort() };
}
