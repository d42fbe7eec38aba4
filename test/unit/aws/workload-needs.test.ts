import { describe, expect, test } from "vitest";
import type { CallAws } from "../../../controller/aws/operations.ts";
import type { TaskDefinitions, TaskDefinitionView } from "../../../controller/aws/task-definition.ts";
import { readWorkloads } from "../../../controller/aws/workload-needs.ts";
import type { WorkloadReference } from "../../../controller/model/reference.ts";

const ACCOUNT = "123456789012";
const arnOf = (name: string) => `arn:aws:ecs:eu-west-1:${ACCOUNT}:task-definition/${name}`;
const REF: WorkloadReference = {
	type: "ecs.workload",
	account: ACCOUNT,
	region: "eu-west-1",
	workload: "service",
	name: "prod/orders",
};

interface World {
	readonly answers: Readonly<Record<string, unknown>>;
	/** Newest by family. */
	readonly newest?: Readonly<Record<string, string>>;
	/** Revisions that cannot be read. */
	readonly gone?: readonly string[];
}

function world({ answers, newest = {}, gone = [] }: World) {
	const asked: string[] = [];
	const call = (async (op: string, _place: unknown, input: { readonly services?: readonly string[] }) => {
		asked.push(input.services === undefined ? op : `${op} ${input.services.join()}`);
		const answer = answers[op];
		if (answer instanceof Error) throw answer;
		return answer ?? {};
	}) as unknown as CallAws;
	const view = (arn: string) =>
		({
			arn,
			images: [],
			logs: [],
			files: [],
			secrets: { "app/A": "a" },
			otherSecrets: [
				{ place: "app log option a", via: "secretOptions", ref: "a" },
				{ place: "app registry", via: "repositoryCredentials", ref: "b" },
			],
		}) as unknown as TaskDefinitionView;
	const taskDefinitions: TaskDefinitions = {
		get: async (arn) => (gone.includes(arn) ? undefined : view(arn)),
		newest: async (family) => {
			const name = newest[family];
			return name === undefined ? undefined : view(arnOf(name));
		},
		bindings: async () => [],
	};
	const read = (...refs: readonly WorkloadReference[]) =>
		readWorkloads(refs, { call, taskDefinitions }, new AbortController().signal);
	const revisions = async () => {
		const [fact] = await read(REF);
		return fact?.type === "ecs.workload" ? fact.revisions.map((r) => r.arn.split("/")[1]).sort() : fact;
	};
	return { read, revisions, asked };
}

function service(deployments: readonly (readonly [string, string, string])[], more: object = {}) {
	return {
		"ecs:DescribeServices": {
			services: [
				{
					serviceName: "orders",
					taskDefinition: arnOf(deployments[0]?.[2] ?? "orders:1"),
					deployments: deployments.map(([status, rolloutState, name]) => ({ status, rolloutState, taskDefinition: arnOf(name) })),
					...more,
				},
			],
		},
	};
}

describe("what a service needs", () => {
	test("is that of the revision it runs and of the newest of its family, in one call where nothing is being deployed", async () => {
		const w = world({ answers: service([["PRIMARY", "COMPLETED", "orders:3"]]), newest: { orders: "orders:5" } });
		expect(await w.revisions()).toEqual(["orders:3", "orders:5"]);
		expect(w.asked).toEqual(["ecs:DescribeServices orders"]);
	});

	test("is also that of each deployment, and of what was completed last, to which ECS goes back", async () => {
		const w = world({
			answers: {
				...service([
					["PRIMARY", "IN_PROGRESS", "orders:5"],
					["ACTIVE", "FAILED", "orders:4"],
				]),
				"ecs:ListServiceDeployments": {
					serviceDeployments: [
						{ targetServiceRevisionArn: "older", createdAt: new Date(1_000) },
						{ targetServiceRevisionArn: "last", createdAt: new Date(2_000) },
					],
				},
				"ecs:DescribeServiceRevisions": { serviceRevisions: [{ serviceRevisionArn: "last", taskDefinition: arnOf("orders:2") }] },
			},
			newest: { orders: "orders:5" },
		});
		expect(await w.revisions()).toEqual(["orders:2", "orders:4", "orders:5"]);
		expect(w.asked).toEqual(["ecs:DescribeServices orders", "ecs:ListServiceDeployments", "ecs:DescribeServiceRevisions"]);
	});

	test("is that of task sets where something else deploys", async () => {
		const taskSets = [
			{ status: "PRIMARY", taskDefinition: arnOf("orders:1") },
			{ status: "ACTIVE", taskDefinition: arnOf("orders:2") },
		];
		const w = world({
			answers: service([], { deployments: [], taskSets, taskDefinition: undefined }),
			newest: { orders: "orders:2" },
		});
		expect(await w.revisions()).toEqual(["orders:1", "orders:2"]);
	});

	test("is not known where a revision, its deployments or the service cannot be read", async () => {
		const running = service([["PRIMARY", "IN_PROGRESS", "orders:5"]]);
		const hidden = world({ answers: running, newest: { orders: "orders:5" }, gone: [arnOf("orders:5")] });
		expect(await hidden.revisions()).toMatchObject({
			type: "unknown",
			reason: expect.stringContaining("orders:5 cannot be read"),
		});
		const refused = world({ answers: { ...running, "ecs:ListServiceDeployments": new Error("not authorized") } });
		expect(await refused.revisions()).toMatchObject({ type: "unknown" });
		const closed = world({ answers: { "ecs:DescribeServices": new Error("not authorized") } });
		expect(await closed.revisions()).toMatchObject({ type: "unknown" });
	});

	test("is nothing where there is no service yet", async () => {
		const w = world({ answers: { "ecs:DescribeServices": { failures: [{ arn: "x/orders", reason: "MISSING" }] } } });
		expect(await w.revisions()).toEqual({ type: "absent" });
	});

	test("names each secret once, those of log drivers among them", async () => {
		const w = world({ answers: service([["PRIMARY", "COMPLETED", "orders:3"]]) });
		expect(await w.read(REF)).toMatchObject([{ revisions: [{ secrets: ["a", "b"] }] }]);
	});
});

test("services of one cluster are read ten a call, and families by their newest revision", async () => {
	const names = Array.from({ length: 12 }, (_, n) => `s${n}`);
	const w = world({ answers: {}, newest: { nightly: "nightly:4" } });
	const facts = await w.read(
		...names.map((n): WorkloadReference => ({ ...REF, name: `prod/${n}` })),
		{ ...REF, workload: "family", name: "nightly" },
		{ ...REF, workload: "family", name: "none" },
	);
	expect(w.asked).toHaveLength(2);
	expect(facts.slice(12)).toMatchObject([{ revisions: [{ arn: arnOf("nightly:4") }] }, { type: "absent" }]);
});
