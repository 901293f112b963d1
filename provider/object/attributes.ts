import { pickDefined } from "../engine/normal-form.js";
import { leavesRestToVault, type ObjectInputs } from "./object-inputs.js";

/** How the changeable attributes of one kind of object are read and compared. */
export interface AttributeRules<I, A extends object, B> {
  readonly names: readonly (keyof A)[];
  /** What a PATCH can move and not clear: only a new version is without it. */
  readonly clearedByVersion: readonly (keyof A)[];
  /** As the vault has them, in the normal form of inputs: defaults and the owner tag left out. */
  observed(bundle: B): A;
  same(attribute: keyof A, a: unknown, b: unknown): boolean;
  /** Whether the service has set an attribute by itself: it is nobody's decision, and no drift. */
  isSetByService(attribute: keyof A, inputs: I, bundle: B): boolean;
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

/** Attributes of a found object that the program leaves out. */
export function undeclaredAttributes<A extends object>(
  rules: { names: readonly (keyof A)[] },
  found: A,
  declared: A,
): A | undefined {
  const names = rules.names.filter((name) => found[name] !== undefined && declared[name] === undefined);
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
  const observed = rules.observed(bundle);
  return differingAttributes(rules, observed, targetAttributes(rules, inputs, observed)).filter(
    (attribute) => inputs[attribute] !== undefined || !rules.isSetByService(attribute, inputs, bundle),
  );
}
