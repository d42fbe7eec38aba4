/** When a secret is rotated, as git says it, taken apart. */
export interface RotationSchedule {
	/** Exactly one of both. */
	readonly everyMs: number | null;
	readonly cron: string | null;
	/** Of `cron`; a window has its own. */
	readonly timeZone: string;
	/** A rotation begins only within it; null: at any time. */
	readonly window: RotationWindow | null;
}

/** `Sun 02:00-04:00 Europe/Berlin`. */
export interface RotationWindow {
	/** Where it opens, as five fields of cron. */
	readonly cron: string;
	readonly lengthMs: number;
	readonly timeZone: string;
}
