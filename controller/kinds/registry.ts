import type { Kind } from "../model/kind.ts";
import { accessGrant } from "./access-grant/kind.ts";
import { accessPolicy } from "./access-policy/kind.ts";
import { account } from "./account/kind.ts";
import { approval } from "./approval/kind.ts";
import { guardrail } from "./guardrail/kind.ts";
import { installation } from "./installation/kind.ts";
import { permissionSet } from "./permission-set/kind.ts";
import { secretRotation } from "./secret-rotation/kind.ts";

/** Every kind there is; the order is that of the documentation. A new kind is one folder and one line here. */
export const KINDS: readonly Kind[] = [
	installation,
	account,
	accessPolicy,
	permissionSet,
	accessGrant,
	secretRotation,
	guardrail,
	approval,
] as readonly Kind[];

const byName = new Map(KINDS.map((k) => [k.kind, k]));

/** Only of a parsed Resource's kind: the parser has refused all others. */
export function kindOf(name: string): Kind {
	const kind = byName.get(name);
	if (kind === undefined) throw new Error(`kind ${name} is not in the registry`);
	return kind;
}
