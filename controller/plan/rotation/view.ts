import type { Instant } from "../../model/ids.ts";
import { instantAt } from "../../model/instant.ts";
import type { Step } from "../../model/plan.ts";
import type { ConsumerView, RotationLine, RotationPhase, RotationView } from "../../model/rotation-view.ts";
import { wayBackWords } from "./back.ts";
import { retiresAt } from "./carry.ts";
import type { Sorted } from "./consumers.ts";
import { bySize } from "./roll.ts";
import { type Cause, nextAt, type Sight, windowOpensAt } from "./sight.ts";

/** No service is looked at more often (aws-facts §4.5: the buckets of ECS are shared with everybody's deployments). */
const LOOK_SECONDS = 5;

/** What people are shown of it. */
export function viewOf(s: Sight, cause: Cause | null, sorted: Sorted | null, steps: readonly Step[]): RotationView {
	const phase = phaseOf(s, cause);
	const due = nextAt(s);
	return {
		secret: s.d.target.name,
		strategy: s.wanted.strategy.type,
		phase,
		id: s.id ?? (phase === "due" ? (cause?.id ?? null) : null),
		because: becauseOf(s, cause),
		dueAt: due,
		rotatedAt: s.mark("rotatedAt"),
		lines: linesOf(s, phase, steps),
		wayBack: wayBackWords(s),
		consumers: sorted === null ? [] : withWaves(sorted, s.wanted.maxParallel),
		failure: failureOf(s),
		lookAt: lookAt(s, phase, cause, due),
	};
}

function phaseOf(s: Sight, cause: Cause | null): RotationPhase {
	if (s.id === null) return cause !== null ? "due" : s.mark("failed") !== null ? "failed" : "idle";
	if (s.mark("back") !== null) return "reverting";
	if (s.mark("verified") !== null) return s.nowMs < retiresAt(s) ? "waiting" : "retiring";
	if (s.promoted) return s.mark("canary") !== null ? "rolling" : "promoted";
	if (s.mark("tested") !== null) return "tested";
	if (s.mark("set") !== null) return "set";
	return s.pending === s.id ? "pending" : "begun";
}

function becauseOf(s: Sight, cause: Cause | null): string {
	const back = s.mark("back");
	if (back !== null) return `it goes back: ${back.replace(/^\w+ /, "")}`;
	if (s.id !== null) return `began ${s.mark("began") ?? "at an unknown time"}`;
	return cause?.words ?? "";
}

function failureOf(s: Sight): string | null {
	return (s.mark("back") ?? s.mark("failed"))?.replace(/^\w+ /, "") ?? null;
}

function lookAt(s: Sight, phase: RotationPhase, cause: Cause | null, due: Instant | null): Instant | null {
	if (phase === "waiting") return instantAt(retiresAt(s));
	if (phase === "idle" || phase === "failed") return due;
	const opens = phase === "due" && cause?.scheduled === true ? windowOpensAt(s) : null;
	return opens ?? instantAt(s.nowMs + LOOK_SECONDS * 1000);
}

const ORDER: readonly RotationPhase[] = [
	"due",
	"begun",
	"pending",
	"set",
	"tested",
	"promoted",
	"rolling",
	"verifying",
	"waiting",
	"retiring",
];

/** What it does, in order; while it goes back, what that does. */
function linesOf(s: Sight, phase: RotationPhase, steps: readonly Step[]): readonly RotationLine[] {
	if (phase === "idle" || phase === "failed") return [];
	if (phase === "waiting")
		return outlineOf(s).map((l) => ({
			is: ORDER.indexOf(l.after) < ORDER.indexOf(phase) ? "done" : l.after === phase ? "now" : "to come",
			words: l.words,
		}));
	const said = steps.flatMap((step) => (step.state === "ready" ? step.diff.map((c) => c.name) : [step.state.detail]));
	const now = [...new Set(said)].map((words): RotationLine => ({ is: "now", words }));
	if (phase === "reverting") return now;
	const at = ORDER.indexOf(phase);
	const outline = outlineOf(s);
	return [
		...outline.filter((l) => ORDER.indexOf(l.after) < at).map((l): RotationLine => ({ is: "done", words: l.words })),
		...now,
		...outline.filter((l) => ORDER.indexOf(l.after) > at).map((l): RotationLine => ({ is: "to come", words: l.words })),
	];
}

/** Each is what happens in a phase. */
function outlineOf(s: Sight): readonly { readonly after: RotationPhase; readonly words: string }[] {
	const { strategy, verify, retireAfterMs } = s.wanted;
	const at = strategy.type === "oauthClient" ? strategy.client.issuer : "";
	const make = {
		generate: [{ after: "begun", words: "make the new value" }],
		oauthClient: [
			{ after: "begun", words: "make the new value" },
			{ after: "pending", words: `give it to ${at}` },
			{ after: "set", words: "ask for a token with it" },
		],
		lambda: [{ after: "begun", words: "the rotation function makes, sets and tests the new value" }],
		external: [],
	} as const;
	const hours = retireAfterMs / 3_600_000;
	return [
		{ after: "due", words: "look whether its consumers are well" },
		...make[strategy.type],
		...(strategy.type === "external" || strategy.type === "lambda"
			? []
			: [{ after: "tested" as const, words: "make it current" }]),
		{ after: "promoted", words: "restart one consumer, and see that it works" },
		{ after: "rolling", words: `restart the rest, ${s.wanted.maxParallel} at a time` },
		{ after: "verifying", words: verify === null ? "see that every task has it" : `verify at ${verify.url}` },
		{
			after: "waiting",
			words: `keep the old value for ${hours >= 1 ? `${Math.round(hours)} h` : `${Math.round(hours * 60)} min`}`,
		},
		{
			after: "retiring",
			words: strategy.type === "oauthClient" ? "retire the old value at the provider" : "let the old value go",
		},
	];
}

/** The first wave is one, the canary; then `maxParallel` each, in the order of their names. */
function withWaves({ views, rollees }: Sorted, maxParallel: number): readonly ConsumerView[] {
	const first = bySize(rollees)[0]?.service.target.name;
	const rest = rollees.map((r) => r.service.target.name).filter((name) => name !== first);
	const waves = new Map(rest.map((name, n) => [name, 2 + Math.floor(n / maxParallel)]));
	return views.map((v) => (v.kind !== "service" ? v : { ...v, wave: v.name === first ? 1 : (waves.get(v.name) ?? null) }));
}
