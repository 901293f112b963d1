import { describe, expect, it } from "vitest";
import { listedVaultUrl } from "../../provider/vault/listing.js";
import { addressOfId, parseObjectId } from "../../provider/vault/object-address.js";
import { identity } from "./engine-run.js";
import { key } from "./providers.js";

const VERSION = "0123456789abcdef0123456789abcdef";

describe("the address in an id", () => {
  it.each([
    ["https://contoso.vault.azure.net/keys/orders", "https://contoso.vault.azure.net"],
    ["http://127.0.0.1:8080/keys/orders", "http://127.0.0.1:8080"],
    ["https://Contoso.vault.azure.net:443/keys/orders/", "https://contoso.vault.azure.net"],
    ["embedded:./dev.vault/keys/orders", "embedded:./dev.vault"],
    ["embedded:/var/keys/dev.vault/keys/orders", "embedded:/var/keys/dev.vault"],
  ])("is found in %s", (id, vaultUrl) => {
    expect(addressOfId("keys", id)).toEqual({ vaultUrl, name: "orders" });
  });

  it.each([
    "orders",
    "https://contoso.vault.azure.net/secrets/orders",
    "/keys/orders",
    "https://c/keys/a_b",
    "http://c/keys/a",
  ])("is refused in %s", (id) => {
    expect(() => addressOfId("keys", id)).toThrow(expect.objectContaining({ code: "KV_INVALID_INPUT" }));
  });

  it("carries no password, and none is repeated", () => {
    const refusal = expect.objectContaining({ message: expect.not.stringContaining("hunter2") });
    expect(() => addressOfId("keys", "https://me:hunter2@contoso.vault.azure.net/keys/orders")).toThrow(refusal);
  });

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

describe("the path of an embedded vault", () => {
  it.each(["EMBEDDED:./dev.vault", "Embedded:memory", " embedded:./dev.vault", "EMBEDDED:"])(
    "is told how to write where %j is written otherwise, by a resource and by a list",
    async (vaultUrl) => {
      const { failures } = await key.check(
        {},
        { ...identity("orders"), name: "orders", vaultUrl, generate: { keyType: "EC" } },
      );
      const told = /an embedded vault is written in lower case and with a file: embedded:\.\/dev\.vault/;
      expect(failures.map(({ reason }) => reason).join()).toMatch(told);
      expect(() => listedVaultUrl(vaultUrl)).toThrow(told);
    },
  );

  it.each(["embedded:~/dev.vault", "embedded:~"])(
    "is refused where it is %j, which only a shell reads",
    async (vaultUrl) => {
      const args = { ...identity("orders"), name: "orders", vaultUrl, generate: { keyType: "EC" } };
      const { failures } = await key.check({}, args);
      expect(failures.map(({ reason }) => reason).join()).toMatch(/a shell reads ~, a program does not/);
      const { failures: ofOlder } = await key.check({ vaultUrl, name: "orders" }, args);
      expect(ofOlder.map(({ reason }) => reason).join()).not.toMatch(/a shell reads ~/);
      expect(() => listedVaultUrl(vaultUrl)).toThrow(/^A shell reads ~, a program does not/);
    },
  );

  it.each([
    ["escape sequences", "embedded:dev\u001b[2J.vault", "text of 13 characters"],
    [
      "a key",
      `embedded:-----BEGIN PRIVATE KEY-----\nMIIE${"a".repeat(1_600)}`,
      "text of 1,632 characters that looks like PEM",
    ],
  ])("is refused where it is %s, which is not shown", async (_what, vaultUrl, described) => {
    const { failures } = await key.check(
      {},
      { ...identity("orders"), name: "orders", vaultUrl, generate: { keyType: "EC" } },
    );
    const told = failures.map(({ reason }) => reason).join();
    expect(told).toContain(`what follows "embedded:" is no path of a file (${described})`);
    expect(told).not.toContain(vaultUrl.slice(11, 18));
  });
});

describe("the name of a key that has none in the program", () => {
  const vaultUrl = "https://contoso.vault.azure.net";

  it("is given once, and kept", async () => {
    const made = await key.check({}, { vaultUrl, generate: { keyType: "RSA" }, autoName: "orders-1a2b3c4" });
    expect(made.inputs.name).toBe("orders-1a2b3c4");
    const later = await key.check(made.inputs, { vaultUrl, generate: { keyType: "RSA" }, autoName: "orders-fffffff" });
    expect(later.inputs.name).toBe("orders-1a2b3c4");
  });
});
