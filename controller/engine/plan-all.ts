import type { Finding } from "../model/finding.ts";
import type { PlanRequest } from "../model/plan.ts";
import type { Artifact } from "../model/resource.ts";
import type { Asks } from "../model/rotation-ask.ts";
import { loadCatalog } from "./catalog.ts";
import { type CatalogPlanDeps, type Planned, planCatalog } from "./plan-catalog.ts";
import { mistakesOf } from "./validate.ts";

export interface PlanDeps extends CatalogPlanDeps {
	/** The caller's own account and region, for a repository that declares no Account. */
	readonly self: (signal: AbortSignal) => Promise<{ readonly accountId: string; readonly region: string }>;
}

export interface PlanInput {
	readonly artifact: Artifact;
	readonly request: PlanRequest;
	/** A person will have seen the plan before it is applied (KINDS.md, Installation budgets). */
	readonly shown: boolean;
	/** As a controller will plan it once no pause is in force any more. */
	readonly resuming?: true;
	/** Rotations that are asked for, though the store does not say so yet. */
	readonly asked?: Asks;
}

/** Either the plan, or what is wrong with the source: then nothing was read from AWS. */
export type PlanResult = Planned | { readonly file: null; readonly findings: readonly Finding[] };

/**
 * Gathers and plans everything that `request` names. Reads AWS only when the source holds no error; writes nothing,
 * neither there nor in the store. An account that cannot be read stops alone; when none can, its error is thrown.
 */
export async function planAll(input: PlanInput, deps: PlanDeps, signal: AbortSignal): Promise<PlanResult> {
	const { artifact, request } = input;
	const now = deps.clock.now();
	const load = (defaults: { readonly accountId: string; readonly region: string } | null) =>
		loadCatalog(artifact, {
			actions: deps.actions,
			defaults,
			now,
			...(request.only === undefined ? {} : { only: request.only }),
		});
	let catalog = load(null);
	let mistakes = mistakesOf(catalog, now, request.only);
	if (mistakes.length > 0) return { file: null, findings: mistakes };
	if (catalog.view.accounts.some((a) => a.accountId === null || a.region === null)) {
		catalog = load(await deps.self(signal));
		mistakes = mistakesOf(catalog, now, request.only);
		if (mistakes.length > 0) return { file: null, findings: mistakes };
	}
	const planned = await planCatalog({ ...input, catalog, person: input.resuming !== true }, deps, signal);
	const [first] = planned.failures.values();
	if (first !== undefined && planned.failures.size === planned.file.accounts.length) throw first;
	return planned;
}
