import { TerminalError } from "../model/errors.ts";
import { Secret } from "../model/secret.ts";
import { pemText } from "./pem.ts";

export interface GitHubAppDeps {
	readonly appId: string;
	readonly installationId: string;
	/** As GitHub gave it to download. */
	readonly privateKey: Secret;
	/** Null: github.com. Of GitHub Enterprise Server: `https://HOST/api/v3`. */
	readonly apiUrl: string | null;
	/** For messages. */
	readonly from: string;
}

export interface GitHubApp {
	/** A new token that reads contents and nothing else, and when it ends: in an hour. */
	readonly token: (signal: AbortSignal) => Promise<{ readonly token: Secret; readonly expiresAt: number }>;
}

const API = "https://api.github.com";
const TIMEOUT_MS = 20_000;
/** https://docs.github.com/en/rest/about-the-rest-api/api-versions; Enterprise Server knows it since 3.9. */
const API_VERSION = "2022-11-28";

/**
 * An installation of a GitHub App
 * (https://docs.github.com/en/apps/creating-github-apps/authenticating-with-a-github-app/generating-an-installation-access-token-for-a-github-app).
 * Throws TerminalError `BadCredentials` for a key or an address that is none, `GitAccessDenied` where GitHub does not know
 * App or installation; a network or a GitHub that fails is a plain Error.
 */
export function createGitHubApp(deps: GitHubAppDeps): GitHubApp {
	const api = deps.apiUrl ?? API;
	const base = URL.parse(api);
	const plain = base?.protocol === "http:" && /^(localhost|127(\.\d+){3}|\[::1\])$/.test(base.hostname);
	if (base === null || (base.protocol !== "https:" && !plain) || base.username !== "" || base.password !== "") {
		throw new TerminalError("BadCredentials", `${deps.from} holds an apiUrl that is no https address`, {
			fix: "of GitHub Enterprise Server it is https://HOST/api/v3; of github.com leave it out",
		});
	}
	const where = base.host;
	return {
		token: async (signal) => {
			const jwt = await signed(deps);
			const limit = AbortSignal.any([signal, AbortSignal.timeout(TIMEOUT_MS)]);
			try {
				const response = await fetch(`${api.replace(/\/+$/, "")}/app/installations/${deps.installationId}/access_tokens`, {
					method: "POST",
					headers: {
						accept: "application/vnd.github+json",
						authorization: `Bearer ${jwt}`,
						"content-type": "application/json",
						"user-agent": "ecs-access",
						"x-github-api-version": API_VERSION,
					},
					body: JSON.stringify({ permissions: { contents: "read" } }),
					// Another address would be given the right to act as the App.
					redirect: "error",
					signal: limit,
				});
				if (!response.ok) throw refusal(response.status, await said(response));
				const { token, expires_at: expires } = (await response.json()) as { token?: unknown; expires_at?: unknown };
				const expiresAt = typeof expires === "string" ? Date.parse(expires) : Number.NaN;
				if (typeof token !== "string" || token === "" || Number.isNaN(expiresAt)) {
					throw new Error(`${where} answered with no token for GitHub App ${deps.appId}`);
				}
				return { token: new Secret(token), expiresAt };
			} catch (error) {
				signal.throwIfAborted();
				if (error instanceof TerminalError || !(error instanceof Error)) throw error;
				if (error.name === "TimeoutError") throw new Error(`${where} did not answer within ${TIMEOUT_MS / 1000} s`);
				const { code } = (error.cause ?? {}) as { readonly code?: unknown };
				if (error instanceof TypeError)
					throw new Error(`${where} cannot be reached: ${typeof code === "string" ? code : error.message}`);
				throw error;
			}
		},
	};

	function refusal(status: number, message: string): Error {
		const what = `${where} gives no token to GitHub App ${deps.appId}, installation ${deps.installationId}: ${status}${message}`;
		if (status === 429 || status >= 500 || (status === 403 && /rate limit/i.test(message))) return new Error(what);
		return new TerminalError("GitAccessDenied", what, {
			fix:
				status === 401
					? `check appId and privateKey in ${deps.from}, and this machine's clock`
					: `check installationId in ${deps.from}, and that the App is installed with read access to contents`,
		});
	}
}

/** What GitHub says, without what an answer of some other server may hold. */
async function said(response: Response): Promise<string> {
	try {
		const { message } = (await response.json()) as { readonly message?: unknown };
		return typeof message === "string" ? `, ${message.replace(/\s+/g, " ").slice(0, 200)}` : "";
	} catch {
		return "";
	}
}

async function signed(deps: GitHubAppDeps): Promise<string> {
	// Loaded where an App is used: it brings an OAuth client with it.
	const { createAppAuth } = await import("@octokit/auth-app");
	try {
		const auth = createAppAuth({ appId: deps.appId, privateKey: deps.privateKey.use(pemText) });
		return (await auth({ type: "app" })).token;
	} catch {
		// The message of a key that cannot be read may quote it.
		throw new TerminalError("BadCredentials", `${deps.from} holds no private key that can sign for GitHub App ${deps.appId}`, {
			fix: "generate one in the App's settings, and put the whole file there as privateKey",
		});
	}
}
