import { canonicalJson, pickDefined } from "../engine/normal-form.js";
import { leavesRestToVault, type ObjectInputs } from "./object-inputs.js";

/** How the changeable attributes of one kind of object are read and compared. */
export interface AttributeRules<I, A extends object, B> {
  readonly names: readonly (keyof A)[];
  /** What a PATCH can move and not clear: only a new version is without it. */
  readonly clearedByVersion: readonly (keyof A)[];
  /**
   * As the vault has them, in the normal form of inputs: the owner tag left out, and defaults where `declared` does not
   * spell them either.
   */
  observed(bundle: B, declared?: A): A;
  /** Whether two say the same, a default that is left out and one that is spelled among them. */
  same(attribute: keyof A, a: unknown, b: unknown): boolean;
  /** Whether the service has set an attribute by itself: it is nobody's decision, and no drift. */
  isSetByService(attribute: keyof A, inputs: I, bundle: B): boolean;
}

/** Whether two values of an attribute say the same. Of `enabled` and `tags` the default may be left out. */
export function sameValue(attribute: PropertyKey, a: unknown, b: unknown): boolean {
  const normal = (value: unknown): unknown => {
    if (value !== undefined) return value;
    return attribute === "enabled" ? true : attribute === "tags" ? {} : undefined;
  };
  return canonicalJson(normal(a)) === canonicalJson(normal(b));
}

/** The attributes among a larger set of properties. */
export function pickAttributes<A extends object>(rules: { names: readonly (keyof A)[] }, properties: A): A {
  return pickDefined(properties, rules.names) as A;
}

/** The attributes whose values differ, those that are to be cleared among them. */
export function differingAttributes<I, A extends object, B>(
  rules: AttributeRules<I, A, B>,
  current: A,
  target: A,
): (keyof A)[] {
  return rules.names.filter((attribute) => !rules.same(attribute, current[attribute], target[attribute]));
}

/**
 * The attributes of a recorded state that an update starts from: those that the program had declared, and those that it
 * had left to the vault and declares now. Where it now makes what it had adopted or restored, the tags are its own to take
 * away. What decides on the object's use (`enabled`, operations, dates) is left as it is: a refresh tells it as drift,
 * before anything is done about it.
 */
export function attributesBefore<A extends { tags?: Record<string, string> }>(
  rules: { names: readonly (keyof A)[] },
  recorded: A & { found?: A },
  inputs: A & { adopt?: unknown; restore?: unknown },
): A {
  const taken = rules.names.filter(
    (name) => inputs[name] !== undefined || (name === "tags" && !leavesRestToVault(inputs)),
  );
  return { ...pickDefined((recorded.found ?? {}) as A, taken), ...pickAttributes<A>(rules, recorded) };
}

/** Attributes of a found object that the program leaves out. A default is left out here, too. */
export function undeclaredAttributes<I, A extends object, B>(
  { names: all, same }: AttributeRules<I, A, B>,
  found: A,
  declared: A,
): A | undefined {
  const names = all.filter((name) => declared[name] === undefined && !same(name, found[name], undefined));
  return names.length > 0 ? (pickDefined(found, names) as A) : undefined;
}

/** What a version is to have: the program's attributes, and of an adopted or restored object the vault's for the rest. */
export function targetAttributes<I extends ObjectInputs & A, A extends object, B>(
  rules: AttributeRules<I, A, B>,
  inputs: I,
  observed: A | undefined,
): A {
  const declared = pickAttributes<A>(rules, inputs);
  return leavesRestToVault(inputs) && observed !== undefined ? { ...observed, ...declared } : declared;
}

/** What has to change on a version so that it is as the program says; what the service sets by itself is left alone. */
export function attributesToChange<I extends ObjectInputs & A, A extends object, B>(
  rules: AttributeRules<I, A, B>,
  inputs: I,
  bundle: B,
): (keyof A)[] {
  const observed = rules.observed(bundle, inputs);
  return differingAttributes(rules, observed, targetAttributes(rules, inputs, observed)).filter(
    (attribute) => inputs[attribute] !== undefined || !rules.isSetByService(attribute, inputs, bundle),
  );
}
