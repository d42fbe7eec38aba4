import { cronFault, isTimeZone, recurrence } from "../../model/cron.ts";
import { deriveFaults } from "../../model/derive-keys.ts";
import { isRotation } from "../../model/desired.ts";
import { durationMs } from "../../model/duration.ts";
import type { Finding } from "../../model/finding.ts";
import type { SecretRotationSpec } from "../../model/generated/specs.ts";
import type { CatalogView } from "../../model/kind.ts";
import { didYouMean } from "../../model/nearest.ts";
import type { FieldPath, Resource } from "../../model/resource.ts";
import { parseWindow } from "../../model/rotation-schedule.ts";
import { parseSecretRef } from "../../model/secret-ref.ts";
import { instancesOf, selectAccounts } from "../accounts.ts";
import { problem, warning } from "../problem.ts";
import { secretProblem } from "../secret-name.ts";
import { readConsumers } from "./consumers.ts";
import { expandRotation } from "./expand.ts";

type Rotation = Resource<SecretRotationSpec>;

/** Says of a rotation what is wrong with it, by itself and among the others; without AWS. */
export function checkRotation(r: Rotation, c: CatalogView): readonly Finding[] {
	const out: Finding[] = [...selectAccounts(r, c).findings];
	const say = (message: string, path: FieldPath, fix: string): void =>
		void out.push(problem("InvalidRotation", message, r.at(path, "value"), fix, r.key));
	const wrong = secretProblem("secret", r.spec.secret);
	if (wrong !== null) say(wrong, ["spec", "secret"], "a name, or a whole ARN");
	checkStrategy(r, c, say);
	checkSchedule(r, say);
	checkDerive(r, say);
	checkVerify(r, say, out);
	const consumers = readConsumers(r.spec.consumers);
	if ("fault" in consumers) {
		say(consumers.fault, ["spec", "consumers", ...(consumers.at === null ? [] : [consumers.at])], "Auto, or a list of consumers");
	} else {
		const services = consumers.wanted.named.map((n) =>
			"service" in n ? `service ${n.cluster}/${n.service}` : `rule ${n.listenerRule}`,
		);
		const twice = services.findIndex((s, n) => services.indexOf(s) !== n);
		if (twice >= 0) say(`${services[twice]} is named twice`, ["spec", "consumers", twice], "delete one of them");
		const rule = consumers.wanted.named.findIndex((n) => "listenerRule" in n);
		if (rule >= 0 && r.spec.strategy.oauthClient === undefined)
			say("a listener rule holds the client secret of an OAuth client", ["spec", "consumers", rule], "use strategy oauthClient");
	}
	return [...out, ...claims(r, c)];
}

type Say = (message: string, path: FieldPath, fix: string) => void;

function checkStrategy(r: Rotation, c: CatalogView, say: Say): void {
	const { spec } = r;
	const at: FieldPath = ["spec", "strategy"];
	const { generate, oauthClient, ...rest } = spec.strategy;
	const given = Object.values({ generate, oauthClient, ...rest }).filter((s) => s !== undefined).length;
	if (given !== 1)
		say(
			`strategy has ${given === 0 ? "nothing" : `${given} of them`}`,
			at,
			"exactly one of generate, oauthClient, lambda and external",
		);
	const keys = generate?.keys ?? [];
	const twice = keys.findIndex((k, n) => keys.indexOf(k) !== n);
	if (twice >= 0) say(`key "${keys[twice]}" is named twice`, [...at, "generate", "keys", twice], "delete one of them");
	if (generate !== undefined && generate.keys === undefined && spec.derive !== undefined)
		say(
			"derive makes keys of a JSON secret, and without keys the secret is one plain string",
			["spec", "derive"],
			"name the keys that are generated",
		);
	if (oauthClient === undefined) return;
	if (!isSafe(oauthClient.issuer))
		say(
			`issuer is "${oauthClient.issuer}", which is not https`,
			[...at, "oauthClient", "issuer"],
			"the address as its tokens say it in iss",
		);
	const wrong = secretProblem("secret", oauthClient.adminSecret);
	if (wrong !== null) say(wrong, [...at, "oauthClient", "adminSecret"], "a name, or a whole ARN");
	if (rotated(r, c).some(({ id, adminId }) => id === adminId))
		say(
			"the admin secret is the secret that is rotated",
			[...at, "oauthClient", "adminSecret"],
			"keep what administers the client in a secret of its own",
		);
}

/** Secrets Manager: RotateSecret at most every 4 hours, a new value by hand at most every 10 minutes (aws-facts §6.2). */
const LEAST_MS = { lambda: 4 * 3_600_000, other: 10 * 60_000 } as const;

function checkSchedule({ spec }: Rotation, say: Say): void {
	const at: FieldPath = ["spec", "schedule"];
	if (spec.schedule === undefined) return;
	const { every, cron, timeZone, window } = spec.schedule;
	if ((every === undefined) === (cron === undefined))
		say("schedule has one of every and cron", at, "for example every: 30d, or leave the schedule out: then only when asked");
	if (timeZone !== undefined && cron === undefined)
		say("timeZone is that of cron", [...at, "timeZone"], "delete it; a window names its own");
	if (spec.strategy.external !== undefined)
		say("somebody else decides when an external secret is rotated", at, "delete the schedule");
	const lambda = spec.strategy.lambda !== undefined;
	const leastMs = lambda ? LEAST_MS.lambda : LEAST_MS.other;
	const least = lambda ? "4h or more" : "10m or more";
	if (every !== undefined && (durationMs(every) ?? 0) < leastMs)
		say(`every is ${every}, less than Secrets Manager allows`, [...at, "every"], least);
	const fault = cron === undefined ? null : cronFault(cron);
	if (fault !== null) say(`cron ${JSON.stringify(cron)}: ${fault}`, [...at, "cron"], 'for example "0 3 1 * *"');
	else if (cron !== undefined && shortestMs(cron) < leastMs)
		say(`cron ${JSON.stringify(cron)} comes sooner again than Secrets Manager allows`, [...at, "cron"], `${least} between two`);
	const zone = (name: string, field: string): void => {
		if (isTimeZone(name)) return;
		const fix = didYouMean(name, Intl.supportedValuesOf("timeZone")) ?? "a name such as Europe/Berlin, or UTC";
		say(`no time zone "${name}"`, [...at, field], fix);
	};
	if (timeZone !== undefined) zone(timeZone, "timeZone");
	if (window === undefined) return;
	const parsed = parseWindow(window);
	if (typeof parsed === "string")
		say(`window ${JSON.stringify(window)}: ${parsed}`, [...at, "window"], '"Sun 02:00-04:00 Europe/Berlin"');
	else zone(parsed.timeZone, "window");
}

const LOOKED_AT = 64;

/** The shortest time between two of the first beginnings, without summer time. */
function shortestMs(cron: string): number {
	const { next } = recurrence(cron, "UTC");
	let shortest = Number.POSITIVE_INFINITY;
	let at = next(0);
	for (let n = 0; n < LOOKED_AT && at !== null; n++) {
		const then = next(at);
		if (then !== null) shortest = Math.min(shortest, then - at);
		at = then;
	}
	return shortest;
}

function checkDerive({ spec }: Rotation, say: Say): void {
	const { derive = {}, strategy } = spec;
	for (const { key, fault } of deriveFaults(derive))
		say(`"${key}": ${fault}`, ["spec", "derive", key], 'for example "https://${user}:${password:uri}@host"');
	const made =
		strategy.generate?.keys ?? (strategy.oauthClient === undefined ? [] : [strategy.oauthClient.key ?? "clientSecret"]);
	for (const key of Object.keys(derive).filter((k) => made.includes(k)))
		say(`"${key}" is both made and derived`, ["spec", "derive", key], "delete one of them");
	if (Object.keys(derive).length > 0 && (strategy.lambda !== undefined || strategy.external !== undefined))
		say("who makes the value derives its keys, too", ["spec", "derive"], "delete derive, or use generate");
}

function checkVerify({ spec, at, key }: Rotation, say: Say, out: Finding[]): void {
	const url = spec.verify?.http?.url;
	if (url === undefined) return;
	const path: FieldPath = ["spec", "verify", "http", "url"];
	if (!URL.canParse(url.replaceAll(/\$\{[^}]*\}/g, "x")) || !/^https?:/.test(url))
		say(`"${url}" is not an address`, path, "https://…");
	else if (!isSafe(url))
		out.push(warning("InvalidRotation", `${url} is asked without encryption`, at(path, "value"), "https://…", key));
}

/** https, or this machine itself. */
function isSafe(address: string): boolean {
	return /^https:\/\/[^/]/.test(address) || /^http:\/\/(localhost|127\.0\.0\.1|\[::1\])(:\d+)?(\/|$)/.test(address);
}

const indexes = new WeakMap<CatalogView, ReadonlyMap<string, readonly Rotation[]>>();

/** Two rotations of one secret would undo each other; both are refused, each naming the other. */
function claims(r: Rotation, c: CatalogView): readonly Finding[] {
	const index = indexes.get(c) ?? indexOf(c);
	indexes.set(c, index);
	const other = rotated(r, c)
		.flatMap(({ id }) => index.get(id) ?? [])
		.find((o) => o !== r);
	if (other === undefined) return [];
	const message = `secret ${r.spec.secret} is also claimed by SecretRotation "${other.metadata.name}" in ${other.origin.path}:${other.origin.line}`;
	return [problem("DuplicateClaim", message, r.at(["spec", "secret"], "value"), "keep one", r.key)];
}

function indexOf(c: CatalogView): ReadonlyMap<string, readonly Rotation[]> {
	const made = new Map<string, Rotation[]>();
	for (const r of c.ofKind<SecretRotationSpec>("SecretRotation"))
		for (const { id } of rotated(r, c)) made.set(id, [...(made.get(id) ?? []), r]);
	return made;
}

/** What a rotation is of in each account, and the secret that administers its client. */
function rotated(r: Rotation, c: CatalogView): readonly { readonly id: string; readonly adminId: string | null }[] {
	return instancesOf(r, c).flatMap((i) =>
		expandRotation(i, c)
			.desired.filter(isRotation)
			.map(({ target: { account, region, name }, wanted: { strategy } }) => ({
				id: secretId(name, account, region),
				adminId: strategy.type === "oauthClient" ? secretId(strategy.adminSecret, account, i.account.region ?? region) : null,
			})),
	);
}

/** An ARN and a name may mean one secret; the six characters that Secrets Manager appends aside. */
function secretId(text: string, account: string, region: string): string {
	const arn = text.startsWith("arn:") ? parseSecretRef(text) : null;
	return arn === null
		? `${account}/${region}/${text}`
		: `${arn.account}/${arn.region}/${arn.name.replace(/-[A-Za-z0-9]{6}$/, "")}`;
}
