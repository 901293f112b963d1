import { describe, expect, it } from "vitest";
import { openVault, refusal } from "../open-vault.js";

const words = (id: string) =>
  `A key with (name/id) ${id} was not found in this key vault. If you recently deleted this key you may be able to recover it using the correct recovery command. For help resolving this issue, please see https://go.microsoft.com/fwlink/?linkid=2125182`;

describe("getKey", () => {
  it("gives the current version, or the one that is named, whatever the case of name and version", async () => {
    const { call } = await openVault();
    const first = await call("POST", "/keys/Orders/create", { kty: "EC" });
    const second = await call("POST", "/keys/orders/create", { kty: "EC" });
    expect((await call("GET", "/keys/ORDERS")).body).toEqual(second.body);
    const version = (first.body.key as { kid: string }).kid.split("/").at(-1) ?? "";
    expect((await call("GET", `/keys/oRders/${version.toUpperCase()}`)).body).toEqual(first.body);
    expect((first.body.key as { kid: string }).kid).toContain("/keys/Orders/");
  });

  it("reads disabled, expired and not yet valid keys", async () => {
    const { call } = await openVault();
    for (const attributes of [{ enabled: false }, { exp: 1 }, { nbf: 4_000_000_000 }]) {
      await call("POST", "/keys/a/create", { kty: "EC", attributes });
      expect(await call("GET", "/keys/a")).toMatchObject({ status: 200, body: { attributes } });
    }
  });

  it("misses a key, and a version, by the name it was asked for", async () => {
    const { call } = await openVault();
    expect(await call("GET", "/keys/None")).toMatchObject(refusal(404, "KeyNotFound", words("None")));
    await call("POST", "/keys/a/create", { kty: "EC" });
    const version = "0".repeat(32);
    expect(await call("GET", `/keys/a/${version}`)).toMatchObject(refusal(404, "KeyNotFound", words(`a/${version}`)));
  });

  it("says what an api-version said", async () => {
    const { call } = await openVault();
    await call("POST", "/keys/a/create", { kty: "RSA-HSM" });
    const attributes = async (apiVersion: string) =>
      Object.keys((await call("GET", "/keys/a", undefined, { apiVersion })).body.attributes as object);
    const common = ["enabled", "created", "updated"];
    expect(await attributes("2015-06-01")).toEqual([...common, "exportable"]);
    expect(await attributes("7.0")).toEqual([...common, "recoveryLevel", "exportable"]);
    expect(await attributes("7.4")).toEqual([...common, "recoveryLevel", "recoverableDays", "exportable"]);
    expect(await attributes("7.5")).toEqual([
      ...common,
      "recoveryLevel",
      "recoverableDays",
      "exportable",
      "hsmPlatform",
    ]);
    expect(await attributes("2025-07-01")).toContain("hsmPlatform");
  });

  it("tolerates doubled and trailing slashes", async () => {
    const { call } = await openVault();
    await call("POST", "/keys/a/create", { kty: "EC" });
    for (const path of ["/keys/a/", "//keys/a", "/keys//a//"]) expect((await call("GET", path)).status).toBe(200);
  });

  it("refuses a name that is none", async () => {
    const { call } = await openVault();
    expect(await call("GET", "/keys/key!@%23$")).toMatchObject(
      refusal(400, "BadParameter", "The request URI contains an invalid name: key!@#$"),
    );
    expect((await call("GET", `/keys/${"x".repeat(128)}`)).status).toBe(400);
  });

  it("tells the size of RSA and symmetric keys since 2026, and not of deleted ones of a Managed HSM", async () => {
    const { call } = await openVault({ vaults: ["one", { name: "hsm", plane: "managedhsm" }] });
    const sizeOf = (answer: { body: object }) =>
      (answer.body as { attributes: { key_size?: number } }).attributes.key_size;
    const at = async (apiVersion: string, vault: string, name: string) =>
      sizeOf(await call("GET", `/keys/${name}`, undefined, { vault, apiVersion }));
    await call("POST", "/keys/rsa/create", { kty: "RSA", key_size: 3072 }, { vault: "one" });
    await call("POST", "/keys/ec/create", { kty: "EC" }, { vault: "one" });
    await call("POST", "/keys/oct/create", { kty: "oct-HSM", key_size: 128 }, { vault: "hsm" });
    expect([await at("2026-04-01", "one", "rsa"), await at("2026-03-01-preview", "hsm", "oct")]).toEqual([3072, 128]);
    expect([await at("2025-07-01", "one", "rsa"), await at("2026-04-01", "one", "ec")]).toEqual([undefined, undefined]);
    const deleted = await call("DELETE", "/keys/oct", undefined, { vault: "hsm", apiVersion: "2026-04-01" });
    expect([deleted.status, sizeOf(deleted)]).toEqual([200, undefined]);
  });
});
