import { durationMs } from "../../model/duration.ts";
import type { Finding } from "../../model/finding.ts";
import type { RotationStrategySpec, SecretRotationSpec } from "../../model/generated/specs.ts";
import { interpolate } from "../../model/interpolate.ts";
import type { CatalogView, Expansion, Instance } from "../../model/kind.ts";
import type { FieldPath } from "../../model/resource.ts";
import type { ConsumerWanted, RotationStrategy, RotationWanted } from "../../model/rotation.ts";
import { parseWindow, type RotationSchedule } from "../../model/rotation-schedule.ts";
import { parseSecretRef } from "../../model/secret-ref.ts";
import { problem } from "../problem.ts";
import { readConsumers } from "./consumers.ts";

type RotationInstance = Instance<SecretRotationSpec>;

/** From one rotation in one account to what must become of its secret. Nothing of a document that is faulty. */
export function expandRotation(i: RotationInstance, _c: CatalogView): Expansion {
	const { spec } = i.resource;
	const findings: Finding[] = [];
	const fill = (text: string, path: FieldPath): string => {
		const { text: filled, faults } = interpolate(text, { account: i.account, policy: null, cluster: null, params: null });
		for (const f of faults)
			findings.push(problem("UnknownVariable", f.message, i.resource.at(path, "value", f.text), f.fix, i.resource.key));
		return filled;
	};
	const name = fill(spec.secret, ["spec", "secret"]);
	const strategy = strategyOf(spec.strategy, fill);
	const consumers = readConsumers(spec.consumers);
	const { accountId, region } = i.account;
	if (strategy === null || "fault" in consumers || region === null) return { desired: [], findings };
	const outside = (arn: string, path: FieldPath): void => {
		const owner = /^arn:(?:[^:]*:){3}([0-9]{12}):/.exec(arn)?.[1];
		if (owner === undefined || accountId === null || owner === accountId) return;
		const message = `${arn} is in account ${owner}, and ${i.resource.key} is for ${accountId}`;
		findings.push(problem("OutsideAccount", message, i.resource.at(path, "value"), "use an Account of that id", i.resource.key));
	};
	outside(name, ["spec", "secret"]);
	const named = consumers.wanted.named.map((c, n): ConsumerWanted => {
		const at = (field: string): FieldPath => ["spec", "consumers", n, field];
		if ("service" in c) return { ...c, cluster: fill(c.cluster, at("cluster")), service: fill(c.service, at("service")) };
		const listenerRule = fill(c.listenerRule, at("listenerRule"));
		outside(listenerRule, at("listenerRule"));
		return { listenerRule };
	});
	const wanted: RotationWanted = {
		strategy,
		schedule: scheduleOf(spec),
		derive: spec.derive ?? {},
		verify:
			spec.verify?.http === undefined
				? null
				: {
						url: fill(spec.verify.http.url, ["spec", "verify", "http", "url"]),
						expectStatus: spec.verify.http.expectStatus ?? 200,
					},
		consumers: { auto: consumers.wanted.auto, named },
		maxParallel: spec.rollout?.maxParallel ?? 1,
		timeoutMs: durationMs(spec.rollout?.timeout ?? "15m") ?? 0,
		onFailure: spec.rollout?.onFailure ?? "Rollback",
		retireAfterMs: durationMs(spec.retireAfter ?? "24h") ?? 0,
		regions: i.account.regions,
		suspended: spec.suspend ?? false,
	};
	const target = {
		type: "secretsmanager.secret",
		account: accountId ?? "${account.id}",
		region: parseSecretRef(name)?.region ?? region,
		name,
	} as const;
	return { desired: [{ target, wanted, origin: i.resource.origin }], findings };
}

/** Null where there is not exactly one, which is said by check. */
function strategyOf(spec: RotationStrategySpec, fill: (text: string, path: FieldPath) => string): RotationStrategy | null {
	const { generate, oauthClient, lambda, external } = spec;
	if ([generate, oauthClient, lambda, external].filter((s) => s !== undefined).length !== 1) return null;
	if (generate !== undefined) {
		const { keys = [], length = 40, excludeCharacters = "" } = generate;
		return { type: "generate", keys, length, excludeCharacters };
	}
	if (oauthClient !== undefined) {
		const at = (field: string): FieldPath => ["spec", "strategy", "oauthClient", field];
		const { provider, clientId, key = "clientSecret" } = oauthClient;
		const issuer = fill(oauthClient.issuer, at("issuer")).replace(/\/+$/, "");
		const client = { provider, issuer, clientId: fill(clientId, at("clientId")) };
		return { type: "oauthClient", client, adminSecret: fill(oauthClient.adminSecret, at("adminSecret")), key };
	}
	if (lambda !== undefined)
		return { type: "lambda", functionArn: fill(lambda.functionArn ?? "", ["spec", "strategy", "lambda", "functionArn"]) };
	return { type: "external" };
}

function scheduleOf({ schedule }: SecretRotationSpec): RotationSchedule | null {
	if (schedule === undefined || (schedule.every === undefined && schedule.cron === undefined)) return null;
	const window = schedule.window === undefined ? null : parseWindow(schedule.window);
	return {
		everyMs: schedule.every === undefined ? null : durationMs(schedule.every),
		cron: schedule.cron ?? null,
		timeZone: schedule.timeZone ?? "UTC",
		window: typeof window === "string" ? null : window,
	};
}
