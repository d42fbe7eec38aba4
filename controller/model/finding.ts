import type { Instant, ResourceKey } from "./ids.ts";
import type { Origin } from "./resource.ts";

/** `error` stops plan and apply; `warning` fails `validate --strict`; `note` informs. */
export type Severity = "error" | "warning" | "note";

/** Something worth a person's attention that is not a Step. Plain data; the message is one line without a full stop. */
export interface Finding {
	/** Stable CamelCase reason, e.g. `UnknownField`, `PlaintextSecret`; see FINDINGS in findings.ts. */
	readonly id: string;
	readonly severity: Severity;
	/** What is wrong, naming the object and the wrong value. Never a secret value. */
	readonly message: string;
	/** What to do, ready to act on. */
	readonly fix?: string;
	readonly origin: Origin | null;
	/** The resource (or policy instance) it speaks of. */
	readonly key?: ResourceKey;
	/** What it speaks of in AWS, e.g. `service prod/orders-api`. */
	readonly subject?: string;
	/** Set where a Deny guardrail speaks: `validate` exits 2 and plan steps wait. */
	readonly guardrail?: { readonly name: string; readonly rule: string };
	readonly since?: Instant;
}
