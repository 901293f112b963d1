import * as pulumi from "@pulumi/pulumi";
import { RESOURCE_TYPES } from "./contract.js";

export type ResourceKind = keyof typeof RESOURCE_TYPES;

/** Which of our resources a value is, by its type: another copy of this package may have made it. */
export function kindOf(value: unknown): ResourceKind | "other" | undefined {
  if (!pulumi.Resource.isInstance(value)) return undefined;
  const type: unknown = Reflect.get(value, "__pulumiType");
  return kindOfType(type) ?? "other";
}

export function kindOfType(type: unknown): ResourceKind | undefined {
  const found = Object.entries(RESOURCE_TYPES).find(([, token]) => token === type);
  return found && (found[0] as ResourceKind);
}

/** The class's name, to be read: `KeyBackup`. */
export function className(kind: ResourceKind | "other"): string {
  return kind === "other" ? "resource of another package" : kind.charAt(0).toUpperCase() + kind.slice(1);
}
