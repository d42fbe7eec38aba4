import type {
	DescribeTaskDefinitionCommand,
	DescribeTaskDefinitionCommandInput,
	DescribeTaskDefinitionCommandOutput,
	ECSClient,
} from "@aws-sdk/client-ecs";

/**
 * The SDK drops what it does not know, from answers and from requests alike. A task definition that is registered anew must
 * not lose a field that AWS has introduced since, so what was dropped is found by comparing with the text of the answer.
 */
const dropped = new WeakMap<object, readonly string[]>();

/** Paths of what AWS answered and the SDK does not know: `containerDefinitions[0].newField`; never a value. */
export function unknownFieldsOf(output: object): readonly string[] {
	return dropped.get(output) ?? [];
}

/** The last of the kinds that a stack takes: one of the deserialize step, where the answer is still text. */
type Deserializing = Parameters<DescribeTaskDefinitionCommand["middlewareStack"]["add"]>[0];
type Options = NonNullable<Parameters<ECSClient["send"]>[1]>;

export async function describeTaskDefinition(
	client: ECSClient,
	Command: new (input: DescribeTaskDefinitionCommandInput) => DescribeTaskDefinitionCommand,
	input: DescribeTaskDefinitionCommandInput,
	options: Options,
): Promise<DescribeTaskDefinitionCommandOutput> {
	const command = new Command(input);
	let text = "";
	const keepText: Deserializing = (next) => async (args) => {
		const result = await next(args);
		const response = result.response as { body: unknown };
		const bytes = await bytesOf(response.body);
		response.body = bytes;
		text = new TextDecoder().decode(bytes);
		return result;
	};
	const place = { relation: "after", toMiddleware: "deserializerMiddleware", name: "keepTextMiddleware" } as const;
	command.middlewareStack.addRelativeTo(keepText, place);
	const output = await client.send(command, options);
	const raw = (JSON.parse(text) as { readonly taskDefinition?: unknown }).taskDefinition;
	dropped.set(output, missing(raw, output.taskDefinition, ""));
	return output;
}

async function bytesOf(body: unknown): Promise<Uint8Array> {
	if (body instanceof Uint8Array) return body;
	const parts: Uint8Array[] = [];
	for await (const part of body as AsyncIterable<Uint8Array>) parts.push(part);
	return Buffer.concat(parts);
}

function missing(raw: unknown, known: unknown, path: string): readonly string[] {
	if (raw === null || typeof raw !== "object" || known instanceof Date) return [];
	const has = known !== null && typeof known === "object" ? (known as Readonly<Record<string, unknown>>) : {};
	return Object.entries(raw).flatMap(([key, value]) => {
		const at = Array.isArray(raw) ? `${path}[${key}]` : path === "" ? key : `${path}.${key}`;
		if (value === null) return [];
		return has[key] === undefined ? [at] : missing(value, has[key], at);
	});
}
