import { expect, test } from "vitest";
import { OPERATIONS, type OperationName } from "../../provider/keyvault/operations.js";
import { type CallContext, serviceError } from "../../provider/keyvault/service-error.js";

const NOW = Date.UTC(2026, 0, 1);
const context: CallContext = {
  operation: "importKey",
  vaultUrl: "https://v.vault.azure.net",
  isLoopback: false,
  plane: "vault",
  objectName: "orders",
  secrets: [],
};

function errorOf(status: number, code: string | undefined, innerCode?: string, more: Partial<CallContext> = {}) {
  const error = { code, message: "The service's words.", ...(innerCode ? { innererror: { code: innerCode } } : {}) };
  const body = code === undefined ? "" : JSON.stringify({ error });
  return serviceError({ status, headers: { "x-ms-request-id": "1-2-3" }, body }, { ...context, ...more }, NOW);
}

const restoring = { operation: "restoreSecret" as OperationName };

test.each<[number, string | undefined, string | undefined, string, Partial<CallContext>?]>([
  [400, "BadParameter", undefined, "KV_INVALID_INPUT"],
  [400, "BadParameter", "KeySizeNotSupported", "KV_INVALID_INPUT"],
  [400, undefined, undefined, "KV_PROTOCOL"],
  [400, undefined, undefined, "KV_INVALID_INPUT", { isLoopback: true }],
  [400, "Malformed backup blob", undefined, "KV_BACKUP_REJECTED", restoring],
  [400, "BadParameter", undefined, "KV_BACKUP_REJECTED", restoring],
  [401, "Unauthorized", undefined, "KV_UNAUTHENTICATED"],
  [403, "Forbidden", "AccessDenied", "KV_FORBIDDEN"],
  [403, "Forbidden", "ForbiddenByFirewall", "KV_FORBIDDEN"],
  [403, "Forbidden", undefined, "KV_FORBIDDEN"],
  [404, "KeyNotFound", undefined, "KV_NOT_FOUND", { operation: "getKey" }],
  [404, "KeyNotFound", undefined, "KV_NOT_FOUND", { operation: "rotateKey", plane: "managedhsm" }],
  [404, "SecretNotFound", undefined, "KV_NOT_FOUND", { operation: "purgeDeletedSecret" }],
  [418, "Teapot", undefined, "KV_INVALID_INPUT"],
  [600, "Strange", undefined, "KV_PROTOCOL"],
  [405, "MethodNotAllowed", undefined, "KV_INVALID_INPUT"],
  [409, "Conflict", "ObjectIsBeingDeleted", "KV_BUSY"],
  [409, "Conflict", "ObjectIsBeingRecovered", "KV_BUSY"],
  [409, "Conflict", "ObjectIsDeletedButRecoverable", "KV_DELETED_RECOVERABLE"],
  [409, "Conflict", undefined, "KV_CONFLICT"],
  [409, "Conflict", undefined, "KV_CONFLICT", restoring],
  [412, "PreconditionFailed", undefined, "KV_CONFLICT"],
  [429, "Throttled", undefined, "KV_THROTTLED"],
  [500, "InternalServerError", undefined, "KV_UNAVAILABLE"],
  [503, undefined, undefined, "KV_UNAVAILABLE"],
  [302, undefined, undefined, "KV_PROTOCOL"],
  [304, undefined, undefined, "KV_PROTOCOL"],
])("%i %s/%s is %4$s", (status, code, innerCode, expected, more) => {
  expect(errorOf(status, code, innerCode, more)).toMatchObject({ code: expected, status, requestId: "1-2-3" });
});

test("the message says what failed, on what, why and what to do", () => {
  expect(errorOf(403, "Forbidden", "AccessDenied").message).toBe(
    'importKey "orders" in https://v.vault.azure.net was refused (403 Forbidden, AccessDenied): The service\'s words. ' +
      "Grant the keys/import permission (access policy) or a role with Microsoft.KeyVault/vaults/keys/import/action, such as Key Vault Crypto Officer (Azure RBAC; a new assignment takes some minutes).",
  );
});

test("a 404 that the service did not write is not read as absence", () => {
  for (const body of ["", "<html>404</html>", '{"statusCode":404,"message":"Resource not found"}']) {
    expect(serviceError({ status: 404, headers: {}, body }, { ...context, operation: "getKey" }, NOW)).toMatchObject({
      code: "KV_PROTOCOL",
    });
  }
});

test("an emulator's error without its envelope is read", () => {
  const body = JSON.stringify({ code: "KeyNotFound", message: "Key not found", innerError: { code: "X" } });
  expect(serviceError({ status: 404, headers: {}, body }, { ...context, operation: "getKey" }, NOW)).toMatchObject({
    code: "KV_NOT_FOUND",
    serviceCode: "KeyNotFound",
    innerCode: "X",
  });
});

test.each<[OperationName, string | undefined, string, "vault" | "managedhsm"]>([
  ["getKey", "ForbiddenByFirewall", "firewall", "vault"],
  ["getKey", "ForbiddenByConnection", "private endpoint", "vault"],
  ["getKey", "ForbiddenByRbac", "Microsoft.KeyVault/vaults/keys/read", "vault"],
  ["getSecret", "ForbiddenByPolicy", "secrets/get permission", "vault"],
  ["getSecret", "SecretDisabled", "disabled", "vault"],
  ["deleteKey", "KeyManagedByKeyVault", "certificate", "vault"],
  ["createKey", "HardwareKeysNotSupported", "premium", "vault"],
  ["purgeDeletedKey", undefined, "purge protection", "vault"],
  ["purgeDeletedKey", "AccessDenied", "keys/purge", "vault"],
  ["getKey", "AccessDenied", "local role of the Managed HSM", "managedhsm"],
])("a refused %s (%s) is explained by %s", (operation, innerCode, hint, plane) => {
  expect(errorOf(403, "Forbidden", innerCode, { operation, plane }).hint).toContain(hint);
});

test("every operation names its permission in the hint of a refusal", () => {
  for (const operation of Object.keys(OPERATIONS) as OperationName[]) {
    expect(errorOf(403, "Forbidden", "ForbiddenByRbac", { operation }).hint).toContain(
      OPERATIONS[operation].permission,
    );
  }
});

test("a write may have happened after 5xx, unless it went out without its body", () => {
  const lost = { status: 500, headers: {}, body: "" };
  expect(serviceError(lost, context, NOW).mayHaveHappened).toBe(true);
  expect(serviceError({ ...lost, neverAccepted: true }, context, NOW).mayHaveHappened).toBe(false);
  expect(serviceError(lost, { ...context, operation: "getKey" }, NOW).mayHaveHappened).toBe(false);
  expect(errorOf(409, "Conflict").mayHaveHappened).toBe(false);
});

test("what the service repeats of a request does not show", () => {
  const body = JSON.stringify({ error: { code: "BadParameter", message: 'Invalid "value": hunter2, given hunter2' } });
  const error = serviceError({ status: 400, headers: {}, body }, { ...context, secrets: ["hunter2"] }, NOW);
  expect(error.message).toContain("Invalid");
  expect(JSON.stringify(error) + error.stack).not.toContain("hunter2");
});

test("a secret shows neither cut off nor with its line breaks folded or escaped", () => {
  const secret = "correct horse\nbattery staple";
  for (const echo of [secret, JSON.stringify(secret), "x".repeat(580) + secret]) {
    const body = JSON.stringify({ error: { code: "BadParameter", message: `Bad: ${echo}` } });
    const { message } = serviceError({ status: 400, headers: {}, body }, { ...context, secrets: [secret] }, NOW);
    expect(message).not.toMatch(/correct|battery/);
  }
});

test("a request id or a code that is no word is left out", () => {
  const body = JSON.stringify({ error: { code: "<script>", message: 7 } });
  const error = serviceError({ status: 400, headers: { "x-ms-request-id": "a b<" }, body }, context, NOW);
  expect(error).toMatchObject({ code: "KV_INVALID_INPUT" });
  expect([error.requestId, error.serviceCode]).toEqual([undefined, undefined]);
});

test.each<[string, string | undefined, string, string]>([
  ["Conflict", "ObjectIsBeingDeleted", "known", "(409 Conflict, ObjectIsBeingDeleted): The service's words."],
  ["Conflict", "ObjectIsDeletedButRecoverable", "known", "ObjectIsDeletedButRecoverable"],
  ["Conflict", undefined, "unnamed", "(409 Conflict): The service's words."],
  ["KeyAlreadyExists", undefined, "foreign", "(409 Conflict, KeyAlreadyExists): The service's words."],
  ["Conflict", "KeyIsSoftDeleted", "foreign", "(409 Conflict, KeyIsSoftDeleted): The service's words."],
])("a 409 %s/%s is told as %s, in the words of its server", (code, innerCode, conflict, words) => {
  const error = errorOf(409, code, innerCode);
  expect(error).toMatchObject({ conflict, message: expect.stringContaining(words) });
  expect(error.message).not.toMatch(/\b(\w+), \1\b/);
});

test("a refusal other than a 409 has no kind of conflict", () => {
  expect(errorOf(403, "Forbidden")).not.toHaveProperty("conflict");
});

test("an error tells how long the service asks to wait, in seconds or until a date, and nothing where it does not say", () => {
  const waiting = (value: string) =>
    serviceError({ status: 429, headers: { "retry-after": value }, body: "" }, context, NOW).retryAfterMs;
  expect(waiting("7")).toBe(7_000);
  expect(waiting(new Date(NOW + 20_000).toUTCString())).toBe(20_000);
  expect(["0", "soon", "", new Date(NOW - 1_000).toUTCString()].map(waiting)).toEqual(Array(4).fill(undefined));
  expect(errorOf(429, "Throttled")).toMatchObject({ mayHaveHappened: false, retryable: true });
  expect(errorOf(429, "Throttled")).not.toHaveProperty("retryAfterMs");
});

test.each([301, 307, 408, 502])("a write answered with %i may have happened", (status) => {
  const answer = { status, headers: {}, body: "<html>" };
  expect(serviceError(answer, context, NOW).mayHaveHappened).toBe(true);
  expect(serviceError(answer, { ...context, operation: "deleteKey" }, NOW).mayHaveHappened).toBe(true);
  expect(serviceError(answer, { ...context, operation: "getKey" }, NOW).mayHaveHappened).toBe(false);
});

const HTML = "<html><body>Access denied</body></html>";

test.each([400, 403, 404, 405, 407, 409, 410, 412, 418, 451])(
  "a %i with a page is somebody else's, on any host, and leaves open whether a write happened",
  (status) => {
    for (const isLoopback of [false, true]) {
      const answer = { status, headers: { "content-type": "text/html" }, body: HTML };
      const error = serviceError(answer, { ...context, isLoopback }, NOW);
      expect(error).toMatchObject({ code: "KV_PROTOCOL", status, mayHaveHappened: true });
      expect(serviceError(answer, { ...context, isLoopback, operation: "getKey" }, NOW).mayHaveHappened).toBe(false);
    }
  },
);

test.each<[OperationName, string]>([
  ["getKey", "SecretNotFound"],
  ["getSecret", "KeyNotFound"],
  ["getKey", "ResourceNotFound"],
  ["getKey", "keynotfound"],
  ["getDeletedKey", "NotFound"],
  ["importKey", "KeyNotFound"],
  ["restoreSecret", "SecretNotFound"],
  ["getSecrets", "SecretNotFound"],
])("a 404 of %s in the words %s is not the service's, and never means gone", (operation, code) => {
  expect(errorOf(404, code, undefined, { operation }).code).toBe("KV_PROTOCOL");
});

test.each(["", "{}", '{"error":{"code":"ResourceNotFound"}}', '{"title":"Not Found","status":404}'])(
  "on loopback a 404 may be in other words: %s",
  (body) => {
    const onLoopback: CallContext = { ...context, isLoopback: true, operation: "getKey" };
    expect(serviceError({ status: 404, headers: {}, body }, onLoopback, NOW).code).toBe("KV_NOT_FOUND");
  },
);

test("a 403 without an inner code says that it tells nothing of the object", () => {
  const silent = errorOf(403, "Forbidden", undefined, { operation: "getDeletedSecret" });
  expect(silent).toMatchObject({ code: "KV_FORBIDDEN", hint: expect.stringContaining("tells nothing of the object") });
  expect(silent).not.toHaveProperty("innerCode");
  expect(errorOf(403, "Forbidden", "AccessDenied").message).not.toContain("tells nothing");
});

test("what the service says cannot speak to a terminal, nor to a build agent", () => {
  const message = "a\u001b[31mred\u009b2J\r\n##vso[task] \u202eevil\u2028b\u0000\u{e0041}";
  const body = JSON.stringify({ error: { code: "BadParameter", message } });
  const error = serviceError({ status: 400, headers: {}, body }, context, NOW);
  expect(error.message).toContain("a\\u001b[31mred\\u009b2J # #vso[task] \\u202eevil b\\u0000\\udb40\\udc41");
});

test.each<[string, string, string | undefined, true | undefined]>([
  ["that a deleted secret is disabled", "Operation get is not permitted on this object.", "AccessDenied", true],
  ["that a secret is disabled", "Operation get is not allowed on a disabled secret.", "SecretDisabled", true],
  ["so without an inner code", "Operation get is not allowed on a disabled secret.", undefined, true],
  [
    "that the caller may not",
    "The user does not have secrets get permission on key vault 'v'.",
    "AccessDenied",
    undefined,
  ],
  ["that the caller's role may not", "Caller is not authorized to perform action.", "ForbiddenByRbac", undefined],
  [
    "the words under another inner code",
    "Operation get is not permitted on this object.",
    "ForbiddenByPolicy",
    undefined,
  ],
  ["nothing of the object", "get operation not permitted", undefined, undefined],
])("a 403 that says %s", (_what, message, innerCode, expected) => {
  const error = { code: "Forbidden", message, ...(innerCode ? { innererror: { code: innerCode } } : {}) };
  const call: CallContext = { ...context, operation: "getDeletedSecret" };
  const found = serviceError({ status: 403, headers: {}, body: JSON.stringify({ error }) }, call, NOW);
  expect(found.code).toBe("KV_FORBIDDEN");
  expect(found.objectDisabled).toBe(expected);
});

test.each([
  'Bad request: {"tags":{"t":"plain words"}}',
  'Bad request: { "t" : "plain words"}',
  String.raw`Bad request: {\"t\":\"plain words\"}`,
  String.raw`Bad request: {\\\"t\\\":\\\"plain words\\\"}`,
  "Bad request: {'t':'plain words'}",
])("a body that a gateway repeats is withheld, whatever it holds: %s", (message) => {
  const body = JSON.stringify({ error: { code: "BadParameter", message } });
  const error = serviceError({ status: 400, headers: {}, body }, context, NOW);
  expect(error.message).toContain("Bad request: [redacted]");
  expect(error.message).not.toContain("plain");
});
