import { TerminalError } from "../model/errors.ts";
import type { Tags } from "../model/ids.ts";

/** Kubernetes' equality selectors: `team=orders,env!=dev,tier`. Throws TerminalError for anything else. */
export function parseSelector(text: string): (labels: Tags) => boolean {
	const terms = text.split(",").map((part) => {
		const found = /^\s*([\w./-]+)\s*(?:(!=|==?)\s*([\w.-]*))?\s*$/.exec(part);
		if (found?.[1] === undefined) {
			throw new TerminalError("InvalidSelector", `selector ${JSON.stringify(part)} is not KEY, KEY=VALUE or KEY!=VALUE`);
		}
		const [, key, op, value] = found;
		return (labels: Tags): boolean => {
			if (op === undefined) return Object.hasOwn(labels, key);
			return op === "!=" ? labels[key] !== value : labels[key] === value;
		};
	});
	return (labels) => terms.every((term) => term(labels));
}
