import { digest, shortDigest } from "../model/digest.ts";
import { parseGitUrl } from "./url.ts";

/** IAM's limit for a tag value (aws-facts §2). */
const MAX_TAG_VALUE = 256;

/**
 * The source mark: `host/owner/repo//root`, the same for every spelling of one repository's address, without credentials.
 * `root` is relative to the top of the repository; at the top there is no `//`. `directory` where there is no address.
 * Of a repository on this machine, `local/repo.digest//root`: a path of somebody's disk has no place in a tag that a whole
 * account reads, and two of one name must stay two.
 */
export function sourceMark(originUrl: string | null, root: string): string {
	const url = originUrl === null ? null : parseGitUrl(originUrl);
	if (url === null || url.kind === "refused") return "directory";
	const inside = root.replace(/^\.?\/+|\/+$/g, "");
	const mark =
		(url.kind === "local" ? localName(url.identity) : url.identity) + (inside === "" || inside === "." ? "" : `//${inside}`);
	// Characters that a tag cannot hold are replaced; the digest keeps two such addresses apart.
	const safe = mark.replace(/[^\p{L}\p{Z}\p{N}_.:/=+\-@]/gu, "_");
	if (safe === mark && mark.length <= MAX_TAG_VALUE) return mark;
	return `${safe.slice(0, MAX_TAG_VALUE - 9)}.${shortDigest(digest(mark))}`;
}

function localName(identity: string): string {
	return `local/${identity.slice(identity.lastIndexOf("/") + 1)}.${shortDigest(digest(identity))}`;
}
