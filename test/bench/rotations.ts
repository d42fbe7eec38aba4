/** What rotations ask of AWS, counted at the wire, and how long many of them take by the clock of the account. */

import { type Sandbox, startSandbox } from "../sandbox/sandbox.ts";
import { createRotationWorld } from "../scenarios/rotation-world.ts";
import { documentOf } from "../scenarios/world.ts";
import type { Row } from "./measure.ts";

const CONSUMERS = 10;
const MANY = 200;

export interface RotationFigures {
	readonly rows: readonly Row[];
	readonly counts: Readonly<Record<string, Readonly<Record<string, number>>>>;
}

export async function rotationFigures(): Promise<RotationFigures> {
	const sandbox = await startSandbox();
	try {
		const one = await oneRotation(sandbox);
		const many = await manyRotations(sandbox);
		return { rows: [...one.rows, ...many], counts: { [`one rotation, ${CONSUMERS} consumers`]: one.counts } };
	} finally {
		await sandbox.stop();
	}
}

async function oneRotation(sandbox: Sandbox) {
	const names = Array.from({ length: CONSUMERS }, (_, n) => `s${n}`);
	const w = await createRotationWorld(sandbox, { services: names, spec: { rollout: { maxParallel: 3 } } });
	await w.ask();
	await sandbox.resetCounts(w.account);
	const began = w.clock.millis();
	await w.go((v) => v.phase === "waiting", 200);
	const counts = await sandbox.counts(w.account);
	const total = Object.values(counts).reduce((a, b) => a + b, 0);
	const seconds = (w.clock.millis() - began) / 1000;
	return {
		counts,
		rows: [
			{ what: `one rotation, ${CONSUMERS} consumers, 3 at a time: AWS calls`, figure: String(total), target: "" },
			{ what: "the same: time by the account's clock", figure: `${seconds} s`, target: "" },
		],
	};
}

/** All due at one moment, one service of ten tasks each. */
async function manyRotations(sandbox: Sandbox): Promise<Row[]> {
	const w = await createRotationWorld(sandbox, { services: [] });
	w.files.clear();
	const names = Array.from({ length: MANY }, (_, n) => `r${String(n).padStart(3, "0")}`);
	const arn = (name: string): string => `arn:aws:secretsmanager:eu-west-1:${w.account}:secret:${name}-AbCdEf`;
	await w.seed({
		secrets: names.map((name) => ({ name, suffix: "AbCdEf", value: '{"key":"old"}' })),
		taskDefinitions: names.map((family) => ({
			family,
			containerDefinitions: [{ name: "app", image: "a:1", secrets: [{ name: "KEY", valueFrom: `${arn(family)}:key::` }] }],
		})),
		services: names.map((name) => ({ cluster: "prod", name, taskDefinition: name, desiredCount: 10 })),
	});
	const spec = { strategy: { generate: { keys: ["key"] } }, schedule: { every: "1d" } };
	for (const name of names) w.write(`${name}.yaml`, documentOf("SecretRotation", name, { secret: name, ...spec }));
	// Beyond the day and the hour over which those of one schedule are spread.
	await w.pass(86_400 + 3 * 3_600);
	await sandbox.resetCounts(w.account);
	const began = w.clock.millis();
	let looks = 0;
	for (let left = MANY; left > 0 && looks < 400; looks++) {
		const { file } = await w.apply();
		left = file.plans.filter((p) => p.rotation?.phase !== "waiting").length;
		await w.pass(left > 0 ? 5 : 0);
	}
	const counts = await sandbox.counts(w.account);
	const seconds = (w.clock.millis() - began) / 1000;
	const total = Object.values(counts).reduce((a, b) => a + b, 0);
	return [
		{
			what: `${MANY} rotations due at once, ${MANY * 10} tasks: AWS calls`,
			figure: `${total}, ${Math.round(total / MANY)} each`,
			target: "",
		},
		{ what: "the same: restarts", figure: String(counts["ecs:UpdateService"] ?? 0), target: String(MANY) },
		{
			what: "the same: time by the account's clock",
			figure: `${Math.round(seconds)} s, ${((MANY * 10) / seconds).toFixed(1)} tasks a second`,
			target: "at most 10 tasks a second",
		},
	];
}
