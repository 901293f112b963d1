import type { Curve } from "../../../provider/material/curves.js";
import {
  type EcNumbers,
  type EcPrivateJwk,
  completeEcKey as reallyCompleteEcKey,
} from "../../../provider/material/ec-key.js";

const complete = new Map<string, EcPrivateJwk>();

/** Each key of the pool is worked out once. */
export function completeEcKey(curve: Curve, given: EcNumbers, problems: string[]): EcPrivateJwk | undefined {
  const numbers = [given.d, given.x, given.y].map((number) => number?.toString("latin1"));
  const name = JSON.stringify([curve.name, ...numbers]);
  const known = complete.get(name);
  if (known !== undefined) return { ...known };
  const key = reallyCompleteEcKey(curve, given, problems);
  if (key !== undefined) complete.set(name, key);
  return key;
}
