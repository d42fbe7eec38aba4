import { readFile } from "node:fs/promises";
import { resolve } from "node:path";
import { type Command, Option } from "commander";
import type { AlbIdentity } from "../api/alb.ts";
import type { Metrics } from "../api/metrics.ts";
import type { Access, Served } from "../api/served.ts";
import { TerminalError } from "../model/errors.ts";
import { Secret } from "../model/secret.ts";
import type { CliContext } from "./context.ts";

export interface HttpFlags {
	readonly http?: string;
	readonly tokenFile?: string;
	readonly alb?: string;
	readonly albIssuer?: string;
	readonly albClientId?: string;
	readonly albClaim?: string;
	readonly guardReads?: boolean;
}

const DEFAULT_ADDRESS = "127.0.0.1:8080";

export function withHttpFlags(command: Command): Command {
	return command
		.option("--http <address>", `where HTTP is served: host:port, or off (default: ${DEFAULT_ADDRESS}, where that is free)`)
		.option("--token-file <file>", "a bearer token of 24 characters or more: who has it may sync, pause and resume over HTTP")
		.option("--alb <arn>", "a load balancer that signs people in: they may sync, pause and resume over HTTP")
		.option("--alb-issuer <url>", "the issuer of --alb's action authenticate-oidc")
		.option("--alb-client-id <id>", "its client id")
		.addOption(
			new Option("--alb-claim <name=values>", "only people whose claim holds one of these values, e.g. groups=platform,sre"),
		)
		.option("--guard-reads", "reading below /api/ needs the same as writing");
}

/** The HTTP server of a `run`, which outlives the controllers that it shows. */
export interface Serving {
	readonly metrics: Metrics;
	/** What is open now; null: nothing. */
	show: (served: Served | null) => void;
	/** Why nothing is open, where it was tried. */
	trouble: (why: { readonly message: string; readonly fix?: string } | null) => void;
	readonly close: () => Promise<void>;
}

/**
 * Serves HTTP where the flags say. The default address may be taken by another process: then there is no HTTP, and that is
 * said. Throws TerminalError where an address that was asked for cannot be had, or the access to it cannot be checked.
 */
export async function serve(ctx: CliContext, flags: HttpFlags): Promise<Serving> {
	const [{ createApi }, { createMetrics }] = await Promise.all([import("../api/server.ts"), import("../api/metrics.ts")]);
	const log = await ctx.logger();
	let served: Served | null = null;
	let trouble: { readonly message: string; readonly fix?: string } | null = null;
	const metrics = await createMetrics({ served: () => served, clock: ctx.clock, version: ctx.version });
	const api = await createApi({
		version: ctx.version,
		clock: ctx.clock,
		served: () => served,
		trouble: () => trouble,
		access: accessOf(ctx, flags),
		metrics,
		observe: (event) => {
			metrics.api(event);
			if (event.type === "act") log.info({ act: event.act, by: event.by, request: event.id }, "asked over HTTP");
			if (event.type === "failed")
				log.error({ route: event.route, request: event.id, error: event.error.message }, "request failed");
		},
	});
	if (flags.http !== "off") {
		const { host, port } = addressOf(flags.http ?? DEFAULT_ADDRESS);
		try {
			const at = await api.listen(host, port);
			log.info({ host: at.host, port: at.port }, "serving HTTP");
		} catch (error) {
			const why = error instanceof Error ? error.message : String(error);
			if (flags.http !== undefined) {
				await api.close();
				throw new TerminalError("AddressTaken", `HTTP cannot be served at ${flags.http}: ${why}`, {
					fix: "name another --http host:port, or off",
				});
			}
			log.warn({ address: DEFAULT_ADDRESS, error: why }, "HTTP is not served");
		}
	}
	return {
		metrics,
		show: (now) => {
			served = now;
			if (now !== null) trouble = null;
		},
		trouble: (why) => {
			trouble = why;
		},
		close: api.close,
	};
}

function addressOf(text: string): { readonly host: string; readonly port: number } {
	const [, host, port] = /^(?:(\[[^\]]+\]|[^:]*):)?(\d{1,5})$/.exec(text) ?? [];
	if (port === undefined || Number(port) > 65_535) {
		throw new TerminalError("BadOptions", `--http ${JSON.stringify(text)} is no host:port`, { fix: "for example 0.0.0.0:8080" });
	}
	return { host: host === undefined || host === "" ? "127.0.0.1" : host.replace(/^\[|\]$/g, ""), port: Number(port) };
}

function accessOf(ctx: CliContext, flags: HttpFlags): Access {
	const { tokenFile } = flags;
	return {
		token: tokenFile === undefined ? null : async () => new Secret((await readFile(resolve(ctx.cwd, tokenFile), "utf8")).trim()),
		alb: albOf(flags),
		reads: flags.guardReads === true ? "guarded" : "open",
	};
}

function albOf({ alb, albIssuer, albClientId, albClaim }: HttpFlags): AlbIdentity | null {
	if (alb === undefined) {
		if (albIssuer ?? albClientId ?? albClaim)
			throw new TerminalError("BadOptions", "--alb-issuer, --alb-client-id and --alb-claim go with --alb");
		return null;
	}
	if (albIssuer === undefined || albClientId === undefined) {
		throw new TerminalError(
			"BadOptions",
			"--alb needs --alb-issuer and --alb-client-id: without them anybody's sign-in would do",
		);
	}
	return { signer: alb, issuer: albIssuer, clientId: albClientId, claim: albClaim === undefined ? null : claimOf(albClaim) };
}

function claimOf(text: string): { readonly name: string; readonly values: readonly string[] } {
	const [, name, values] = /^([^=]+)=(.+)$/.exec(text) ?? [];
	if (name === undefined || values === undefined) {
		throw new TerminalError("BadOptions", `--alb-claim ${JSON.stringify(text)} is no name=value,value`);
	}
	return { name, values: values.split(",") };
}
