import { describe, expect, it } from "vitest";
import { normaliseMessage } from "../../conformance/normalise.js";
import { operationOf } from "../../conformance/operation.js";
import { asToday } from "../../conformance/superseded.js";

const said = (message: string, code = "Forbidden", innerCode?: string) => ({ code, message, innerCode });

describe("old wordings", () => {
  it("of a missing object become today's on a vault and stay on a Managed HSM", () => {
    const get = operationOf("GET", "/keys/k/");
    expect(asToday(said("Key not found: k", "KeyNotFound"), get, "vault").message).toMatch(
      /^A key with \(name\/id\) k was/,
    );
    expect(asToday(said("Key k not found", "KeyNotFound"), get, "vault").message).toMatch(
      /^A key with \(name\/id\) k was/,
    );
    const url = "Key not found: https://h.managedhsm.azure.net/keys/k";
    expect(asToday(said(url, "KeyNotFound"), get, "managedhsm").message).toBe(url);
  });

  it("of a missing deleted object stay, but for purges and recoveries", () => {
    const text = "Deleted Secret not found: s";
    const asked = (method: string, path: string) => asToday(said(text), operationOf(method, path), "vault").message;
    expect(asked("GET", "/deletedsecrets/s")).toBe(text);
    expect(asked("DELETE", "/deletedsecrets/s")).toMatch(/^A secret with/);
  });

  it("of access policies become the sentence and the inner code of today", () => {
    const old = said(
      'Operation is not allowed.\r\nOperation: "get"\r\nCaller: appid=a;oid=b\r\nVault: v;location=westus',
      "Forbidden",
      "ForbiddenByPolicy",
    );
    const today = asToday(old, operationOf("GET", "/keys/k"), "vault");
    expect(today.innerCode).toBe("AccessDenied");
    expect(normaliseMessage(today.message)).toBe(
      "The user, group or application '<caller>' does not have keys get permission on key vault '<vault>'. For help resolving this issue, please see https://go.microsoft.com/fwlink/?linkid=2125287",
    );
  });

  it("of certificates' objects differ between keys and secrets", () => {
    const old = said(`Operation "delete" is not allowed as this object's lifetime is managed by Key Vault.`);
    expect(asToday(old, operationOf("DELETE", "/keys/c"), "vault").message).toBe(old.message);
    expect(asToday(old, operationOf("DELETE", "/secrets/c"), "vault").message).toMatch(/associated with a certificate/);
  });
});

describe("messages", () => {
  it("lose hosts, callers, addresses and request ids, and keep names", () => {
    expect(normaliseMessage("Key not found: https://h.net/keys/Name (Activity ID: 1-2)")).toBe(
      "Key not found: <vault>/name (Activity ID: <id>)",
    );
    expect(normaliseMessage("Client address: 10.0.0.1\r\nCaller: appid=a\r\nVault: v;location=x")).toBe(
      "Client address: <address>\nVault: <vault>",
    );
  });
});

describe("operations", () => {
  it.each([
    ["POST", "/keys/k/create", "create"],
    ["POST", "/keys//create", "none"],
    ["PUT", "/keys/k", "import"],
    ["PUT", "/secrets/s/", "set"],
    ["PUT", "/secrets/", "none"],
    ["GET", "//secrets/s", "get"],
    ["GET", "/keys/k/versions", "versions"],
    ["POST", "/keys/k//release", "release"],
    ["POST", "/keys/k/0123/unwrapkey", "crypto"],
    ["PUT", "/keys/k/rotationpolicy", "setRotationPolicy"],
    ["DELETE", "/deletedkeys/k", "purge"],
    ["POST", "/keys/restore", "restore"],
    ["GET", "/certificates/c", "foreign"],
  ])("of %s %s", (method, path, kind) => {
    expect(operationOf(method, path).kind).toBe(kind);
  });
});
