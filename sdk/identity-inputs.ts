import { randomUUID } from "node:crypto";
import * as pulumi from "@pulumi/pulumi";
import { automaticName } from "../provider/object/automatic-name.js";

/** Whose a resource is: what an object in the vault can be marked with. The URN holds its type and logical name. */
export interface ResourceOwner {
  project: string;
  stack: string;
  urn: string;
}

/**
 * Inputs that `check` uses up and never records: the name of an object that the program leaves unnamed, a token of
 * this resource instance, by which two resources on one object are told, and whose the resource is.
 *
 * The name is the resource's with a suffix that follows from the resource's URN. It looks random and differs between
 * stacks, and yet an interrupted run finds the object that it had made, instead of making another one.
 */
export function identityInputs(type: string, name: string, parent: pulumi.Resource | undefined) {
  const urn = urnOf(type, name, parent);
  return { autoName: derived(urn, (known) => automaticName(name, known)), ...inputsOf(urn) };
}

/** Those of a resource that names no object of its own. */
export function ownerInputs(type: string, name: string, parent: pulumi.Resource | undefined) {
  return inputsOf(urnOf(type, name, parent));
}

function inputsOf(urn: string | Promise<string>) {
  const owner = derived(
    urn,
    (known): ResourceOwner => ({ project: pulumi.getProject(), stack: pulumi.getStack(), urn: known }),
  );
  return { claimant: randomUUID(), owner };
}

/** At once where the URN is known: the SDK takes a stack trace for each promise among the inputs, which a program of thousands of keys feels. */
function derived<T>(urn: string | Promise<string>, derive: (urn: string) => T): T | Promise<T> {
  return typeof urn === "string" ? derive(urn) : handled(urn.then(derive));
}

/**
 * The URN as the engine makes it, without `createUrn`, whose Output comes from the parent. An input that depends on a
 * component waits for all of the component's children: for this very resource, and for each of its siblings.
 */
function urnOf(type: string, name: string, parent: pulumi.Resource | undefined): string | Promise<string> {
  const ofStack = `urn:pulumi:${pulumi.getStack()}::${pulumi.getProject()}::${type}::${name}`;
  if (parent === undefined) return ofStack;
  return promised(parent.urn).then((parentUrn) => {
    const prefix = parentUrn.slice(0, parentUrn.lastIndexOf("::"));
    return prefix.endsWith("::pulumi:pulumi:Stack") ? ofStack : `${prefix}$${type}::${name}`;
  });
}

/** The value of an Output without the resources that it comes from: the part of it that each SDK understands. */
function promised<T>(output: pulumi.Output<T>): Promise<T> {
  return (output as unknown as { promise(): Promise<T> }).promise();
}

/** A parent that fails is told by itself. The registration awaits the promise later, and Node takes it for forgotten. */
function handled<T>(promise: Promise<T>): Promise<T> {
  promise.catch(() => undefined);
  return promise;
}
