import { describe, expect, it } from "vitest";
import { addressOfId } from "../../provider/vault/object-address.js";

describe("the address in an id", () => {
  it.each([
    ["https://contoso.vault.azure.net/keys/orders", "https://contoso.vault.azure.net"],
    ["https://contoso.vault.azure.net/keys/orders/0123456789abcdef0123456789abcdef", "https://contoso.vault.azure.net"],
    ["http://127.0.0.1:8080/keys/orders", "http://127.0.0.1:8080"],
    ["embedded:./dev.vault/keys/orders", "embedded:./dev.vault"],
  ])("is found in %s", (id, vaultUrl) => {
    expect(addressOfId("keys", id)).toEqual({ vaultUrl, name: "orders" });
  });

  it.each(["orders", "https://contoso.vault.azure.net/secrets/orders", "/keys/orders", "https://c/keys/a_b"])(
    "is refused in %s",
    (id) => {
      expect(() => addressOfId("keys", id)).toThrow(expect.objectContaining({ code: "KV_INVALID_INPUT" }));
    },
  );
});
