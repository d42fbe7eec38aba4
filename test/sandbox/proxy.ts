import { Agent, createServer, type IncomingMessage, request, type Server, type ServerResponse } from "node:http";
import { createFaults, type Fault, faultAnswer } from "./faults.ts";
import { createHolds, type HoldSpec } from "./holds.ts";
import { type Call, identify } from "./wire.ts";

/** Paths of the control interface; AWS has none that begin like this. */
export const CONTROL = "/__sandbox/";

interface Answer {
	readonly status: number;
	readonly headers: IncomingMessage["headers"];
	readonly body: Buffer;
}

/**
 * Stands in front of moto: counts calls by account and operation, injects faults, holds calls.
 * @param port where moto listens on the loopback interface
 * @returns a server, not yet listening
 */
export function createProxy(port: number): Server {
	const agent = new Agent({ keepAlive: true });
	const faults = createFaults();
	const holds = createHolds();
	const counts = new Map<string, Map<string, number>>();
	const assumed = new Map<string, string>();
	const callers = new Map<string, string>();

	const forward = (
		method: string,
		path: string,
		headers: IncomingMessage["headers"],
		body: Buffer,
		signal?: AbortSignal,
	): Promise<Answer> =>
		new Promise((resolve, reject) => {
			const upstream = request({
				agent,
				host: "127.0.0.1",
				port,
				method,
				path,
				headers: { ...headers, "content-length": body.length },
				...(signal === undefined ? {} : { signal }),
			});
			upstream.on("error", reject);
			upstream.on("response", (response) => {
				read(response).then(
					(content) => resolve({ status: response.statusCode ?? 502, headers: response.headers, body: content }),
					reject,
				);
			});
			upstream.end(body);
		});

	async function control(path: string, body: Buffer): Promise<unknown> {
		const input = JSON.parse(body.toString() || "{}") as {
			account: string;
			id: string;
			fault: Fault;
			hold: HoldSpec;
			goOn: boolean;
			data?: { caller?: string };
		};
		switch (path) {
			case "counts":
				return Object.fromEntries(counts.get(input.account) ?? []);
			case "counts/reset":
				counts.delete(input.account);
				return {};
			case "fault":
				faults.add(input.account, input.fault);
				return {};
			case "fault/clear":
				faults.clear(input.account);
				holds.clear(input.account);
				return {};
			case "hold":
				return { id: holds.add(input.account, input.hold) };
			case "hold/reached":
				return holds.reached(input.id);
			case "hold/settle":
				holds.settle(input.id, input.goOn);
				return {};
			default: {
				if (input.data?.caller !== undefined) callers.set(input.account, input.data.caller);
				const answer = await forward("POST", `/sandbox/${path}`, { "content-type": "application/json" }, body);
				if (answer.status !== 200) throw new Error(answer.body.toString());
				return JSON.parse(answer.body.toString());
			}
		}
	}

	async function serve(req: IncomingMessage, res: ServerResponse): Promise<void> {
		const url = req.url ?? "/";
		const body = await read(req);
		if (url.startsWith(CONTROL)) {
			const result = await control(url.slice(CONTROL.length), body).then(
				(value) => ({ status: 200, value }),
				(error: unknown) => ({ status: 400, value: { error: String(error) } }),
			);
			res.writeHead(result.status, { "content-type": "application/json" }).end(JSON.stringify(result.value));
			return;
		}
		const call = identify(req.method ?? "GET", url, req.headers, body, assumed);
		count(counts, call);
		const gone = new Promise<false>((resolve) => res.on("close", () => resolve(false)));

		const fault = faults.next(call);
		if (fault === "hang") return;
		if (fault === "reset") return cut(req);
		if (fault !== undefined && fault !== "lostAnswer") {
			const caller = callers.get(call.account) ?? `arn:aws:sts::${call.account}:assumed-role/Admin/kim`;
			const answer = faultAnswer(fault, call, caller);
			if (answer !== undefined) res.writeHead(answer.status, answer.headers).end(answer.body);
			return;
		}
		const hold = holds.next(call);
		// A caller that dies while it is held has sent nothing as far as AWS is concerned.
		if (hold?.when === "before" && !(await Promise.race([hold.wait(), gone]))) return cut(req);

		// A poll ends with its caller, or it would take messages that nobody gets; anything else that was sent is carried out.
		const poll = call.operation === "sqs:ReceiveMessage" ? new AbortController() : undefined;
		if (poll !== undefined) void gone.then(() => poll.abort());
		const answer = await forward(req.method ?? "GET", url, req.headers, body, poll?.signal);
		if (call.operation.startsWith("sts:AssumeRole")) remember(assumed, answer.body.toString());
		if (fault === "lostAnswer") return cut(req);
		if (hold?.when === "after" && !(await Promise.race([hold.wait(), gone]))) return cut(req);
		const { connection: _, "keep-alive": __, ...headers } = answer.headers;
		res.writeHead(answer.status, headers).end(answer.body);
	}

	const server = createServer((req, res) => {
		serve(req, res).catch((error: unknown) => {
			if (!res.closed) process.stderr.write(`proxy: ${String(error)}\n`);
			cut(req);
		});
	});
	server.keepAliveTimeout = 60_000;
	server.on("close", () => agent.destroy());
	return server;
}

function cut(req: IncomingMessage): void {
	req.socket.resetAndDestroy();
}

function count(counts: Map<string, Map<string, number>>, call: Call): void {
	const own = counts.get(call.account) ?? new Map<string, number>();
	own.set(call.operation, (own.get(call.operation) ?? 0) + 1);
	counts.set(call.account, own);
}

/** Notes the account of the credentials that an AssumeRole answer carries. */
function remember(assumed: Map<string, string>, xml: string): void {
	const key = /<AccessKeyId>([^<]+)</.exec(xml)?.[1];
	const account = /<Arn>arn:[^:]*:sts::(\d{12}):/.exec(xml)?.[1];
	if (key !== undefined && account !== undefined) assumed.set(key, account);
}

async function read(stream: IncomingMessage): Promise<Buffer> {
	const chunks: Buffer[] = [];
	for await (const chunk of stream) chunks.push(chunk as Buffer);
	return Buffer.concat(chunks);
}
