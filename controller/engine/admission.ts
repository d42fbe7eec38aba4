import type { Finding } from "../model/finding.ts";
import type { ResourceKey } from "../model/ids.ts";
import type { Artifact } from "../model/resource.ts";
import type { Catalog } from "./catalog.ts";
import { isMistake } from "./validate.ts";

/** What is remembered of the last admitted revision, in the control state. */
export interface Admitted {
	readonly revision: string;
	/** Whether it had them: what was there and is gone is refused. */
	readonly platform: boolean;
	readonly installation: boolean;
	readonly guardrails: number;
}

export type Admission =
	| {
			readonly admitted: true;
			readonly summary: Admitted;
			/** Documents that stall by themselves: they are present, nothing of theirs is removed, only what narrows goes on. */
			readonly stalled: ReadonlyMap<ResourceKey, readonly Finding[]>;
	  }
	| {
			readonly admitted: false;
			/** CamelCase. */
			readonly reason:
				| "InvalidYaml"
				| "InvalidPlatform"
				| "PlatformLost"
				| "InstallationLost"
				| "GuardrailsLost"
				| "NotDescendant";
			readonly message: string;
			readonly findings: readonly Finding[];
			/** Whether a person's word (`ecs-access admit`) can accept it. */
			readonly byWord: boolean;
	  };

export interface AdmissionInput {
	readonly artifact: Artifact;
	readonly catalog: Catalog;
	/** Null: the first revision ever read, which is admitted. */
	readonly before: Admitted | null;
	/** Whether it descends from `before`; true where that cannot be asked (a plain directory). */
	readonly descends: boolean;
	/** The revision that a person admitted by name, if any. */
	readonly word: string | null;
}

/**
 * Whether a revision comes into force as a whole (ARCHITECTURE.md, Admission). Refused ones leave the last good revision in
 * force. Pure.
 */
export function admit(input: AdmissionInput): Admission {
	const { artifact, catalog, before } = input;
	const mistakes = catalog.findings.filter(isMistake);
	const yaml = mistakes.filter((f) => f.id === "InvalidYaml");
	if (yaml.length > 0) return refused("InvalidYaml", `${files(yaml)} is not YAML`, yaml);
	const below = artifact.root === "." || artifact.root === "" ? "platform/" : `${artifact.root}/platform/`;
	const platform = mistakes.filter((f) => f.origin?.path.startsWith(below) === true);
	if (platform.length > 0) return refused("InvalidPlatform", `${files(platform)} is not valid, and speaks for all`, platform);
	const summary: Admitted = {
		revision: artifact.revision.id,
		platform: [...artifact.files.keys()].some((path) => path.startsWith("platform/")),
		installation: catalog.view.ofKind("Installation").length > 0,
		guardrails: catalog.view.ofKind("Guardrail").length,
	};
	const [loss] = input.word === artifact.revision.id ? [] : lossesOf(summary, before, input.descends);
	if (loss !== undefined) return refused(loss.reason, loss.message, [], true);
	const stalled = new Map<ResourceKey, Finding[]>();
	for (const f of mistakes) if (f.key !== undefined) stalled.set(f.key, [...(stalled.get(f.key) ?? []), f]);
	for (const key of catalog.view.broken) if (!stalled.has(key)) stalled.set(key, []);
	return { admitted: true, summary, stalled };
}

/** What only a person's word accepts: all that a revision loses over the one before it. */
export interface Loss {
	readonly reason: "NotDescendant" | "PlatformLost" | "InstallationLost" | "GuardrailsLost";
	readonly message: string;
}

export function lossesOf(after: Admitted, before: Admitted | null, descends: boolean): readonly Loss[] {
	if (before === null) return [];
	const losses: Loss[] = [];
	if (!descends) losses.push({ reason: "NotDescendant", message: `${after.revision} does not descend from ${before.revision}` });
	if (before.platform && !after.platform) losses.push({ reason: "PlatformLost", message: "platform/ is gone" });
	if (before.installation && !after.installation)
		losses.push({ reason: "InstallationLost", message: "the Installation is gone" });
	if (before.guardrails > 0 && after.guardrails === 0)
		losses.push({ reason: "GuardrailsLost", message: "the last Guardrail is gone" });
	return losses;
}

function refused(
	reason: Extract<Admission, { admitted: false }>["reason"],
	message: string,
	findings: readonly Finding[],
	byWord = false,
): Admission {
	return { admitted: false, reason, message, findings, byWord };
}

function files(findings: readonly Finding[]): string {
	const paths = [...new Set(findings.map((f) => f.origin?.path ?? "a file"))];
	return paths.length === 1 ? (paths[0] ?? "") : `${paths[0]} and ${paths.length - 1} more`;
}
