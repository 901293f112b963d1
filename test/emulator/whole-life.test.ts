import { describe, expect, it } from "vitest";
import { openVault } from "./open-vault.js";

describe("the emulator", () => {
  it("keeps a key through its whole life", async () => {
    const { call } = await openVault();
    const created = await call("POST", "/keys/orders/create", { kty: "EC", tags: { a: "b" } });
    expect(created).toMatchObject({ status: 200, body: { key: { kty: "EC", crv: "P-256" }, tags: { a: "b" } } });
    const backup = await call("POST", "/keys/orders/backup");
    expect(backup.status).toBe(200);
    expect((await call("DELETE", "/keys/orders")).status).toBe(200);
    expect((await call("GET", "/keys/orders")).status).toBe(404);
    expect((await call("GET", "/deletedkeys/orders")).status).toBe(200);
    expect((await call("POST", "/keys/restore", backup.body)).status).toBe(409);
    expect((await call("DELETE", "/deletedkeys/orders")).status).toBe(204);
    expect(await call("POST", "/keys/restore", backup.body)).toMatchObject({ status: 200, body: created.body });
    expect((await call("GET", "/keys")).body.value).toHaveLength(1);
    expect((await call("GET", "/keys/orders/versions")).body.value).toHaveLength(1);
    expect(await call("PATCH", "/keys/orders", { tags: {} })).toMatchObject({ status: 200, body: { tags: {} } });
  });

  it("keeps a secret through its whole life", async () => {
    const { call } = await openVault();
    expect((await call("PUT", "/secrets/db", { value: "" })).status).toBe(200);
    expect(await call("GET", "/secrets/db")).toMatchObject({ status: 200, body: { value: "" } });
    const backup = await call("POST", "/secrets/db/backup");
    expect((await call("DELETE", "/secrets/db")).status).toBe(200);
    expect((await call("POST", "/deletedsecrets/db/recover")).status).toBe(200);
    expect((await call("GET", "/secrets")).body.value).toHaveLength(1);
    expect((await call("POST", "/secrets/restore", backup.body)).status).toBe(409);
  });
});
