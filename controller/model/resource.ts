import type { Digest, Instant, ResourceKey } from "./ids.ts";

/** The content of a source at one moment. For a plain directory `id` is the content digest. */
export interface Revision {
	readonly kind: "commit" | "directory";
	readonly id: string;
	readonly author?: string;
	readonly committedAt?: Instant;
	readonly subject?: string;
}

/** Immutable content of one Revision: every `*.yaml` and `*.yml` below the source root, by path relative to it. */
export interface Artifact {
	readonly revision: Revision;
	readonly digest: Digest;
	/** What stands before a file's path when it is shown to a person, e.g. `policies`; `.` shows none. */
	readonly root: string;
	readonly files: ReadonlyMap<string, string>;
	/** The source mark (KINDS.md, Installation), e.g. `github.com/acme/access//policies`, or `directory`. */
	readonly source: string;
	/** Why this is not the whole source at its configured branch; null when it is. Only then may absence mean removal. */
	readonly partial: string | null;
}

/** A place in a file, 1-based, the path as shown to a person (`policies/orders-api.yaml`). */
export interface Origin {
	readonly path: string;
	readonly line: number;
	readonly column: number;
}

/** Path into a document: `["spec", "taskRole", "statements", 0]`. */
export type FieldPath = readonly (string | number)[];

export interface Metadata {
	readonly name: string;
	readonly labels?: Readonly<Record<string, string>>;
	readonly annotations?: Readonly<Record<string, string>>;
}

/** One valid document. */
export interface Resource<S = unknown> {
	readonly apiVersion: string;
	readonly kind: string;
	/** `Kind/name`. */
	readonly key: ResourceKey;
	readonly metadata: Metadata;
	readonly spec: S;
	/** Digest of kind, metadata and spec: the observedGeneration of Status. */
	readonly generation: Digest;
	readonly origin: Origin;
	/**
	 * Where a field stands: its key (the default) or its value, and there the first place of `text`. The nearest enclosing
	 * node where the field itself is absent. Lines are counted only when they are read.
	 */
	readonly at: (path: FieldPath, part?: "key" | "value", text?: string) => Origin;
	/** First and last line of a field with all that is below it: what to delete. */
	readonly lines: (path: FieldPath) => { readonly first: number; readonly last: number };
}
