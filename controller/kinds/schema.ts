/** The part of JSON Schema that the generated schemas use. */
export interface Schema {
	readonly $ref?: string;
	readonly description?: string;
	readonly type?: string | readonly string[];
	readonly properties?: Readonly<Record<string, Schema>>;
	readonly required?: readonly string[];
	readonly additionalProperties?: Schema | boolean;
	readonly items?: Schema;
	readonly enum?: readonly unknown[];
	readonly default?: unknown;
	readonly pattern?: string;
	readonly format?: string;
	readonly minItems?: number;
	readonly minLength?: number;
	readonly maxLength?: number;
	readonly minimum?: number;
	readonly maximum?: number;
	readonly minProperties?: number;
}

export interface KindSchema {
	readonly kind: string;
	readonly plural: string;
	readonly description: string;
	/** Name of the definition of `spec`. */
	readonly spec: string;
}
