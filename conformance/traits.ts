import { datedKeyTexts, forbiddenUse } from "./evidence.js";
import { arrayAt, errorOf, isObject, numberAt, objectAt, stringAt } from "./json.js";
import type { GivenObject } from "./plan.js";
import type { Scenario, Step } from "./scenario.js";
import type { Traits } from "./seeding.js";

const curvesByAlgorithm: Record<string, string> = { ES256: "P-256", ES384: "P-384", ES512: "P-521", ES256K: "P-256K" };

/** What requests and refusals say about an object whose bundle is never shown. */
export function traitsOf(object: GivenObject, scenario: Scenario): Traits {
  const about = scenario.steps.filter(
    ({ host, operation }) =>
      host === object.host &&
      operation.collection === object.collection &&
      operation.name.toLowerCase() === object.name.toLowerCase(),
  );
  const traits: Traits = rotationTraits(about);
  for (const step of about) Object.assign(traits, refusalTraits(step, traits), algorithmTraits(step));
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
  if (operation.kind === "crypto" && forbiddenUse.test(message)) {
    return { withoutOperations: [...(known.withoutOperations ?? []), operation.action ?? ""] };
  }
  if (operation.kind === "crypto" && /on a disabled key/.test(message)) return { disabled: true };
  if (step.exchange.response.status === 403 && datedKeyTexts.test(message)) {
    return /expired/.test(message) ? { expired: true } : { notYetValid: true };
  }
  if (/immutable/i.test(message)) return { releasePolicy: "immutable" };
  if (operation.kind === "release" && step.exchange.response.status !== 404) return { releasePolicy: "mutable" };
  return {};
}

const day = 86_400;

/** A policy that is read before anything in the recording sets one, or else one that explains what a rotation made. */
function rotationTraits(about: Step[]): Traits {
  const answered = about.filter(({ exchange }) => exchange.response.status === 200);
  const set = answered.findIndex(({ operation }) => operation.kind === "setRotationPolicy");
  const before = set === -1 ? answered : answered.slice(0, set);
  const rotated = answered.find(({ operation }) => operation.kind === "rotate")?.exchange.response.body;
  const traits: Traits = isObject(rotated) ? { like: rotated } : {};
  const read = before.find(({ operation }) => operation.kind === "getRotationPolicy")?.exchange.response.body;
  const attributes = objectAt(read, "attributes");
  if ((stringAt(read, "id") ?? "") !== "") {
    const expiryTime = stringAt(attributes, "expiryTime") ?? "";
    traits.rotationPolicy = {
      lifetimeActions: arrayAt(read, "lifetimeActions"),
      attributes: expiryTime === "" ? {} : { expiryTime },
    };
    return traits;
  }
  const explains = before.some(({ operation }) => operation.kind === "rotate");
  const [exp, created] = ["exp", "created"].map((member) => numberAt(objectAt(rotated, "attributes"), member));
  if (read === undefined && explains && exp !== undefined && created !== undefined) {
    traits.rotationPolicy = { lifetimeActions: [], attributes: { expiryTime: `P${(exp - created) / day}D` } };
  }
  return traits;
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
