import type { SecretsManagerClient } from "@aws-sdk/client-secrets-manager";

const answered = new WeakMap<object, number>();

/** Notes of each answer of a client what AWS's clock said: to be asked with `answeredAt`. */
export function noteServerTime(client: SecretsManagerClient): void {
	client.middlewareStack.add(
		(next) => async (args) => {
			const result = await next(args);
			const told = Date.parse(dateOf(result.response) ?? "");
			if (!Number.isNaN(told)) answered.set(result.output, told);
			return result;
		},
		{ step: "initialize", name: "ecs-access-answered" },
	);
}

/** When AWS gave this answer, by its own clock, in milliseconds; whole seconds. Null: it was not noted. */
export function answeredAt(output: object): number | null {
	return answered.get(output) ?? null;
}

/** Of a response over HTTP; undefined where it says none. */
export function dateOf(response: unknown): string | undefined {
	const { headers } = (response ?? {}) as { readonly headers?: Readonly<Record<string, string>> };
	return Object.entries(headers ?? {}).find(([name]) => name.toLowerCase() === "date")?.[1];
}
