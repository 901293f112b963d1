import { describe, expect, it } from "vitest";
import { addressOfId, parseObjectId } from "../../provider/vault/object-address.js";

const VERSION = "0123456789abcdef0123456789abcdef";

describe("the address in an id", () => {
  it.each([
    ["https://contoso.vault.azure.net/keys/orders", "https://contoso.vault.azure.net"],
    ["http://127.0.0.1:8080/keys/orders", "http://127.0.0.1:8080"],
    ["embedded:./dev.vault/keys/orders", "embedded:./dev.vault"],
    ["embedded:/var/keys/dev.vault/keys/orders", "embedded:/var/keys/dev.vault"],
  ])("is found in %s", (id, vaultUrl) => {
    expect(addressOfId("keys", id)).toEqual({ vaultUrl, name: "orders" });
  });

  it.each(["orders", "https://contoso.vault.azure.net/secrets/orders", "/keys/orders", "https://c/keys/a_b"])(
    "is refused in %s",
    (id) => {
      expect(() => addressOfId("keys", id)).toThrow(expect.objectContaining({ code: "KV_INVALID_INPUT" }));
    },
  );

  it("is refused in the id of a version, which is not what a resource would read", () => {
    expect(() => addressOfId("keys", `https://c.vault.azure.net/keys/orders/${VERSION}`)).toThrow(
      expect.objectContaining({
        code: "KV_INVALID_INPUT",
        message: expect.stringMatching(/give https:\/\/c\.vault\.azure\.net\/keys\/orders, .*getKeyVersion/),
      }),
    );
    expect(() => addressOfId("secrets", `https://c.vault.azure.net/secrets/db/${VERSION}`)).toThrow(/with getSecret/);
  });
});

describe("the id of an object", () => {
  it.each(["orders", "keys", "secrets"])("names the version of one called %s", (name) => {
    const vaultUrl = "https://c.vault.azure.net";
    expect(parseObjectId("keys", `${vaultUrl}/keys/${name}/${VERSION}`)).toEqual({ vaultUrl, name, version: VERSION });
  });

  it("that is text of another kind is not repeated", () => {
    expect(() => parseObjectId("keys", "hunter2-hunter2")).toThrow(/text of 15 characters/);
    expect(() => parseObjectId("keys", "https://c.vault.azure.net/secrets/db")).toThrow(/secrets, not of its keys/);
  });
});
