import { kindOf } from "../kinds/registry.ts";
import type { Account } from "../model/account.ts";
import { isRole, isRotation } from "../model/desired.ts";
import type { Hint } from "../model/hint.ts";
import type { ResourceKey } from "../model/ids.ts";
import type { CatalogView, Instance } from "../model/kind.ts";
import type { Facts, WorkloadReference } from "../model/reference.ts";
import { parseSecretRef } from "../model/secret-ref.ts";
import type { Target } from "../model/target.ts";

/** Which keys an event concerns. */
export type Referrers = (hint: Hint) => readonly ResourceKey[];

/**
 * The index of a catalog: from what is in AWS back to the resource instances that speak of it. Pure; made once a revision.
 * A hint that nobody refers to concerns nobody: what a hand made beside us is found by the resync where it matters.
 */
export function createReferrers(view: CatalogView, instances: readonly Instance[], now: string): Referrers {
	const index = new Map<string, Set<ResourceKey>>();
	const add = (id: string, key: ResourceKey): void => {
		const keys = index.get(id) ?? new Set();
		index.set(id, keys.add(key));
	};
	const facts: Facts = { now, get: () => undefined };
	for (const instance of instances) {
		const kind = kindOf(instance.resource.kind);
		for (const ref of kind.references(instance, view, facts)) {
			if (ref.type === "iam.role") add(hintId({ ...ref, type: "iam.role" }), instance.key);
			if (ref.type === "iam.managedPolicy") add(hintId({ ...ref, type: "iam.managedPolicy" }), instance.key);
			if (ref.type === "ecs.workload") for (const id of workloadIds(ref)) add(id, instance.key);
		}
		for (const d of kind.expand(instance, view, facts).desired) {
			const { account, region, name } = d.target;
			if (isRole(d)) {
				add(hintId({ type: "iam.role", account, name }), instance.key);
				const { permissionsBoundary } = d.wanted;
				if (permissionsBoundary !== null && permissionsBoundary !== "none") {
					add(hintId({ type: "iam.managedPolicy", account, arn: permissionsBoundary }), instance.key);
				}
				continue;
			}
			if (isRotation(d)) {
				for (const id of secretIds(secretArn(instance.account, d.target))) add(id, instance.key);
				continue;
			}
			if (d.target.type === "ecs.family") add(hintId({ type: "ecs.family", account, region, name }), instance.key);
			else {
				const slash = name.indexOf("/");
				add(
					hintId({ type: "ecs.service", account, region, cluster: name.slice(0, slash), name: name.slice(slash + 1) }),
					instance.key,
				);
			}
			for (const wanted of Object.values("binding" in d.wanted ? (d.wanted.binding.secrets ?? {}) : {})) {
				if (parseSecretRef(wanted)?.store === "secret") for (const id of secretIds(wanted)) add(id, instance.key);
			}
		}
	}
	return (hint) => {
		if (hint.type === "resync")
			return hint.key === null
				? instances.map((i) => i.key)
				: instances.filter((i) => i.key === hint.key || i.resource.key === hint.key).map((i) => i.key);
		if (hint.type === "rotate")
			return instances
				.filter(
					(i) => i.resource.kind === "SecretRotation" && i.resource.metadata.name === hint.name.replace(/^SecretRotation\//, ""),
				)
				.map((i) => i.key);
		const ids = hint.type === "secret" ? secretIds(hint.arn) : [hintId(hint)];
		return [...new Set(ids.flatMap((id) => [...(index.get(id) ?? [])]))];
	};
}

/**
 * A derived role grows with a new revision, before that is rolled out. Which family a service runs stands nowhere in git;
 * most have its name, and the others' are seen when the service is updated.
 */
function workloadIds({ account, region, workload, name }: WorkloadReference): readonly string[] {
	if (workload === "family") return [hintId({ type: "ecs.family", account, region, name })];
	const slash = name.indexOf("/");
	const service = name.slice(slash + 1);
	return [
		hintId({ type: "ecs.service", account, region, cluster: name.slice(0, slash), name: service }),
		hintId({ type: "ecs.family", account, region, name: service }),
	];
}

function hintId(hint: Exclude<Hint, { type: "secret" }>): string {
	switch (hint.type) {
		case "iam.role":
			return `role/${hint.account}/${hint.name.toLowerCase()}`;
		case "iam.managedPolicy":
			return `policy/${hint.arn}`;
		case "ecs.service":
			return `service/${hint.account}/${hint.region}/${hint.cluster}/${hint.name}`;
		case "ecs.family":
			return `family/${hint.account}/${hint.region}/${hint.name}`;
		case "source":
		case "resync":
		case "rotate":
			return hint.type;
	}
}

/** As an event names it; the six characters that AWS appends aside. */
function secretArn({ partition }: Account, { account, region, name }: Target): string {
	return name.startsWith("arn:") ? name : `arn:${partition}:secretsmanager:${region}:${account}:secret:${name}`;
}

/**
 * Both names that an ARN may mean: git may leave out the six characters that AWS appends, and a name may end like them
 * (`prod/db-master`). One too many costs a pass that finds nothing.
 */
function secretIds(arn: string): readonly string[] {
	const name = arn.split(":").slice(0, 7).join(":");
	return [`secret/${name}`, `secret/${name.replace(/-[A-Za-z0-9]{6}$/, "")}`];
}
