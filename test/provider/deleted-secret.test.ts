import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { type Emulator, startEmulator } from "../../emulator/index.js";
import { KeyVaultClient } from "../../provider/keyvault/client.js";
import { OperationDeadline } from "../../provider/object/operation-deadline.js";
import { secretObject } from "../../provider/secret/secret-object.js";
import { call } from "../engine/vault-by-hand.js";

describe("a deleted secret", () => {
  let vault: Emulator;
  let client: KeyVaultClient;

  beforeEach(async () => {
    vault = await startEmulator({ timing: "instant" });
    const credential = { getToken: async () => ({ token: vault.token, expiresOn: new Date(Date.now() + 3_600_000) }) };
    client = new KeyVaultClient({ vaultUrl: vault.url, credential });
  });
  afterEach(async () => {
    await client.close();
    await vault.close();
  });

  const deleted = () =>
    secretObject(client, { vaultUrl: vault.url, name: "db" }, new OperationDeadline("1m")).deleted();

  it("is found where it is disabled, by the service's words for that", async () => {
    await call(vault, "PUT", "/secrets/db", { value: "v", attributes: { enabled: false } });
    await call(vault, "DELETE", "/secrets/db");
    expect(await deleted()).toEqual({});
  });

  it.each([
    ["AccessDenied", "The user does not have secrets get permission on key vault 'v'."],
    [undefined, "get operation not permitted"],
  ])("is not believed in where a 403 (%s) is about the caller", async (innerCode, message) => {
    vault.faults.add({
      kind: "status",
      status: 403,
      code: "Forbidden",
      message,
      operation: "getDeletedSecret",
      ...(innerCode ? { innerCode } : {}),
    });
    await expect(deleted()).rejects.toMatchObject({ code: "KV_FORBIDDEN" });
  });
});
