import type { AccessPolicySpec, SecretUseSpec } from "../../model/generated/specs.ts";
import type { Instance } from "../../model/kind.ts";
import type { FieldPath } from "../../model/resource.ts";
import { formatSecretRef, parseSecretRef } from "../../model/secret-ref.ts";
import type { SecretRef } from "../../model/target.ts";
import { accountIdOf } from "./roles.ts";

/** What must be injected, by `container/NAME`, as the `valueFrom` that would inject it. Undefined: nothing is said. */
export function secretRefs(
	i: Instance<AccessPolicySpec>,
	secrets: readonly SecretUseSpec[] | undefined,
	path: FieldPath,
	region: string,
	fill: (text: string, path: FieldPath) => string,
): Readonly<Record<string, SecretRef>> | undefined {
	if (secrets === undefined) return undefined;
	return Object.fromEntries(
		secrets.map((s, n) => {
			const store = s.secret === undefined ? "parameter" : "secret";
			const named = fill(s.secret ?? s.parameter ?? "", [...path, n, store]);
			const given = named.startsWith("arn:") ? parseSecretRef(named) : null;
			const ref = formatSecretRef({
				store,
				partition: given?.partition ?? i.account.partition,
				region: given?.region ?? region,
				account: given?.account ?? accountIdOf(i),
				name: given?.name ?? named,
				jsonKey: s.jsonKey ?? null,
			});
			return [`${s.container}/${s.name}`, ref];
		}),
	);
}
