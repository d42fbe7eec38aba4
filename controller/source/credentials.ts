import { TerminalError } from "../model/errors.ts";
import type { Clock } from "../model/ports.ts";
import { Secret } from "../model/secret.ts";
import type { GitCredential, GitCredentials } from "./git-credential.ts";
import { createGitHubApp, type GitHubApp } from "./github-app.ts";
import { isPem } from "./pem.ts";

/** A secret by its name or ARN. Throws TerminalError where it is missing or may not be read. */
export type ReadSecret = (id: string, signal: AbortSignal) => Promise<Secret>;

/** What a secret of git credentials may hold, understood. */
type Parsed =
	| Extract<GitCredential, { readonly kind: "password" | "ssh" }>
	| { readonly kind: "app"; readonly app: GitHubApp; readonly from: string };

/**
 * After a refusal the secret is read again, for it may have been rotated; but a host that refuses for good is polled four
 * times a minute, and each read costs.
 */
const READ_AGAIN_MS = 60_000;
/** A token is left that much before its end, so that a long fetch does not outlive it. */
const BEFORE_END_MS = 5 * 60_000;

/**
 * The credentials that a secret holds (Installation, `spec.git.credentialsSecret`). It is read when git first connects, kept,
 * and read again after a refusal: a poll that finds nothing new costs no call to AWS. The token of a GitHub App is made anew
 * before it ends. Throws TerminalError `BadCredentials` for a secret that is none of the forms; no message holds any of it.
 */
export function credentialsFrom(readSecret: ReadSecret, secretId: string, clock: Clock): GitCredentials {
	let kept: { readonly parsed: Parsed; readonly raw: Secret; readonly readAt: number } | null = null;
	let token: { readonly credential: GitCredential; readonly expiresAt: number; readonly madeAt: number } | null = null;

	const read = async (signal: AbortSignal): Promise<Parsed> => {
		const raw = await readSecret(secretId, signal);
		const same = kept?.raw.test((a) => raw.test((b) => a === b)) === true;
		// The same value is the same credential: a refusal of it is not tried again.
		const parsed = same && kept !== null ? kept.parsed : parseGitSecret(raw, `secret ${secretId}`);
		if (!same) token = null;
		kept = { parsed, raw, readAt: clock.millis() };
		return parsed;
	};
	const old = (at: number): boolean => Math.abs(clock.millis() - at) >= READ_AGAIN_MS;

	return async (signal, refused) => {
		const again = refused !== undefined && kept !== null && old(kept.readAt);
		const parsed = kept === null || again ? await read(signal) : kept.parsed;
		if (parsed.kind !== "app") return parsed;
		const ending = token !== null && clock.millis() >= token.expiresAt - BEFORE_END_MS;
		// Tokens end early too: an owner changes what the App may do.
		const revoked = token !== null && refused === token.credential && old(token.madeAt);
		if (token === null || ending || revoked) {
			const made = await parsed.app.token(signal);
			const credential = { kind: "password", username: null, password: made.token, from: parsed.from } as const;
			token = { credential, expiresAt: made.expiresAt, madeAt: clock.millis() };
		}
		return token.credential;
	};
}

/** How long a webhook's secret is kept: after that a rotated one counts. */
const WEBHOOK_MS = 5 * 60_000;

/** The secret that webhooks are signed with (Installation, `spec.git.webhookSecret`): text, or JSON `{"secret": …}`. */
export function webhookSecretFrom(
	readSecret: ReadSecret,
	secretId: string,
	clock: Clock,
): (signal: AbortSignal) => Promise<Secret> {
	let kept: { readonly secret: Secret; readonly readAt: number } | null = null;
	return async (signal) => {
		if (kept !== null && Math.abs(clock.millis() - kept.readAt) < WEBHOOK_MS) return kept.secret;
		const raw = await readSecret(secretId, signal);
		const secret = raw.use((text) => {
			const fields = jsonFields(text, `secret ${secretId}`, "the text that webhooks are signed with");
			const value = fields === null ? text.trim() : textField(fields, "secret");
			if (value === null || value === "")
				throw bad(`secret ${secretId} holds no webhook secret`, 'put it there as text, or as {"secret": "…"}');
			return new Secret(value);
		});
		kept = { secret, readAt: clock.millis() };
		return secret;
	};
}

/**
 * A token, `{"token"}`, `{"username","password"}`, a private key, `{"sshKey"}`, or a GitHub App
 * `{"appId","installationId","privateKey","apiUrl"}`. `from` stands in messages. Throws TerminalError `BadCredentials`.
 */
function parseGitSecret(secret: Secret, from: string): Parsed {
	return secret.use((text) => {
		const fields = jsonFields(text, from, "git credentials");
		if (fields === null) return plain(text.trim(), from);
		const privateKey = textField(fields, "privateKey");
		const appId = textField(fields, "appId");
		const installationId = textField(fields, "installationId");
		if (appId !== null || installationId !== null) {
			if (appId === null || installationId === null || privateKey === null || !/^[0-9]+$/.test(installationId)) {
				throw bad(`${from} holds no whole GitHub App`, "it needs appId, installationId (a number) and privateKey");
			}
			const apiUrl = textField(fields, "apiUrl");
			return {
				kind: "app",
				app: createGitHubApp({ appId, installationId, privateKey: new Secret(privateKey), apiUrl, from }),
				from,
			};
		}
		const sshKey = textField(fields, "sshKey") ?? privateKey;
		if (sshKey !== null) return sshCredential(sshKey, from);
		const password = textField(fields, "token") ?? textField(fields, "password");
		if (password === null) throw bad(`${from} holds none of the forms of git credentials`, FORMS);
		return passwordCredential(textField(fields, "username"), password, from);
	});
}

const FORMS = "put a token there, a private ssh key, or JSON: docs/git.md shows each form";

function plain(text: string, from: string): Parsed {
	if (text.includes("-----BEGIN")) return sshCredential(text, from);
	return passwordCredential(null, text, from);
}

function passwordCredential(username: string | null, password: string, from: string): Parsed {
	// biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are what is refused
	if (password === "" || /[\u0000-\u0020\u007f]/.test(password)) {
		throw bad(`${from} holds a token that is empty or has spaces or line breaks in it`, FORMS);
	}
	// biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are what is refused
	if (username !== null && /[\u0000-\u001f\u007f:]/.test(username))
		throw bad(`${from} holds a username with a colon`, "correct it");
	return { kind: "password", username, password: new Secret(password), from };
}

function sshCredential(key: string, from: string): Parsed {
	if (!isPem(key)) throw bad(`${from} holds no whole private key`, "put all of it there, from -----BEGIN to -----END");
	return { kind: "ssh", key: new Secret(key), from };
}

/** Null: it is not JSON. */
function jsonFields(text: string, from: string, what: string): Readonly<Record<string, unknown>> | null {
	if (!text.trimStart().startsWith("{")) return null;
	try {
		return JSON.parse(text) as Record<string, unknown>;
	} catch {
		// The parser's own message quotes what it read.
		throw bad(`${from} holds no valid JSON`, `put ${what} there as text or as JSON`);
	}
}

/** A number is what people write for an id. */
function textField(fields: Readonly<Record<string, unknown>>, name: string): string | null {
	const value = fields[name];
	if (typeof value === "number") return String(value);
	return typeof value === "string" && value !== "" ? value : null;
}

function bad(message: string, fix: string): TerminalError {
	return new TerminalError("BadCredentials", message, { fix });
}
