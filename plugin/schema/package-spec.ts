/** The parts of Pulumi's package schema that this package uses. */
export interface TypeSpec {
  type?: "string" | "boolean" | "integer" | "array" | "object";
  $ref?: string;
  items?: TypeSpec;
  additionalProperties?: TypeSpec;
}

export interface PropertySpec extends TypeSpec {
  description: string;
  secret?: true;
  /** Another value makes another resource. */
  willReplaceOnChanges?: true;
}

export interface ObjectTypeSpec {
  type: "object";
  description: string;
  properties: Record<string, PropertySpec>;
  required?: readonly string[];
}

export interface EnumTypeSpec {
  type: "string" | "integer";
  description: string;
  enum: { value: string | number; name?: string }[];
}

/**
 * What an update does about a changed input: sends nothing; changes attributes of the version that is there; makes
 * another object; or anything else. What a preview knows of the outputs follows from it.
 */
export type Effect = "nothing" | "patch" | "replace" | "anything";

export interface InputSpec extends PropertySpec {
  effect?: Effect;
}

/** What a resource takes and gives. Inputs are outputs too, in the normal form in which they are recorded. */
export interface ResourceDescription {
  description: string;
  inputs: Record<string, InputSpec>;
  required: readonly string[];
  /** Inputs that a program finds again among the outputs. */
  echoed: readonly string[];
  outputs: Record<string, PropertySpec>;
  /** Outputs that are always there. */
  given: readonly string[];
}

export interface FunctionDescription {
  description: string;
  inputs: Record<string, PropertySpec>;
  required: readonly string[];
  outputs: Record<string, PropertySpec>;
  given: readonly string[];
}

export const text = (description: string): PropertySpec => ({ type: "string", description });
export const flag = (description: string): PropertySpec => ({ type: "boolean", description });
export const count = (description: string): PropertySpec => ({ type: "integer", description });
export const texts = (description: string): PropertySpec => ({
  type: "array",
  items: { type: "string" },
  description,
});
export const textMap = (description: string): PropertySpec => ({
  type: "object",
  additionalProperties: { type: "string" },
  description,
});
/** One of the named types of the schema. */
export const one = (type: string, description: string): PropertySpec => ({ $ref: typeRef(type), description });
export const many = (type: string, description: string): PropertySpec => ({
  type: "array",
  items: { $ref: typeRef(type) },
  description,
});
export const secret = <S extends PropertySpec>(spec: S): S & { secret: true } => ({ ...spec, secret: true });

/** Any JSON value. */
export const anything = (description: string): PropertySpec => ({ $ref: "pulumi.json#/Any", description });

const typeRef = (type: string): string => `#/types/keyvault:index:${type}`;

export const sendsNothing = <S extends PropertySpec>(spec: S): S & { effect: Effect } => ({
  ...spec,
  effect: "nothing",
});
export const patches = <S extends PropertySpec>(spec: S): S & { effect: Effect } => ({ ...spec, effect: "patch" });
export const replaces = <S extends PropertySpec>(spec: S): S & { effect: Effect } => ({
  ...spec,
  effect: "replace",
  willReplaceOnChanges: true,
});
