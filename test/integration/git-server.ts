import { spawn } from "node:child_process";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { GIT_ENV } from "../unit/source/repository.ts";

export interface GitServer {
	/** `http://127.0.0.1:PORT`; a repository of `root` follows. */
	readonly origin: string;
	/** What was asked, oldest first: `GET /access/info/refs?service=git-upload-pack`. */
	readonly asked: string[];
	/** Who asked: the Authorization header of each request, `none` without. */
	readonly authorizations: string[];
	/** Answers nothing any more, and breaks what is open. */
	readonly close: () => Promise<void>;
}

/** The real `git http-backend` over the bare and other repositories below `root`. `allows`: by the Authorization header. */
export async function serveGit(root: string, allows: (authorization: string) => boolean = () => true): Promise<GitServer> {
	const asked: string[] = [];
	const authorizations: string[] = [];
	const server = createServer((request, response) => {
		const authorization = request.headers.authorization ?? "none";
		asked.push(`${request.method} ${request.url}`);
		authorizations.push(authorization);
		if (allows(authorization)) backend(root, request, response);
		else response.writeHead(401, { "www-authenticate": 'Basic realm="git"' }).end("no");
	});
	await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
	return {
		origin: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
		asked,
		authorizations,
		close: () =>
			new Promise((resolve) => {
				server.close(() => resolve());
				server.closeAllConnections();
			}),
	};
}

/** CGI, https://git-scm.com/docs/git-http-backend. */
function backend(root: string, request: IncomingMessage, response: ServerResponse): void {
	const url = new URL(request.url ?? "/", "http://git");
	const child = spawn("git", ["http-backend"], {
		env: {
			...GIT_ENV,
			GIT_PROJECT_ROOT: root,
			GIT_HTTP_EXPORT_ALL: "1",
			PATH_INFO: url.pathname,
			QUERY_STRING: url.search.slice(1),
			REQUEST_METHOD: request.method ?? "GET",
			CONTENT_TYPE: request.headers["content-type"] ?? "",
			GIT_PROTOCOL: String(request.headers["git-protocol"] ?? ""),
			...(request.headers["content-encoding"] !== undefined && { HTTP_CONTENT_ENCODING: request.headers["content-encoding"] }),
		},
	});
	request.pipe(child.stdin).on("error", () => {});
	const out: Buffer[] = [];
	child.stdout.on("data", (chunk: Buffer) => out.push(chunk));
	child.on("close", () => {
		const all = Buffer.concat(out);
		const end = all.indexOf("\r\n\r\n");
		const headers = all.toString("latin1", 0, Math.max(0, end)).split("\r\n");
		const fields = headers.map((h) => [h.slice(0, h.indexOf(":")), h.slice(h.indexOf(":") + 1).trim()] as const);
		const status = Number(fields.find(([name]) => name === "Status")?.[1]?.slice(0, 3) ?? "200");
		response.writeHead(status, Object.fromEntries(fields.filter(([name]) => name !== "Status")));
		response.end(all.subarray(end + 4));
	});
}

export function basic(username: string, password: string): string {
	return `Basic ${Buffer.from(`${username}:${password}`).toString("base64")}`;
}
