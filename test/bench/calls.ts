/** What a plan of 1,000 unchanged policies asks of AWS, counted at the wire, and what the real program takes for it. */
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { type Person, person } from "../e2e/cli.ts";
import { fleetName } from "../sandbox/fleet.ts";
import { type Sandbox, startSandbox } from "../sandbox/sandbox.ts";
import { fleetSource } from "./fleet.ts";
import { measuredEnv, peakMiB, type Row, timed } from "./measure.ts";
import { settleFleet } from "./settled.ts";

const POLICIES = 1_000;

type Counts = Readonly<Record<string, number>>;

/** Who starts or deploys tasks, asked for PassRoleGap: schedules, rules, and the caller's role, read by itself. */
const PASSERS = /^((scheduler|events):.*|ecs:ListClusters|iam:(Get|List)\w*Role\w*)$/;
const DOCUMENTS = /^iam:GetPolicy(Version)?$/;

export interface CallFigures {
	readonly rows: readonly Row[];
	/** By plan, then by operation. */
	readonly counts: Readonly<Record<string, Counts>>;
}

export async function callFigures(): Promise<CallFigures> {
	const sandbox = await startSandbox();
	try {
		const account = sandbox.newAccount();
		const who = person(sandbox, account, measuredEnv);
		for (const [path, text] of await settleFleet(sandbox, account, POLICIES)) who.write(join("policies", path), text);
		const rows: Row[] = [];
		const counts: Record<string, Counts> = {};
		const plan = async (what: string, target: string, words: typeof callWords, ...more: readonly string[]): Promise<void> => {
			await sandbox.resetCounts(account);
			const { value, seconds } = await timed(() => who.run("plan", "--path", "policies", "--state-dir", "state", ...more));
			if (value.code !== 0) throw new Error(`${what}: the plan is not empty, exit ${value.code}\n${value.stdout}${value.stderr}`);
			const made = await sandbox.counts(account);
			counts[what] = made;
			rows.push({ what: `${what}: AWS calls`, figure: words(made), target });
			rows.push({
				what: `${what}: time, peak memory`,
				figure: `${seconds.toFixed(1)} s, ${peakMiB().toFixed(0)} MiB`,
				target: "",
			});
		};
		await plan("plan of 1,000 unchanged policies, nothing cached", "", callWords);
		await plan("the same, task definitions cached", "at most 250 (floor 104)", callWords);
		await plan("one policy of the 1,000 (`--only`)", "", allCalls, "--only", `AccessPolicy/${fleetName(7)}`);
		counts[RESYNC] = await resync(sandbox, account, who);
		rows.push({ what: `${RESYNC}: AWS calls`, figure: allCalls(counts[RESYNC]), target: "at most 250" });
		return { rows, counts };
	} finally {
		await sandbox.stop();
	}
}

const RESYNC = "a resync of the controller, 1,000 unchanged policies";
const RESYNCS_MS = 300_000;

/** The calls of one resync at rest: between the end of the first and the end of the second, when task definitions are known. */
async function resync(sandbox: Sandbox, account: string, who: Person): Promise<Counts> {
	const [installation = ""] = [...fleetSource(account, 0)].flatMap(([path, text]) =>
		path.endsWith("installation.yaml") ? [text] : [],
	);
	who.write("policies/platform/installation.yaml", `${installation}  mode: Enforce\n  resync: 60s\n`);
	const run = who.start(
		"run",
		"--path",
		"policies",
		"--state-dir",
		"state",
		"--http",
		"off",
		"--poll",
		"600",
		"--log-level",
		"debug",
	);
	try {
		const ended = (): number => run.said().split('"msg":"resynced"').length - 1;
		const until = async (n: number): Promise<void> => {
			const deadline = Date.now() + RESYNCS_MS;
			while (ended() < n) {
				if (Date.now() > deadline) throw new Error(`resync ${n} did not end:\n${run.said().slice(-2_000)}`);
				await delay(50);
			}
		};
		await until(1);
		await sandbox.resetCounts(account);
		await until(2);
		const { "sqs:GetQueueUrl": _, ...made } = await sandbox.counts(account);
		return made;
	} finally {
		run.kill("SIGTERM");
		await run.ended;
	}
}

/** Its own roles are read singly too, so those of the passers cannot be told apart. */
function allCalls(counts: Counts): string {
	return `${Object.values(counts).reduce((n, calls) => n + calls, 0)} in all`;
}

/** The roles of the policies come in the pages of all roles; what is read singly beside them is the passers'. */
function callWords(counts: Counts): string {
	const sum = (of: (operation: string) => boolean): number =>
		Object.entries(counts).reduce((n, [operation, calls]) => (of(operation) ? n + calls : n), 0);
	const passers = sum((o) => PASSERS.test(o));
	const documents = sum((o) => DOCUMENTS.test(o));
	const others = sum((o) => !PASSERS.test(o) && !DOCUMENTS.test(o));
	return `${others}, and ${passers} for PassRoleGap, ${documents} for managed policies`;
}
