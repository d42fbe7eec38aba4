import type { Manager } from "../engine/manager.ts";
import type { ResourceKey } from "../model/ids.ts";
import type { PlanFile } from "../model/plan.ts";
import type { Clock, Store } from "../model/ports.ts";
import type { Secret } from "../model/secret.ts";
import type { AlbIdentity } from "./alb.ts";

/** Whose turn it is to write. `observing`: mode Observe, where nobody needs a turn. */
export type Term =
	| { readonly state: "writing" }
	| { readonly state: "observing" }
	| { readonly state: "standby"; readonly holder: string; readonly until: string }
	/** Between two terms: just opened, or the lease was lost. */
	| { readonly state: "between" };

/** The controller that is open now, as far as HTTP shows it. */
export interface Served {
	readonly installation: string;
	readonly mode: "Observe" | "Enforce";
	readonly store: Store;
	/** As it is shown: a file or a table. */
	readonly storeName: string;
	readonly term: Term;
	/** Null while nothing is watched: on standby and between two terms. */
	readonly manager: Pick<Manager, "state" | "hint" | "ask"> | null;
	/** Plans these keys now, of what is in force, and writes nothing. */
	readonly plan: (keys: readonly ResourceKey[], signal: AbortSignal) => Promise<PlanFile>;
	/** Null: the Installation names no `git.webhookSecret`, or no repository is followed. */
	readonly webhook: Webhook | null;
	/** Why events are not heard now; null: they are. */
	readonly deaf: string | null;
}

export interface Webhook {
	/** The branch that is followed; null: the repository's default. */
	readonly branch: string | null;
	readonly secret: () => Promise<Secret>;
}

/** Who may write over HTTP; with neither, nobody. */
export interface Access {
	/** Of at least 24 characters; asked for each time, so that it can be replaced. */
	readonly token: (() => Promise<Secret>) | null;
	readonly alb: AlbIdentity | null;
	/** Reading below /api/ needs the same as writing. */
	readonly reads: "open" | "guarded";
}

export interface ApiDeps {
	readonly version: string;
	readonly clock: Clock;
	/** Asked at each request; null: nothing is open. */
	readonly served: () => Served | null;
	/** Why nothing is open, where it was tried. */
	readonly trouble: () => { readonly message: string; readonly fix?: string } | null;
	readonly access: Access;
	readonly metrics: { readonly contentType: string; readonly text: () => Promise<string> };
	readonly observe: (event: ApiEvent) => void;
}

/** For logs and metrics. Nothing in it comes out of a request but its method; the route is the pattern. */
export type ApiEvent =
	| {
			readonly type: "request";
			readonly id: string;
			readonly method: string;
			readonly route: string;
			readonly status: number;
			readonly milliseconds: number;
	  }
	| { readonly type: "failed"; readonly id: string; readonly route: string; readonly error: Error }
	/** What somebody did by a request. */
	| { readonly type: "act"; readonly id: string; readonly act: "sync" | "pause" | "resume"; readonly by: string }
	| { readonly type: "webhook"; readonly sender: "github" | "gitlab"; readonly result: "hint" | "ignored" | "refused" };
