const UNIT_MS = { s: 1_000, m: 60_000, h: 3_600_000, d: 86_400_000 } as const;

/** `14d`, `90m` in milliseconds, as the schemas of the kinds allow; null: not a duration. */
export function durationMs(text: string): number | null {
	const m = /^([0-9]+)([smhd])$/.exec(text);
	const unit = m?.[2] as keyof typeof UNIT_MS | undefined;
	return m === null || unit === undefined ? null : Number(m[1]) * UNIT_MS[unit];
}
