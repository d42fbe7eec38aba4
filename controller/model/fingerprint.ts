import { canonicalDocument } from "../policy/canonical.ts";
import { digest } from "./digest.ts";
import type { Digest } from "./ids.ts";
import { isMark } from "./marks.ts";
import type { RoleState } from "./target.ts";

/**
 * What a role must still look like immediately before we write (IAM has no compare-and-swap, aws-facts §3.2).
 * Over names and canonical documents, so a cosmetic rewrite by IAM is no conflict; of the tags only our marks and a
 * hold count, since other people's tags are not looked at.
 */
export function roleFingerprint(s: RoleState): Digest {
	return digest({
		path: s.path,
		trust: canonicalDocument(s.trust),
		inline: Object.fromEntries(Object.entries(s.inline).map(([name, doc]) => [name, canonicalDocument(doc)])),
		managedPolicies: [...s.managedPolicies].sort(),
		permissionsBoundary: s.permissionsBoundary,
		marks: Object.fromEntries(
			Object.entries(s.tags)
				.filter(([k]) => isMark(k))
				.map(([k, v]) => [k.toLowerCase(), v]),
		),
	});
}
