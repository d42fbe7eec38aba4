import { describe, expect, it } from "vitest";
import { fillTaskDefinition } from "../../../controller/cli/task-definition.ts";
import { TerminalError } from "../../../controller/model/errors.ts";

const ROLE = "arn:aws:iam::123456789012:role/ecs-access/orders-api-task";
const SECRET = "arn:aws:secretsmanager:eu-west-1:123456789012:secret:prod/orders/database:url::";

const TASK = `{
    "family": "orders-api",
    "taskRoleArn": "arn:aws:iam::123456789012:role/old",
    "containerDefinitions": [
        {
            "name": "app",
            "image": "orders:1",
            "environment": [{ "name": "DATABASE_URL", "value": "postgres://u:p@h" }, { "name": "TZ", "value": "UTC" }],
            "secrets": [{ "name": "TOKEN", "valueFrom": "old" }]
        },
        { "name": "sidecar", "image": "xray" }
    ],
    "cpu": "256"
}
`;

describe("a task definition filled from git", () => {
	it("carries the roles and secrets, and everything else as it was", () => {
		const out = fillTaskDefinition(
			TASK,
			{ taskRole: ROLE, secrets: { "app/DATABASE_URL": SECRET, "app/TOKEN": "new" } },
			"task.json",
		);
		const task = JSON.parse(out);
		expect(Object.keys(task)).toEqual(["family", "taskRoleArn", "containerDefinitions", "cpu"]);
		expect(task.taskRoleArn).toBe(ROLE);
		expect(task.containerDefinitions[0].secrets).toEqual([
			{ name: "TOKEN", valueFrom: "new" },
			{ name: "DATABASE_URL", valueFrom: SECRET },
		]);
		expect(task.containerDefinitions[0].environment).toEqual([{ name: "TZ", value: "UTC" }]);
		expect(task.containerDefinitions[1]).toEqual({ name: "sidecar", image: "xray" });
		expect(out).not.toContain("postgres://");
	});

	it("keeps four spaces, two, a tab or one line, and the line feed at the end", () => {
		for (const indent of ["    ", "  ", "\t", ""]) {
			const text = JSON.stringify(JSON.parse(TASK), null, indent);
			const out = fillTaskDefinition(text, { taskRole: "arn:aws:iam::123456789012:role/old" }, "t");
			expect(out).toBe(text);
		}
		expect(fillTaskDefinition(TASK, {}, "t").endsWith("}\n")).toBe(true);
	});

	it("filled twice is filled once", () => {
		const binding = { taskRole: ROLE, executionRole: ROLE, secrets: { "app/DATABASE_URL": SECRET } };
		const once = fillTaskDefinition(TASK, binding, "t");
		expect(fillTaskDefinition(once, binding, "t")).toBe(once);
	});

	it("leaves a role alone that git does not speak of, and takes away one that git says is none", () => {
		expect(JSON.parse(fillTaskDefinition(TASK, {}, "t")).taskRoleArn).toBe("arn:aws:iam::123456789012:role/old");
		expect(JSON.parse(fillTaskDefinition(TASK, { taskRole: null }, "t"))).not.toHaveProperty("taskRoleArn");
	});

	it("takes what describe-task-definition answers", () => {
		const answer = JSON.stringify({ taskDefinition: JSON.parse(TASK), tags: [] });
		expect(JSON.parse(fillTaskDefinition(answer, { taskRole: ROLE }, "t"))).toMatchObject({
			taskDefinition: { taskRoleArn: ROLE },
			tags: [],
		});
	});

	it("is refused with a container that does not exist, and with what is no task definition", () => {
		const fill = (text: string) => () => fillTaskDefinition(text, { secrets: { "web/TOKEN": "x" } }, "task.json");
		expect(fill(TASK)).toThrow(/task\.json has no container web/);
		expect(fill(TASK)).toThrow(TerminalError);
		expect(fill("{")).toThrow(/task\.json is not JSON/);
		expect(fill("[]")).toThrow(/not a JSON object/);
		expect(fill("{}")).toThrow(/no list containerDefinitions/);
	});
});
