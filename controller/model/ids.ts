/** Plain strings with a meaning. They stay strings so that every plan and status is plain JSON. */

/** `sha256:` and 64 hex digits. */
export type Digest = string;
/** RFC 3339 in UTC, with seconds: `2026-11-24T09:12:00Z`. */
export type Instant = string;
/** Twelve digits. */
export type AccountId = string;
export type Region = string;
export type Arn = string;
export type Tags = Readonly<Record<string, string>>;
/** `Kind/name`, or `Kind/name@account` for one account's instance of a policy. */
export type ResourceKey = string;
export type StepId = string;
