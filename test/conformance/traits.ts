import { datedKeyTexts } from "./evidence.js";
import { arrayAt, errorOf, isObject, numberAt, objectAt, stringAt } from "./json.js";
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
    Object.assign(traits, rotationTraits(step, traits));
  }
  if (object.given.some(({ body }) => body.managed === true)) traits.managed = true;
  if (Object.keys(traits.rotationPolicy ?? {}).length === 0) delete traits.rotationPolicy;
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
  if (step.exchange.response.status === 403 && datedKeyTexts.test(message)) {
    return /expired/.test(message) ? { expired: true } : { notYetValid: true };
  }
  if (/immutable/i.test(message)) return { releasePolicy: "immutable" };
  if (operation.kind === "release" && step.exchange.response.status !== 404) return { releasePolicy: "mutable" };
  return {};
}

const day = 86_400;

/** A policy that is read, or acts, before anything in the recording sets one. */
function rotationTraits({ operation, exchange }: Step, known: Traits): Traits {
  const { status, body } = exchange.response;
  if (status !== 200) return {};
  const like = operation.kind === "rotate" && isObject(body) ? { like: body } : {};
  if (known.rotationPolicy !== undefined) return like;
  const attributes = objectAt(body, "attributes");
  switch (operation.kind) {
    case "setRotationPolicy":
      return { rotationPolicy: {} };
    case "getRotationPolicy": {
      const expiryTime = stringAt(attributes, "expiryTime") ?? "";
      if ((stringAt(body, "id") ?? "") === "") return {};
      const lifetimeActions = arrayAt(body, "lifetimeActions");
      return { rotationPolicy: { lifetimeActions, attributes: expiryTime === "" ? {} : { expiryTime } } };
    }
    case "rotate": {
      const [exp, created] = [numberAt(attributes, "exp"), numberAt(attributes, "created")];
      if (exp === undefined || created === undefined) return like;
      return {
        ...like,
        rotationPolicy: { lifetimeActions: [], attributes: { expiryTime: `P${(exp - created) / day}D` } },
      };
    }
    default:
      return {};
  }
}

function algorithmTraits(step: Step): Traits {
  if (step.operation.kind !== "crypto") return {};
  const algorithm = isObject(step.exchange.request.body) ? stringAt(step.exchange.request.body, "alg") : undefined;
  if (algorithm === undefined) return /sign|verify/.test(step.operation.action ?? "") ? {} : { keyType: "RSA" };
  const curve = curvesByAlgorithm[algorithm];
  if (curve !== undefined) return { keyType: "EC", curve };
  const bits = /^A(\d+)/.exec(algorithm)?.[1];
  return bits === undefined ? { keyType: "RSA" } : { keyType: "oct", bits: Number(bits) };
}
