import { TerminalError } from "../model/errors.ts";
import type { Secret } from "../model/secret.ts";
import type { Environment, RunOptions } from "./git-command.ts";
import { pemText } from "./pem.ts";
import { textOrFile, writeTemporary } from "./temporary.ts";
import type { GitUrl } from "./url.ts";

/** What opens a repository. `from`: where it stands, as a person knows it. */
export type GitCredential =
	| {
			readonly kind: "password";
			/** Null: the address's own, else one that every host takes with a token. */
			readonly username: string | null;
			readonly password: Secret;
			readonly from: string;
	  }
	| { readonly kind: "ssh"; readonly key: Secret; readonly from: string };

/**
 * Asked before git connects. `refused`: what it gave before, and the host did not take; where there is nothing newer it
 * gives the same again. Null: git's own ways.
 */
export type GitCredentials = (signal: AbortSignal, refused?: GitCredential) => Promise<GitCredential | null>;

/** What goes to a git that connects, and what must be cleared away after it. */
export interface Connection {
	readonly options: Pick<RunOptions, "config" | "secrets" | "env">;
	/** What was used; null: git's own ways. */
	readonly credential: GitCredential | null;
	/** The pinned host keys stand in the Installation, not in the user's own file. */
	readonly pinned: boolean;
	readonly dispose: () => void;
}

type Address = Exclude<GitUrl, { readonly kind: "refused" }>;

/** Taken with any token by GitHub, GitLab, Gitea and Azure DevOps, which look at the token alone. */
const ANY_USER = "x-access-token";
/** Seconds; a host that is gone must not hold a poll for the minutes of TCP. */
const SSH_CONNECT_SECONDS = 15;

/**
 * Over https through git's configuration in the environment: neither the process list nor a file shows it. Over ssh the key
 * is a file that only this user can read, for as long as git runs. Throws TerminalError `BadCredentials` where the two do
 * not go together, and `NoHostKeys` for a key without pinned host keys.
 */
export async function connectionTo(
	url: Address,
	deps: { readonly credentials?: GitCredentials; readonly knownHosts?: string; readonly env: Environment },
	refused: GitCredential | undefined,
	signal: AbortSignal,
): Promise<Connection> {
	const plain: Connection = { options: {}, credential: null, pinned: false, dispose: () => {} };
	if (url.kind !== "remote") return plain;
	const credential = (await deps.credentials?.(signal, refused)) ?? null;
	if (!/^https?:/.test(url.address)) return overSsh(url, credential, deps);
	if (credential?.kind === "ssh") {
		throw new TerminalError("BadCredentials", `${credential.from} holds an ssh key, and ${url.identity} is read over https`, {
			fix: "write its address as ssh://git@HOST/OWNER/REPOSITORY.git, or put a token there",
		});
	}
	const username = credential === null ? url.user : (credential.username ?? url.user ?? ANY_USER);
	const password = credential === null ? url.password : credential.password.use((v) => v);
	const origin = new URL(url.address).origin;
	if (username !== null && password === null) {
		return { ...plain, options: { config: [[`credential.${origin}.username`, username]], secrets: [username] } };
	}
	if (password === null) return plain;
	const basic = Buffer.from(`${username ?? ""}:${password}`).toString("base64");
	const header = [`http.${origin}/.extraHeader`, `Authorization: Basic ${basic}`] as const;
	// An empty helper ends the list: the user's own are not asked, nor told what is right or wrong.
	const config = credential === null ? [header] : [header, [`credential.${origin}.helper`, ""] as const];
	// Nor is anything asked of a person: there is none.
	const env = credential === null ? {} : { env: { GIT_ASKPASS: "" } };
	return { ...plain, credential, options: { config, secrets: [password, basic], ...env } };
}

function overSsh(
	url: Address,
	credential: GitCredential | null,
	deps: { readonly knownHosts?: string; readonly env: Environment },
): Connection {
	if (credential?.kind === "password") {
		throw new TerminalError("BadCredentials", `${credential.from} holds no ssh key, and ${url.identity} is read over ssh`, {
			fix: "write its address as https://HOST/OWNER/REPOSITORY.git, or put the private key of a deploy key there",
		});
	}
	if (credential !== null && deps.knownHosts === undefined) {
		throw new TerminalError("NoHostKeys", `${url.identity} is read over ssh, and no host keys are pinned`, { fix: pinning(url) });
	}
	if (deps.knownHosts === undefined) return { options: {}, credential: null, pinned: false, dispose: () => {} };
	const files = writeTemporary({
		"known-hosts": textOrFile(deps.knownHosts, "known hosts"),
		...(credential === null ? {} : { key: credential.key.use(pemText) }),
	});
	const own = credential === null ? (deps.env.GIT_SSH_COMMAND ?? "ssh") : "ssh -F none";
	const options = [
		`UserKnownHostsFile="${files.path("known-hosts")}"`,
		"GlobalKnownHostsFile=/dev/null",
		"StrictHostKeyChecking=yes",
		"UpdateHostKeys=no",
		"BatchMode=yes",
		`ConnectTimeout=${SSH_CONNECT_SECONDS}`,
		"ServerAliveInterval=15",
		...(credential === null
			? []
			: [
					`IdentityFile="${files.path("key")}"`,
					"IdentitiesOnly=yes",
					"IdentityAgent=none",
					"PreferredAuthentications=publickey",
					"ForwardAgent=no",
				]),
	];
	const command = [own, ...options.map((o) => `-o ${quoted(o)}`)].join(" ");
	return {
		options: { env: { GIT_SSH_COMMAND: command, GIT_SSH_VARIANT: "ssh" } },
		credential,
		pinned: true,
		dispose: files.dispose,
	};
}

/** How host keys are come by; a key that nobody compared with what the host publishes proves nothing. */
export function pinning(url: Address): string {
	const host = hostOf(url);
	return `put what \`ssh-keyscan ${host}\` prints into git.knownHosts of the Installation, after comparing \`ssh-keyscan ${host} | ssh-keygen -lf -\` with the fingerprints that the host publishes`;
}

function hostOf(url: Address): string {
	const parsed = URL.parse(url.address);
	if (parsed !== null && parsed.protocol === "ssh:")
		return parsed.port === "" ? parsed.hostname : `-p ${parsed.port} ${parsed.hostname}`;
	return url.identity.split("/")[0] ?? url.identity;
}

/** Of the shell that git runs the command with. */
function quoted(text: string): string {
	return `'${text.replaceAll("'", `'\\''`)}'`;
}
