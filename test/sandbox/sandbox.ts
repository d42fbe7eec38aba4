import { spawn } from "node:child_process";
import { randomInt } from "node:crypto";
import { once } from "node:events";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import type { Fault } from "./faults.ts";
import type { Held, HoldSpec } from "./holds.ts";
import { CONTROL } from "./proxy.ts";
import type { SeedData } from "./seed-data.ts";
import type { StartedTask, TaskOrders } from "./tasks.ts";
import { accessKeyOf } from "./wire.ts";

const REGION = "eu-west-1";

/** One call stopped on its way. */
export interface Hold {
	/** Resolves with the held call once one has come; rejects when `signal` aborts. */
	reached(signal?: AbortSignal): Promise<Held>;
	/** Lets the call go on. */
	release(): Promise<void>;
	/** Cuts the caller's connection; a call held before it was carried out never is. */
	drop(): Promise<void>;
}

/** What a test may choose for its account; what is absent stays as it is. */
export interface SandboxSettings {
	/** Writes to IAM, ECS and Secrets Manager become events, as a CloudTrail trail makes them. Default false. */
	readonly trail?: boolean;
	/** From an event to its targets. Default 10. */
	readonly eventDelayMs?: number;
	/** What reads of IAM, AssumeRole and the right to pass a role see is so old. Default 0. */
	readonly iamLagMs?: number;
}

/** What a test orders for the rotation functions of its account; what is absent stays as it is. */
export interface RotationOrders {
	/** From RotateSecret to its end. Default 0.3. */
	readonly seconds?: number;
	/** `fail`: AWSPENDING stays on an empty version, and that is told. `hang`: it is not. Default `succeed`. */
	readonly outcome?: "succeed" | "fail" | "hang";
}

/** An event of an AWS service, as it is put on the default bus. */
export interface ServiceEvent {
	/** Default `eu-west-1`. */
	readonly region?: string;
	readonly source: string;
	readonly detailType: string;
	readonly detail: Readonly<Record<string, unknown>>;
	readonly resources?: readonly string[];
}

interface Seeded {
	readonly secrets: readonly string[];
	readonly listenerRules: readonly string[];
}

/** AWS for tests: over the wire, each account by itself. */
export interface Sandbox {
	readonly endpoint: string;
	/** A fresh account id, random: no two test files or processes meet. */
	newAccount(): string;
	/** The environment of a process that acts in `account`; overrides every profile and SSO set-up around it. */
	env(account: string): Record<string, string>;
	/** The same, as the configuration of an SDK client. */
	config(account: string): {
		readonly endpoint: string;
		readonly region: string;
		readonly credentials: { readonly accessKeyId: string; readonly secretAccessKey: string };
	};
	/** Adds to what `account` holds. @returns the ARNs of the seeded secrets and listener rules, in order */
	seed(account: string, data: SeedData): Promise<Seeded>;
	/** Empties `account`. */
	reset(account: string): Promise<void>;
	configure(account: string, settings: SandboxSettings): Promise<void>;
	/**
	 * Moves the clock of `account` ahead: deliveries, schedules and tasks that come due on the way have happened when this resolves.
	 */
	tick(account: string, seconds: number): Promise<void>;
	/** How long the ECS tasks of `account` take, and which of them fail. */
	deployments(account: string, orders: TaskOrders): Promise<void>;
	/** What the rotation functions of secrets do. */
	rotations(account: string, orders: RotationOrders): Promise<void>;
	/** By ARN of a listener rule: the client secret that it was given last, which AWS never tells. */
	clientSecrets(account: string): Promise<Readonly<Record<string, string>>>;
	/** The tasks that ECS started in `account`, the lately stopped ones included. */
	tasks(account: string): Promise<readonly StartedTask[]>;
	/** Puts events on the default bus that AWS alone may put there (`aws.…`). */
	emit(account: string, events: readonly ServiceEvent[]): Promise<void>;
	/**
	 * Calls since the start or the last `resetCounts`, every attempt that reached the wire, by `service:Operation`. Calls with
	 * credentials that the sandbox did not give out are counted in the account `other`.
	 */
	counts(account: string): Promise<Readonly<Record<string, number>>>;
	resetCounts(account: string): Promise<void>;
	/** Faults of an account are asked in the order they were added; the first that hits wins. */
	fault(account: string, fault: Fault): Promise<void>;
	hold(account: string, hold: HoldSpec): Promise<Hold>;
	/** Ends faults and lets held calls go on. */
	clearFaults(account: string): Promise<void>;
	/** Ends what `startSandbox` started; does nothing on a connected sandbox. */
	stop(): Promise<void>;
}

/** A sandbox that is already running. */
export function connectSandbox(endpoint: string): Sandbox {
	return sandboxAt(endpoint, async () => {});
}

/**
 * Starts moto and the proxy on free ports; the first start ever installs moto (`venv.ts`). It ends with this process, however this
 * process ends.
 * @throws Error when the sandbox does not come up, with what it printed
 */
export async function startSandbox(): Promise<Sandbox> {
	const child = spawn(process.execPath, [fileURLToPath(new URL("server.ts", import.meta.url))], {
		stdio: ["pipe", "pipe", "inherit"],
	});
	const ended = once(child, "exit");
	const lines = createInterface(child.stdout);
	const first = await Promise.race([once(lines, "line"), ended.then(() => undefined)]);
	if (first === undefined) throw new Error("the sandbox did not start: see its message above");
	const { endpoint } = JSON.parse(String(first[0])) as { endpoint: string };
	// It must not keep its parent from ending.
	child.unref();
	for (const stream of [child.stdin, child.stdout]) (stream as unknown as { unref(): void }).unref();
	return sandboxAt(endpoint, async () => {
		child.ref();
		child.stdin.end();
		await ended;
	});
}

function sandboxAt(endpoint: string, stop: () => Promise<void>): Sandbox {
	async function control(path: string, input: unknown, signal?: AbortSignal): Promise<unknown> {
		const response = await fetch(`${endpoint}${CONTROL}${path}`, {
			method: "POST",
			body: JSON.stringify(input),
			...(signal === undefined ? {} : { signal }),
		});
		const answer: unknown = await response.json();
		if (!response.ok) throw new Error(`sandbox: ${path}: ${JSON.stringify(answer)}`);
		return answer;
	}
	return {
		endpoint,
		newAccount: () => String(randomInt(200_000_000_000, 1_000_000_000_000)),
		env: (account) => ({
			AWS_ENDPOINT_URL: endpoint,
			AWS_ACCESS_KEY_ID: accessKeyOf(account),
			AWS_SECRET_ACCESS_KEY: "sandbox",
			AWS_SESSION_TOKEN: "",
			AWS_REGION: REGION,
			AWS_DEFAULT_REGION: REGION,
			// A profile set around us would win over the keys.
			AWS_PROFILE: "",
			AWS_CONFIG_FILE: "/dev/null",
			AWS_SHARED_CREDENTIALS_FILE: "/dev/null",
			AWS_EC2_METADATA_DISABLED: "true",
		}),
		config: (account) => ({
			endpoint,
			region: REGION,
			credentials: { accessKeyId: accessKeyOf(account), secretAccessKey: "sandbox" },
		}),
		seed: async (account, data) => (await control("seed", { account, data })) as Seeded,
		reset: async (account) => void (await control("reset", { account })),
		configure: async (account, settings) => void (await control("settings", { account, settings })),
		tick: async (account, seconds) => void (await control("tick", { account, seconds })),
		deployments: async (account, orders) => void (await control("deployments", { account, deployments: orders })),
		rotations: async (account, orders) => void (await control("rotations", { account, rotations: orders })),
		clientSecrets: async (account) => ((await control("client-secrets", { account })) as { held: Record<string, string> }).held,
		tasks: async (account) => ((await control("tasks", { account })) as { tasks: readonly StartedTask[] }).tasks,
		emit: async (account, events) => void (await control("emit", { account, events })),
		counts: async (account) => (await control("counts", { account })) as Record<string, number>,
		resetCounts: async (account) => void (await control("counts/reset", { account })),
		fault: async (account, fault) => void (await control("fault", { account, fault })),
		async hold(account, hold) {
			const { id } = (await control("hold", { account, hold })) as { id: string };
			return {
				reached: async (signal) => (await control("hold/reached", { id }, signal)) as Held,
				release: async () => void (await control("hold/settle", { id, goOn: true })),
				drop: async () => void (await control("hold/settle", { id, goOn: false })),
			};
		},
		clearFaults: async (account) => void (await control("fault/clear", { account })),
		stop,
	};
}
