import { errorOf, isObject, stringAt } from "./json.js";
import type { GivenObject } from "./plan.js";
import type { Scenario, Step } from "./scenario.js";
import type { Traits } from "./seeding.js";

const curvesByAlgorithm: Record<string, string> = { ES256: "P-256", ES384: "P-384", ES512: "P-521", ES256K: "P-256K" };

/** What requests and refusals say about an object whose bundle is never shown. */
export function traitsOf(object: GivenObject, scenario: Scenario): Traits {
  const traits: Traits = {};
  for (const step of scenario.steps) {
    const { operation } = step;
    if (step.host !== object.host || operation.collection !== object.collection) continue;
    if (operation.name.toLowerCase() !== object.name.toLowerCase()) continue;
    Object.assign(traits, refusalTraits(step, traits), algorithmTraits(step));
  }
  if (object.given.some(({ body }) => body.managed === true)) traits.managed = true;
  return traits;
}

function refusalTraits(step: Step, known: Traits): Traits {
  const error = errorOf(step.exchange.response.body);
  const { operation } = step;
  const message = error?.message ?? "";
  switch (error?.innerCode) {
    case "SecretDisabled":
    case "KeyDisabled":
      return { disabled: true };
    case "KeyManagedByKeyVault":
    case "SecretManagedByKeyVault":
      return { managed: true };
    case "KeyOperationForbidden":
      return { withoutOperations: [...(known.withoutOperations ?? []), operation.action ?? ""] };
    default:
      break;
  }
  if (operation.collection === "secrets" && step.exchange.response.status === 403) {
    const isDisabled = /disabled secret|get operation not permitted|not permitted on this object/.test(message);
    if (isDisabled) return { disabled: true };
  }
  if (/immutable/i.test(message)) return { releasePolicy: "immutable" };
  if (operation.kind === "release" && step.exchange.response.status !== 404) return { releasePolicy: "mutable" };
  return {};
}

function algorithmTraits(step: Step): Traits {
  if (step.operation.kind !== "crypto") return {};
  const algorithm = isObject(step.exchange.request.body) ? stringAt(step.exchange.request.body, "alg") : undefined;
  if (algorithm === undefined) return /sign|verify/.test(step.operation.action ?? "") ? {} : { keyType: "RSA" };
  const curve = curvesByAlgorithm[algorithm];
  if (curve !== undefined) return { keyType: "EC", curve };
  return { keyType: /^A\d/.test(algorithm) ? "oct" : "RSA" };
}
