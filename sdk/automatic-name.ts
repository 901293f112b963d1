import { createHash, randomUUID } from "node:crypto";
import * as pulumi from "@pulumi/pulumi";

/**
 * Inputs that `check` uses up and never records: the name of an object that the program leaves unnamed, and a token
 * of this resource instance, by which two resources on one object are told.
 *
 * The name is the resource's with a suffix that follows from the resource's URN. It looks random and differs between
 * stacks, and yet an interrupted run finds the object that it had made, instead of making another one.
 */
export function identityInputs(type: string, name: string, parent: pulumi.Resource | undefined) {
  return {
    autoName: pulumi.createUrn(name, type, parent).apply((urn) => automaticName(name, urn)),
    claimant: randomUUID(),
  };
}

function automaticName(name: string, urn: string): string {
  const suffix = createHash("sha256").update(urn).digest("hex").slice(0, 7);
  const stem = name.replace(/[^0-9A-Za-z-]+/g, "-").slice(0, 119) || "object";
  return `${stem}-${suffix}`;
}
