import type { ConsumerView, RotationPhase, RotationView } from "../../model/rotation-view.ts";
import { instantWords } from "./words.ts";

/** What becomes of a secret, behind its name in a plan. */
export const ROTATION_HEADLINES: Readonly<Record<RotationPhase, string>> = {
	idle: "rests",
	due: "will be rotated",
	begun: "is being rotated",
	pending: "is being rotated",
	set: "is being rotated",
	tested: "is being rotated",
	promoted: "is being rotated",
	rolling: "is being rotated",
	verifying: "is being rotated",
	waiting: "has been rotated",
	retiring: "has been rotated",
	reverting: "goes back to its old value",
	failed: "has gone back to its old value",
};

/** The STATUS of a rotation: `rotating: 3 current / 1 stale`. Not escaped. */
export function rotationStatus(view: RotationView): string {
	switch (view.phase) {
		case "idle":
			return view.dueAt === null ? "rotated when asked" : `next ${instantWords(view.dueAt)}`;
		case "failed":
			return `went back: ${view.failure ?? "unknown"}`;
		case "due":
			return `due: ${view.because}`;
		case "waiting":
		case "retiring":
			return view.lookAt === null ? "rotated" : `rotated, old value kept until ${instantWords(view.lookAt)}`;
		case "reverting":
			return `going back${countsOf(view)}`;
		default:
			return `rotating${countsOf(view)}`;
	}
}

/** `: 3 current / 1 stale`, over all consumers; empty where no task was counted. */
function countsOf({ consumers }: RotationView): string {
	const counted = consumers.filter((c) => c.current !== null && c.stale !== null);
	if (counted.length === 0) return "";
	const sum = (of: (c: ConsumerView) => number | null): number => counted.reduce((n, c) => n + (of(c) ?? 0), 0);
	return `: ${sum((c) => c.current)} current / ${sum((c) => c.stale)} stale`;
}

const STATES: Readonly<Record<ConsumerView["state"], string>> = {
	restart: "will be restarted",
	rolling: "is being restarted",
	current: "has the new value",
	failed: "failed",
	self: "not restarted",
	pinned: "not restarted",
	unaffected: "not restarted",
	"next run": "not restarted",
	blocked: "cannot be restarted from here",
};

/** `3 current / 1 stale, is being restarted`. Not escaped. */
export function consumerWords(c: ConsumerView): string {
	const counted = c.current === null || c.stale === null ? "" : `${c.current} current / ${c.stale} stale, `;
	const rule = c.kind === "rule" && c.state === "restart" ? "will be given the new value" : STATES[c.state];
	return `${counted}${rule}${c.note === null ? "" : `: ${c.note}`}`;
}

/** `wave 1, alone`. */
export function waveWords(c: ConsumerView): string {
	return c.wave === null ? "" : c.wave === 1 ? "wave 1, alone" : `wave ${c.wave}`;
}
