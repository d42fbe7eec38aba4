import type { ActionCatalogue } from "./action-catalogue.ts";
import { lowerCase } from "./canonical.ts";
import { arnParts, type Context } from "./conditions.ts";
import { example, variablesIn } from "./contexts.ts";
import { type Glob, glob, instance, matches, meet } from "./glob.ts";
import { type PatternSet, setContains } from "./regions.ts";

/**
 * The actions and resources that make a good example: an action that a person knows and fears before one that sorts first.
 */

const TELLING: readonly string[] = [
	"iam:CreateUser",
	"sts:AssumeRole",
	"secretsmanager:GetSecretValue",
	"s3:PutObject",
	"s3:GetObject",
	"s3:DeleteObject",
	"s3:DeleteBucket",
	"kms:Decrypt",
	"dynamodb:PutItem",
	"dynamodb:GetItem",
	"dynamodb:DeleteTable",
	"sqs:SendMessage",
	"sqs:ReceiveMessage",
	"sqs:DeleteMessage",
	"sns:Publish",
	"lambda:InvokeFunction",
	"ecs:RunTask",
	"ecs:ExecuteCommand",
	"ec2:RunInstances",
	"ec2:TerminateInstances",
	"rds:DeleteDBInstance",
	"ssm:GetParameter",
	"ssm:SendCommand",
	"ecr:PutImage",
	"iam:PassRole",
	"iam:AttachRolePolicy",
	"events:PutEvents",
	"states:StartExecution",
	"kinesis:PutRecord",
	"logs:PutLogEvents",
	"cloudformation:CreateStack",
	"organizations:LeaveOrganization",
];
/** Where `*` and NotAction look when nothing telling serves; all 456 services would be slow and no better. */
const COMMON = [
	"s3",
	"iam",
	"sts",
	"ec2",
	"dynamodb",
	"sqs",
	"sns",
	"kms",
	"secretsmanager",
	"ssm",
	"lambda",
	"ecs",
	"rds",
	"logs",
];
const CHANGES = /:(Put|Create|Delete|Update|Send|Run|Start|Invoke|Publish|Attach|Write|Modify)/;

/** Whether a person knows the action at sight. */
export function isTelling(action: string): boolean {
	return TELLING.includes(action);
}

/**
 * Concrete actions in all of the sets: what is telling first, then those in none of `known`. Lazy, because most searches end
 * with the first, and a service's actions are read when they are asked for.
 */
export function* exampleActions(
	sets: readonly PatternSet[],
	known: readonly PatternSet[],
	catalogue: ActionCatalogue,
): Generator<string> {
	const within = (action: string) => sets.every((s) => inSet(s, action));
	const isNew = (action: string) => !known.some((s) => inSet(s, action));
	const found = new Set(TELLING.filter(within));
	yield* [...found].sort((a, b) => Number(isNew(b)) - Number(isNew(a)));
	const narrow = sets.filter((s) => !s.not).flatMap((s) => s.globs);
	// The longest pattern names the fewest actions.
	const tightest = narrow.toSorted((a, b) => b.tokens.length - a.tokens.length)[0];
	const patterns = tightest === undefined || tightest.text === "*" ? COMMON.map((p) => `${p}:*`) : [tightest.text];
	const later: string[] = [];
	for (const pattern of patterns) {
		const actions = catalogue.matching(pattern).filter((a) => !found.has(a) && within(a));
		for (const action of [...actions.filter((a) => CHANGES.test(a)), ...actions.filter((a) => !CHANGES.test(a))]) {
			found.add(action);
			if (isNew(action)) yield action;
			else later.push(action);
		}
	}
	yield* later;
	// An action that the catalogue does not know is still granted.
	if (found.size === 0) yield* narrow.map((g) => instance(g)).filter(within);
}

/** What `*` becomes in the first five parts of an ARN, then in the last. */
const PARTS = ["arn", "aws", "x", "eu-west-1", "123456789012"];
const LAST = ["x", "example", "x/x"];

export interface ExampleResource {
	readonly resource: string;
	/** What the policy variables in it stand for. */
	readonly context: Context;
}

/**
 * Resources in all of the sets that the action can be asked about: `*` where it takes none. None when the statement
 * names no resource of that action, so that it grants nothing; without a catalogue any that the patterns match. Lazy: most searches end with the first.
 */
export function* exampleResources(
	action: string,
	sets: readonly PatternSet[],
	context: Context,
	catalogue: ActionCatalogue | null,
): Generator<ExampleResource> {
	const known = catalogue?.has(action) === true;
	const types = (catalogue?.resourcesOf(action) ?? []).toSorted((a, b) => a.length - b.length);
	if (known && types.length === 0) {
		if (within("*", sets, context)) yield { resource: "*", context };
		return;
	}
	const bases = sets.filter((s) => !s.not).map((s) => s.globs);
	const [first = [EVERYTHING], ...others] = bases;
	const variables = bases.flat().flatMap((g) => (g.tokens.some((t) => t.is === "unknown") ? [g.text] : []));
	const found = new Set<string>();
	for (const last of LAST) {
		for (const base of first) {
			for (const type of known ? types : ["*"]) {
				const resource = others
					.map((o) => o[0] ?? EVERYTHING)
					.reduce<string | null>(
						(text, other) => (text === null || matches(other, text) === true ? text : join(base, other, last, context)),
						join(base, glob(type, false), last, context),
					);
				if (resource === null || found.has(resource)) continue;
				found.add(resource);
				const filled = { ...context, ...variablesIn(variables, context) };
				if (within(resource, sets, filled)) yield { resource, context: filled };
			}
		}
	}
}

const EVERYTHING: Glob = glob("*", false);

const joined = new WeakMap<Glob, Map<string, string | null>>();

/** Remembered where nothing unknown is in them: a search asks for the same few again and again. */
function join(a: Glob, b: Glob, last: string, context: Context): string | null {
	if ([a, b].some((g) => g.tokens.some((t) => t.is === "unknown"))) return joinOnce(a, b, last, context);
	const ofA = joined.get(a) ?? new Map<string, string | null>();
	joined.set(a, ofA);
	const key = `${last} ${b.text}`;
	let made = ofA.get(key);
	if (made === undefined) {
		made = joinOnce(a, b, last, context);
		// Bounded as the globs are.
		if (ofA.size > 20_000) ofA.clear();
		ofA.set(key, made);
	}
	return made;
}

/** Part by part where both are ARNs, so that a region is filled with a region and an account with an account. */
function joinOnce(a: Glob, b: Glob, last: string, context: Context): string | null {
	const fill = (filler: string) => (name: string | null) => (name === null ? filler : example(name, context));
	const [left, right] = [arnParts(a.text), arnParts(b.text)];
	const whole = left ?? right;
	if (whole === null) return meet(a, b, fill(last));
	const one = (text: string, i: number, other: string | undefined) =>
		meet(glob(text, true), glob(other ?? "*", true), fill(i === 5 ? last : (PARTS[i] ?? last)));
	if (left !== null && right !== null) {
		const parts = left.map((text, i) => one(text, i, right[i]));
		return parts.includes(null) ? meet(a, b, fill(last)) : parts.join(":");
	}
	const text = whole.map((part, i) => one(part, i, undefined)).join(":");
	return matches(left === null ? a : b, text) === true ? text : meet(a, b, fill(last));
}

function within(resource: string, sets: readonly PatternSet[], context: Context): boolean {
	const variable = (name: string) => context[lowerCase(name.replace(/\s*,.*$/, ""))]?.[0];
	return sets.every((s) => s.globs.some((g) => matches(g, resource, variable) === true) !== s.not);
}

function inSet(set: PatternSet, action: string): boolean {
	return setContains(set, { not: false, globs: [glob(lowerCase(action), false)] });
}
