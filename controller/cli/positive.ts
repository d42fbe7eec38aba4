import { InvalidArgumentError } from "commander";

/** The number of an option; for commander. */
export function positive(text: string): number {
	if (!/^[1-9]\d{0,6}$/.test(text)) throw new InvalidArgumentError("it is a whole number, 1 or more");
	return Number(text);
}
