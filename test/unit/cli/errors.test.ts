import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { reportError } from "../../../controller/cli/errors.ts";
import { ConflictError, TerminalError, WaitingError } from "../../../controller/model/errors.ts";

const report = (error: unknown, opts: { readonly verbose?: boolean; readonly aborted?: boolean } = {}) =>
	reportError(error, { color: false, verbose: false, aborted: false, ...opts });

describe("an error that reaches the top", () => {
	it("says what, what AWS said, and what to do, each on a line", () => {
		const denied = Object.assign(new Error("not authorized to perform iam:PutRolePolicy"), {
			name: "AccessDenied",
			$metadata: { requestId: "1f0c" },
		});
		const error = new TerminalError(
			"AccessDenied",
			"could not write the policy of role /ecs-access/billing-task in 123456789012",
			{
				cause: denied,
				fix: "this command needs iam:PutRolePolicy on role/ecs-access/*\n2 steps were applied before this one, 5 were not; run plan again",
			},
		);
		expect(report(error)).toEqual({
			code: 1,
			text: [
				"error  could not write the policy of role /ecs-access/billing-task in 123456789012",
				"       AWS: AccessDenied, not authorized to perform iam:PutRolePolicy (request 1f0c)",
				"       this command needs iam:PutRolePolicy on role/ecs-access/*",
				"       2 steps were applied before this one, 5 were not; run plan again",
				"",
			].join("\n"),
		});
	});

	it("is 1, or 2 where something is waited for, or 130 after Ctrl-C", () => {
		expect(report(new TerminalError("X", "no")).code).toBe(1);
		expect(report(new Error("no")).code).toBe(1);
		expect(report(new ConflictError("role a has changed"))).toEqual({
			code: 1,
			text: "error  role a has changed\n       something changed it between plan and write: run plan again\n",
		});
		expect(report(new WaitingError("Lease", "held by ci", 30))).toEqual({
			code: 2,
			text: "waits  held by ci\n       try again in 30 s\n",
		});
		expect(report(new DOMException("interrupted", "AbortError"), { aborted: true })).toEqual({
			code: 130,
			text: "interrupted\n",
		});
	});

	it("shows a stack and its causes only with --verbose", () => {
		const error = new Error("outer", { cause: new Error("inner") });
		expect(report(error).text).toBe("error  outer\n       --verbose shows where it came from\n");
		expect(report(error, { verbose: true }).text).toMatch(/at .*errors\.test\.ts[\s\S]*caused by: Error: inner/);
	});

	it("says of a file that cannot be read which, and why", () => {
		let error: unknown;
		try {
			readFileSync("/nowhere/x.json");
		} catch (thrown) {
			error = thrown;
		}
		expect(report(error).text).toBe("error  cannot open /nowhere/x.json: no such file or directory\n");
	});

	it("prints no control character, and ends on a cause that causes itself", () => {
		const error = new Error("bad \u001b[2J name");
		error.cause = error;
		expect(report(error, { verbose: true }).text).not.toContain("\u001b");
	});
});
