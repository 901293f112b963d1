import type { Properties } from "../provider/engine/lifecycle.js";
import { automaticName, nameFrom } from "../provider/object/automatic-name.js";

/** What the engine's `pulumi:autonaming` says of a resource without a name. */
export interface Autonaming {
  mode: "propose" | "enforce" | "disable";
  proposedName: string;
}

/** The type in a URN, of the resource itself. */
export function typeOfUrn(urn: string): string {
  const [, , types = ""] = urn.split("::");
  return types.slice(types.lastIndexOf("$") + 1);
}

/**
 * What a program's SDK would tell of the resource: whose it is, and the name of an object that it leaves unnamed. All of
 * it follows from the URN. The engine's random seed is another one in each run, and a run that was cut off could not
 * find by it what it had made.
 */
export function identityOf(urn: string, names: "object" | "nothing", autonaming: Autonaming | undefined): Properties {
  const [root = "", project = "", , ...name] = urn.split("::");
  const stack = root.slice(root.lastIndexOf(":") + 1);
  const owner = { claimant: urn, owner: { project, stack, urn } };
  const autoName = names === "object" ? nameFor(name.join("::"), urn, autonaming) : undefined;
  return autoName === undefined ? owner : { ...owner, autoName };
}

function nameFor(resourceName: string, urn: string, autonaming: Autonaming | undefined): string | undefined {
  if (autonaming?.mode === "disable") return undefined;
  if (autonaming?.mode === "enforce") return autonaming.proposedName;
  return autonaming?.proposedName ? nameFrom(autonaming.proposedName) : automaticName(resourceName, urn);
}
