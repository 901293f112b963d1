import { describe, expect, it } from "vitest";
import { openVault, refusal } from "../open-vault.js";

const damaged = (blob: string, at: number) => {
  const bytes = Buffer.from(blob, "base64url");
  const index = at < 0 ? bytes.length + at : at;
  bytes[index] = bytes[index] === 65 ? 66 : 65;
  return bytes.toString("base64url");
};

describe("restoreKey", () => {
  it("brings name, version ids, attributes and rotation policy to another vault and another process's store", async () => {
    const source = await openVault();
    const first = await source.call("POST", "/keys/Orders/create", {
      kty: "RSA",
      tags: { a: "b" },
      attributes: { exp: 4_000_000_000 },
    });
    const second = await source.call("POST", "/keys/orders/create", { kty: "EC", attributes: { enabled: false } });
    await source.call("PUT", "/keys/orders/rotationpolicy", {
      lifetimeActions: [{ trigger: { timeAfterCreate: "P30D" }, action: { type: "Rotate" } }],
    });
    const backup = await source.call("POST", "/keys/orders/backup");
    const target = await openVault();
    const without = (text: string) => text.replaceAll(/:\d+\/keys/g, "/keys");
    expect(without((await target.call("POST", "/keys/restore", backup.body)).text)).toBe(without(second.text));
    const version = (first.body.key as { kid: string }).kid.split("/").at(-1);
    expect(without((await target.call("GET", `/keys/orders/${version}`)).text)).toBe(without(first.text));
    expect((await target.call("GET", "/keys/orders/rotationpolicy")).body.lifetimeActions).toHaveLength(2);
    const digest = Buffer.alloc(32).toString("base64url");
    const signed = await target.call("POST", `/keys/orders/${version}/sign`, { alg: "RS256", value: digest });
    expect(
      await source.call("POST", `/keys/orders/${version}/verify`, { alg: "RS256", digest, value: signed.body.value }),
    ).toMatchObject({
      body: { value: true },
    });
  });

  it("never writes over a name, active or deleted", async () => {
    const { call } = await openVault();
    const made = await call("POST", "/keys/a/create", { kty: "EC" });
    const backup = await call("POST", "/keys/a/backup");
    const { kid } = made.body.key as { kid: string };
    const words = `There was a conflict restoring the key '${kid}'. This can happen if either: a second key with the same name was created after the first key was deleted; thus trying to restore a key whose name is already in use. To fix this, rename the second key to something else so that the restore works. The second probable cause of this exception is when multiple operations are performed in parallel against the key. To avoid this error, perform operations against a key in a sequential manner.`;
    const refused = await call("POST", "/keys/restore", backup.body);
    expect(refused).toMatchObject(refusal(409, "Conflict", words));
    expect(refused.body.error).not.toHaveProperty("innererror");
    await call("DELETE", "/keys/a");
    expect(await call("POST", "/keys/restore", backup.body)).toMatchObject(refusal(409, "Conflict", words));
  });

  it("tells damage of the header from damage of what is sealed", async () => {
    const { call } = await openVault();
    await call("POST", "/keys/a/create", { kty: "EC" });
    await call("PUT", "/secrets/s", { value: "x" });
    const { value } = (await call("POST", "/keys/a/backup")).body as { value: string };
    const secret = (await call("POST", "/secrets/s/backup")).body as { value: string };
    const code = "Malformed backup blob";
    const header = refusal(400, code, "Backup blob contains invalid or corrupt version.");
    const corrupt = refusal(400, code, "Backup blob is corrupt.");
    for (const blob of ["A".repeat(400), damaged(value, 3), secret.value]) {
      expect(await call("POST", "/keys/restore", { value: blob })).toMatchObject(header);
    }
    for (const blob of ["ZG9lc25vdGV4aXN0", "", "!!", damaged(value, -3), damaged(value, 700), value.slice(0, -8)]) {
      expect(await call("POST", "/keys/restore", { value: blob })).toMatchObject(corrupt);
    }
  });

  it("refuses another geography, subscription or security domain", async () => {
    const source = await openVault();
    await source.call("POST", "/keys/a/create", { kty: "EC" });
    const backup = await source.call("POST", "/keys/a/backup");
    for (const elsewhere of [{ geography: "germany" }, { subscription: "other" }, { securityDomain: "other" }]) {
      const { call } = await openVault({ vaults: [{ name: "elsewhere", ...elsewhere }] });
      const refused = await call("POST", "/keys/restore", backup.body);
      expect(refused.status).toBe(400);
      expect(refused.body.error).toMatchObject({ message: "Cannot decrypt backup blob." });
    }
  });

  it("refuses what no Managed HSM of the domain has sealed, in its own words", async () => {
    const { call } = await openVault({ vaults: [{ name: "hsm", plane: "managedhsm" }] });
    expect(await call("POST", "/keys/restore", { value: "ZG9lc25vdGV4aXN0" })).toMatchObject(
      refusal(
        400,
        "MalformedBackupBlob",
        /^Backup blob belongs to a different crypto domain and cannot be used with this instance\./,
      ),
    );
    await call("POST", "/keys/a/create", { kty: "oct-HSM" });
    const backup = await call("POST", "/keys/a/backup");
    await call("DELETE", "/keys/a");
    await call("DELETE", "/deletedkeys/a");
    expect((await call("POST", "/keys/restore", backup.body)).status).toBe(200);
  });
});
