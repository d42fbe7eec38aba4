import type { Secret } from "../model/secret.ts";
import type { PlaintextSecret } from "../model/target.ts";

/** Words in a variable's name that say its value is a secret; compared word by word (`DB_PASSWORD`, `dbPassword`). */
const SECRET_WORDS = new Set([
	"password",
	"passwd",
	"pwd",
	"pass",
	"passphrase",
	"secret",
	"token",
	"credential",
	"credentials",
	"apikey",
]);
const SECRET_PAIRS = new Set([
	"api key",
	"access key",
	"private key",
	"secret key",
	"auth key",
	"signing key",
	"encryption key",
	"master key",
	"account key",
	"connection string",
]);
/** A name that ends so speaks of a secret without holding one: `TOKEN_TTL`, `DB_PASSWORD_ARN`, `SECRET_NAME`. */
const ABOUT = new Set(
	(
		"arn name names id ids path paths file files dir url uri endpoint host port ttl expiry expires expiration timeout age lifetime " +
		"seconds minutes hours days enabled disabled required type kind format algorithm alg length size min max count limit region " +
		"version prefix suffix header cookie field policy provider store manager issuer audience scope scopes interval rotation " +
		"bucket table queue public mode"
	).split(" "),
);
/** What a name that looks random is allowed to be: identifiers and digests are no secrets. */
const IDENTIFIER = new Set(
	"id ids arn sha sha1 sha256 hash digest checksum commit revision version build image tag etag fingerprint public pool url uri host".split(
		" ",
	),
);

/** Formats that are credentials wherever they stand. */
const CREDENTIAL_FORMATS: readonly RegExp[] = [
	/-----BEGIN [A-Z ]*PRIVATE KEY-----/,
	/\b(?:AKIA|ASIA)[0-9A-Z]{16}\b/,
	/\bgh[pousr]_[A-Za-z0-9]{30,}\b/,
	/\bgithub_pat_[A-Za-z0-9_]{22,}\b/,
	/\bglpat-[A-Za-z0-9_-]{20,}/,
	/\bxox[abprs]-[A-Za-z0-9-]{10,}/,
	/\b[rs]k_live_[A-Za-z0-9]{16,}/,
	/\bSG\.[A-Za-z0-9_-]{16,}\.[A-Za-z0-9_-]{16,}/,
	/\bAIza[A-Za-z0-9_-]{35}\b/,
	/\beyJ[A-Za-z0-9_-]{10,}\.eyJ[A-Za-z0-9_-]{10,}\.[A-Za-z0-9_-]{10,}/,
	/(?:^|[;\s])(?:password|pwd|accountkey|sharedaccesskey)\s*=\s*[^;\s]+/i,
];
const URL_WITH_PASSWORD = /\b[a-z][a-z0-9+.-]*:\/\/[^\s:/?#@]*:([^\s/?#@]+)@/i;
/** Filled in by something else: `${DB_PASSWORD}`, `{{ password }}`, `<password>`, `***`. */
const PLACEHOLDER = /^(?:\$\{.*\}|\$[A-Z_]+|\{\{.*\}\}|<.*>|%.*%|[*x]+|\[secret\])$/i;

/** Which variables of a container look like secrets in plain text, and by which rule. Values never leave `Secret`. */
export function plaintextSecrets(
	container: string,
	environment: readonly { readonly name: string; readonly value: Secret }[],
): readonly PlaintextSecret[] {
	return environment.flatMap(({ name, value }): readonly PlaintextSecret[] => {
		const rule = ruleFor(name, value);
		return rule === null ? [] : [{ container, name, rule }];
	});
}

function ruleFor(name: string, secret: Secret): PlaintextSecret["rule"] | null {
	const words = wordsOf(name);
	if (namesSecret(words) && secret.test((v) => couldBeSecret(v, words))) return "name";
	if (secret.test((v) => isCredential(v) || looksRandom(v, words))) return "entropy";
	return null;
}

function wordsOf(name: string): readonly string[] {
	return name
		.replace(/([a-z0-9])([A-Z])/g, "$1_$2")
		.toLowerCase()
		.split(/[^a-z0-9]+/)
		.filter((w) => w !== "");
}

function namesSecret(words: readonly string[]): boolean {
	const last = words.at(-1);
	if (last === undefined || ABOUT.has(last) || words.includes("public")) return false;
	return words.some((w, i) => SECRET_WORDS.has(w) || SECRET_PAIRS.has(`${w} ${words[i + 1] ?? ""}`));
}

/** Of a variable whose name says secret: not when the value plainly points elsewhere, or switches something. */
function couldBeSecret(value: string, words: readonly string[]): boolean {
	const v = value.trim();
	if (v === "" || PLACEHOLDER.test(v) || /^(true|false|yes|no|on|off|none|null|enabled|disabled|default)$/i.test(v)) return false;
	if (/^arn:/.test(v)) return false;
	if (isPlainUrl(v)) return false;
	// A path, or a secret's name: `/run/secrets/db`, `prod/orders/database`.
	if (/^\/?(?:[A-Za-z0-9_.-]+\/)+[A-Za-z0-9_.-]+$/.test(v) && !looksRandom(v.replaceAll("/", ""), words)) return false;
	// `TOKENS_PER_MINUTE`-like names hold counts; a password may well be digits.
	return !(/^\d{1,6}$/.test(v) && !words.some((w) => w.startsWith("pass") || w === "pwd"));
}

function isPlainUrl(v: string): boolean {
	return /^[a-z][a-z0-9+.-]*:\/\/\S+$/i.test(v) && !hasUrlPassword(v);
}

function hasUrlPassword(v: string): boolean {
	const password = URL_WITH_PASSWORD.exec(v)?.[1];
	return password !== undefined && !PLACEHOLDER.test(password);
}

function isCredential(v: string): boolean {
	return hasUrlPassword(v) || CREDENTIAL_FORMATS.some((format) => format.test(v));
}

/**
 * One token of 24 or more characters that mixes upper case, lower case and digits at over 4 bits a character. Hex, UUIDs,
 * ARNs, URLs, paths, host names and lists do not: they are digests and identifiers far more often than keys.
 */
function looksRandom(v: string, words: readonly string[]): boolean {
	if (words.some((w) => IDENTIFIER.has(w))) return false;
	if (!/^[A-Za-z0-9+/_=-]{24,}$/.test(v)) return false;
	if (!/[a-z]/.test(v) || !/[A-Z]/.test(v) || !/\d/.test(v)) return false;
	// camelCase and kebab-case words with a number in them are names.
	if (/^[A-Za-z]+(?:[-_][A-Za-z]+)*[-_]?\d{0,4}$/.test(v)) return false;
	return bitsPerCharacter(v) > 4;
}

/** Shannon entropy over the characters of the text itself. */
function bitsPerCharacter(text: string): number {
	const counts = new Map<string, number>();
	for (const c of text) counts.set(c, (counts.get(c) ?? 0) + 1);
	let bits = 0;
	for (const n of counts.values()) bits -= (n / text.length) * Math.log2(n / text.length);
	return bits;
}
