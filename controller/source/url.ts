/** A repository's address, taken apart. Nothing here is a secret but `password`. */
export type GitUrl =
	| {
			readonly kind: "remote" | "local";
			/** What git is given: without anything secret. */
			readonly address: string;
			/** For a person, a mark, or a file name: without user or password. */
			readonly identity: string;
			/** What GIT_ALLOW_PROTOCOL permits, so that no redirect or rewrite leads elsewhere. */
			readonly protocols: readonly string[];
			/** Of an https address; of ssh it stays in the address. */
			readonly user: string | null;
			readonly password: string | null;
	  }
	| { readonly kind: "refused"; readonly why: string; readonly fix: string };

const DEFAULT_PORT: Readonly<Record<string, string>> = { "https:": "443", "ssh:": "22", "http:": "80" };
const LOOPBACK = /^(localhost|127(\.\d+){3}|\[::1\])$/;

/**
 * https, ssh, `user@host:path`, and local repositories by absolute path or file://. Refused: `ext::` and every other remote
 * helper (they run commands), addresses that git would read as an option, and unencrypted http and git, over which anybody
 * on the way could write policies.
 */
export function parseGitUrl(text: string): GitUrl {
	// biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are what is refused
	if (text === "" || /[\u0000-\u0020\u007f]/.test(text)) {
		return refused("it is empty or holds spaces or control characters", "write them as %20 and so on");
	}
	if (text.startsWith("-")) return refused("it starts with a dash", "name a repository");
	if (text.startsWith("/")) return local(text, text);
	if (/^[A-Za-z0-9+.-]+::/.test(text)) return refused("remote helpers run commands", "use https:// or ssh://");
	if (!text.includes("://")) return scpLike(text);
	const url = URL.parse(text);
	const decoded = url === null ? null : decode(url);
	if (url === null || decoded === null) return refused("it is not a valid URL", "write it as https://host/owner/repository");
	if (url.protocol === "file:") {
		if (url.host !== "" && url.host !== "localhost") return refused("file:// names another host", "use file:///absolute/path");
		return local(decoded.path, `file://${url.pathname}`);
	}
	const plain = url.protocol === "http:" && LOOPBACK.test(url.hostname);
	if (url.protocol !== "https:" && url.protocol !== "ssh:" && !plain) {
		return refused(`${url.protocol}// is not among https, ssh and file`, "use https:// or ssh://");
	}
	if (url.hostname === "" || url.hostname.startsWith("-") || decoded.user?.startsWith("-")) {
		return refused("its host or user is empty or starts with a dash", "write it as https://host/owner/repository");
	}
	const ssh = url.protocol === "ssh:";
	const port = url.port === "" || url.port === DEFAULT_PORT[url.protocol] ? "" : `:${url.port}`;
	return {
		kind: "remote",
		// The user of an https address may be a token: like the password it goes to git apart, never by the command line.
		address: `${url.protocol}//${ssh && decoded.user !== null ? `${url.username}@` : ""}${url.host}${url.pathname}`,
		identity: `${url.hostname.toLowerCase()}${port}/${repository(url.pathname)}`,
		protocols: plain ? ["http"] : ["https", "ssh"],
		user: ssh ? null : decoded.user,
		password: ssh ? null : decoded.password,
	};
}

function decode(url: URL): { readonly path: string; readonly user: string | null; readonly password: string | null } | null {
	try {
		return {
			path: decodeURIComponent(url.pathname),
			user: url.username === "" ? null : decodeURIComponent(url.username),
			password: url.password === "" ? null : decodeURIComponent(url.password),
		};
	} catch {
		return null;
	}
}

function scpLike(text: string): GitUrl {
	const match = /^(?:([^@/:]+)@)?([^@/:-][^@/:]*):(.+)$/.exec(text);
	const [, , host, path] = match ?? [];
	// An `@` in the path is a password in the wrong place: `user:password@host:path` is not an address.
	if (host === undefined || path === undefined || path.startsWith("-") || path.includes("@")) {
		return refused(
			"it is neither a URL nor user@host:path nor an absolute path",
			"for a local repository write its absolute path",
		);
	}
	return {
		kind: "remote",
		address: text,
		identity: `${host.toLowerCase()}/${repository(path)}`,
		protocols: ["https", "ssh"],
		user: null,
		password: null,
	};
}

function local(path: string, address: string): GitUrl {
	return { kind: "local", address, identity: `file:/${repository(path)}`, protocols: ["file"], user: null, password: null };
}

function repository(path: string): string {
	return path
		.replace(/^\/+/, "")
		.replace(/\/+$/, "")
		.replace(/(?:\/)?\.git$/, "");
}

function refused(why: string, fix: string): GitUrl {
	return { kind: "refused", why, fix };
}
