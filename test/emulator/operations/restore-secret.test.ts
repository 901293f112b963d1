import { describe, expect, it } from "vitest";
import { openVault, refusal } from "../open-vault.js";

describe("restoreSecret", () => {
  it("brings every version back, with its id and its value", async () => {
    const source = await openVault();
    const first = await source.call("PUT", "/secrets/a", { value: "1", contentType: "x" });
    await source.call("PUT", "/secrets/a", { value: "2" });
    const backup = await source.call("POST", "/secrets/a/backup");
    const { call } = await openVault();
    const restored = await call("POST", "/secrets/restore", backup.body);
    expect(restored.status).toBe(200);
    expect(restored.body).not.toHaveProperty("value");
    expect(await call("GET", "/secrets/a")).toMatchObject({ body: { value: "2" } });
    const version = (first.body.id as string).split("/").at(-1);
    expect(await call("GET", `/secrets/a/${version}`)).toMatchObject({ body: { value: "1", contentType: "x" } });
  });

  it("never writes over a name, and wants a secret's blob", async () => {
    const { call } = await openVault();
    await call("PUT", "/secrets/a", { value: "1" });
    const backup = await call("POST", "/secrets/a/backup");
    expect(await call("POST", "/secrets/restore", backup.body)).toMatchObject(
      refusal(409, "Conflict", /^There was a conflict restoring the secret 'http/),
    );
    await call("POST", "/keys/k/create", { kty: "EC" });
    const key = await call("POST", "/keys/k/backup");
    expect(await call("POST", "/secrets/restore", key.body)).toMatchObject(
      refusal(400, "Malformed backup blob", "Backup blob contains invalid or corrupt version."),
    );
  });
});
