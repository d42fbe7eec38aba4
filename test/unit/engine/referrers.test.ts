import { expect, test } from "vitest";
import { loadCatalog } from "../../../controller/engine/catalog.ts";
import { createReferrers } from "../../../controller/engine/referrers.ts";
import { createCatalogue } from "../../../controller/policy/catalogue.ts";

const NOW = "2026-11-24T09:00:00Z";
const ACCOUNT = "123456789012";
const at = { account: ACCOUNT, region: "eu-west-1" };
const FILES = `apiVersion: ecs-access.dev/v1alpha1
kind: Account
metadata: { name: prod }
spec: { accountId: "${ACCOUNT}", region: eu-west-1, permissionsBoundary: "arn:aws:iam::${ACCOUNT}:policy/boundary" }
`;
const POLICY = `apiVersion: ecs-access.dev/v1alpha1
kind: AccessPolicy
metadata: { name: orders }
spec:
  accountRef: prod
  workloads: [{ cluster: prod, services: [orders], taskFamilies: [orders-nightly] }]
  taskRole: { managedPolicies: ["arn:aws:iam::aws:policy/AWSXRayDaemonWriteAccess"], statements: [{ actions: [s3:GetObject], resources: ["arn:aws:s3:::x/*"] }] }
  executionRole: { mode: Unmanaged, name: ecsTaskExecutionRole }
  secrets: [{ container: app, name: URL, secret: prod/db-master, jsonKey: url }]
`;

const load = (...policies: readonly (readonly [string, string])[]) =>
	loadCatalog(
		{
			revision: { kind: "directory", id: "x" },
			digest: "sha256:0",
			root: "policies",
			files: new Map([["platform/a.yaml", FILES], ...policies]),
			source: "directory",
			partial: null,
		},
		{ actions: createCatalogue(), defaults: null, now: NOW },
	);
const catalog = load(
	["orders.yaml", POLICY],
	["other.yaml", POLICY.replace("name: orders", "name: other").replace("[orders]", "[other]").replace("[orders-nightly]", "[o]")],
);
const referrers = createReferrers(catalog.view, catalog.instances, NOW);
const both = ["AccessPolicy/orders", "AccessPolicy/other"];

test("a role concerns the policy that manages it, whatever the case of its name", () => {
	expect(referrers({ type: "iam.role", account: ACCOUNT, name: "ORDERS-task" })).toEqual(["AccessPolicy/orders"]);
	expect(referrers({ type: "iam.role", account: "999999999999", name: "orders-task" })).toEqual([]);
});

test("an unmanaged role, an attached policy and a boundary concern all who name them", () => {
	expect(referrers({ type: "iam.role", account: ACCOUNT, name: "ecsTaskExecutionRole" })).toEqual(both);
	expect(
		referrers({ type: "iam.managedPolicy", account: ACCOUNT, arn: "arn:aws:iam::aws:policy/AWSXRayDaemonWriteAccess" }),
	).toEqual(both);
	expect(referrers({ type: "iam.managedPolicy", account: ACCOUNT, arn: `arn:aws:iam::${ACCOUNT}:policy/boundary` })).toEqual(
		both,
	);
});

test("services and families concern the policy that binds them", () => {
	expect(referrers({ type: "ecs.service", ...at, cluster: "prod", name: "orders" })).toEqual(["AccessPolicy/orders"]);
	expect(referrers({ type: "ecs.service", ...at, cluster: "tools", name: "orders" })).toEqual([]);
	expect(referrers({ type: "ecs.family", ...at, name: "orders-nightly" })).toEqual(["AccessPolicy/orders"]);
});

test("a secret is found by its ARN with AWS's six characters, also where its name ends like them", () => {
	const arn = `arn:aws:secretsmanager:eu-west-1:${ACCOUNT}:secret:prod/db-master-AbCdEf`;
	expect(referrers({ type: "secret", ...at, arn })).toEqual(both);
});

test("a resync of all concerns all, of one name only that one", () => {
	expect(referrers({ type: "resync", key: null })).toEqual(both);
	expect(referrers({ type: "resync", key: "AccessPolicy/other" })).toEqual(["AccessPolicy/other"]);
	expect(referrers({ type: "source" })).toEqual([]);
});

test("a derived role concerns the workloads of all who use it, and a new revision of the family of a service's name", () => {
	const derived = POLICY.replace("mode: Unmanaged, name: ecsTaskExecutionRole", "mode: Derived");
	const other = derived
		.replace("name: orders", "name: other")
		.replace("[orders]", "[other]")
		.replace("[orders-nightly]", "[o]")
		.replace("mode: Derived", "ref: orders");
	const { view, instances } = load(["orders.yaml", derived], ["other.yaml", other]);
	const of = createReferrers(view, instances, NOW);
	expect(of({ type: "ecs.family", ...at, name: "orders" })).toEqual(["AccessPolicy/orders"]);
	expect(of({ type: "ecs.family", ...at, name: "o" }).toSorted()).toEqual(both);
	expect(of({ type: "ecs.service", ...at, cluster: "prod", name: "other" }).toSorted()).toEqual(both);
	expect(referrers({ type: "ecs.family", ...at, name: "orders" })).toEqual([]);
});
