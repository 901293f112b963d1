import type { CheckFailure, Properties } from "../engine/lifecycle.js";
import { KeyVaultError } from "../keyvault/errors.js";

/** How a program takes over what exists: nothing happens to the object until somebody decides otherwise. */
export const ADOPTED = { adopt: true, onDelete: "retain" } as const;

type Check = (olds: Properties, news: Properties) => Promise<{ inputs: Properties; failures: CheckFailure[] }>;

/** An object that exists, as a program says it and as state records that. */
export interface AdoptedObject {
  id: string;
  /** The arguments in the program, without `vaultUrl`. */
  args: Properties;
  inputs: Properties;
  outputs: Properties;
}

/**
 * What `check` makes of a program's arguments is what an import has to record, so `check` itself makes it: the two
 * cannot drift apart. Attributes that the vault has and a program cannot say, such as operations of a Managed HSM, are
 * left out of the program; the state remembers them as found.
 *
 * @param hidden inputs that the program does not write.
 */
export async function sayableInputs(
  kind: "key" | "secret",
  args: Properties,
  hidden: Properties,
  check: Check,
): Promise<{ args: Properties; inputs: Properties }> {
  // As of an object in state: for a new one, check would ask the vault whether it is there.
  const olds = { name: args.name };
  const first = await check(olds, { ...args, ...hidden });
  if (first.failures.length === 0) return { args, inputs: plain(first.inputs) };
  // A failure names no property: each attribute is tried beside those that a program can say.
  const { name, ...attributes } = args;
  let sayable: Properties = { name, ...ADOPTED };
  let last = await check(olds, { ...sayable, ...hidden });
  for (const [property, value] of Object.entries(attributes)) {
    if (Object.hasOwn(ADOPTED, property)) continue;
    const more = { ...sayable, [property]: value };
    const tried = await check(olds, { ...more, ...hidden });
    if (tried.failures.length === 0) [sayable, last] = [more, tried];
  }
  const [failure] = last.failures;
  if (failure === undefined) {
    const inOrder = Object.entries(args).filter(([property]) => Object.hasOwn(sayable, property));
    return { args: Object.fromEntries(inOrder), inputs: plain(last.inputs) };
  }
  throw new KeyVaultError(
    "KV_PROTOCOL",
    `${kind} "${String(args.name)}" in ${hidden.vaultUrl} has what no program can say: ${failure.reason}`,
    { hint: `leave it out with --ignore '${kind}s/${String(args.name)}'` },
  );
}

/** Without members that are undefined, as state holds it. */
export function plain(value: object): Properties {
  return JSON.parse(JSON.stringify(value)) as Properties;
}
