import { errorOf, type JsonObject } from "./json.js";
import type { OperationKind } from "./operation.js";
import type { Step } from "./scenario.js";
import { standInKey } from "./stand-in-key.js";

/** A refusal that says what was wrong with its request, and a request with which that is wrong. */
interface Description {
  message: RegExp;
  operations: OperationKind[];
  body(invalid: number): JsonObject;
}

const policy = (content: object) => ({ data: Buffer.from(JSON.stringify(content)).toString("base64url") });
const grant = (authority: string) => ({ anyOf: [{ anyOf: [{ claim: "c", equals: "true" }], authority }] });
const goodPolicy = policy({ ...grant("https://attestation.example"), version: "1.0.0" });
const hardware = { kty: "RSA-HSM" };
const exportable = { attributes: { exportable: true } };

/** Members of a create, none of which is half a number. */
const createMembers = ["kty", "key_size", "key_ops", "attributes", "tags"];
const sixteenTags = Object.fromEntries(Array.from({ length: 16 }, (_, index) => [`tag${index}`, "value"]));

const descriptions: Description[] = [
  {
    message: /Property\s+has invalid value/,
    operations: ["create"],
    body: (invalid) => Object.fromEntries(createMembers.slice(0, invalid).map((member) => [member, 0.5])),
  },
  {
    message: /Property\s+has invalid value/,
    operations: ["set"],
    body: () => ({ value: "value", tags: sixteenTags }),
  },
  {
    message: /Exportable keys must have release policy/,
    operations: ["create"],
    body: () => ({ ...hardware, ...exportable }),
  },
  {
    message: /Non-exportable keys must not have release policy/,
    operations: ["create"],
    body: () => ({ ...hardware, release_policy: goodPolicy }),
  },
  {
    message: /attestation service\s+cannot be reached/,
    operations: ["create"],
    body: () => ({ ...hardware, ...exportable, release_policy: policy({ ...grant(""), version: "1.0.0" }) }),
  },
  {
    message: /missing 'version' property/,
    operations: ["create"],
    body: () => ({ ...hardware, ...exportable, release_policy: policy(grant("https://attestation.example")) }),
  },
  {
    message: /missing 'version' property/,
    operations: ["import"],
    body: () => ({
      key: standInKey({ kty: "RSA" }),
      ...exportable,
      release_policy: policy(grant("https://attestation.example")),
    }),
  },
  {
    message: /Immutable (Key )?Release Policy cannot be modified/i,
    operations: ["update"],
    body: () => ({ release_policy: policy({ ...grant("https://other.example"), version: "1.0.0" }) }),
  },
  { message: /must be a valid JsonWebKey|kty is missing/, operations: ["import"], body: () => ({ key: {} }) },
  {
    message: /RSA key is not valid/,
    operations: ["import"],
    body: () => {
      const jwk = standInKey({ kty: "RSA" });
      return { key: { ...jwk, p: jwk.q } };
    },
  },
  {
    message: /Unsupported key size/,
    operations: ["create"],
    body: () => ({ kty: "EC", key_size: 2048 }),
  },
  { message: /count cannot be greater/, operations: ["random"], body: () => ({ count: 0 }) },
  {
    message: /invalid or corrupt version/,
    operations: ["restore"],
    body: () => ({ value: Buffer.alloc(256).toString("base64url") }),
  },
];

/** A request that deserves the recorded refusal, where the recorded request is lost. */
export function describedRequest(step: Step): JsonObject | undefined {
  const { status, body } = step.exchange.response;
  const message = errorOf(body)?.message ?? "";
  if (status !== 400) return undefined;
  const found = descriptions.find(
    (description) => description.message.test(message) && description.operations.includes(step.operation.kind),
  );
  return found?.body(message.split(/Property\s+has invalid value/).length - 1);
}
