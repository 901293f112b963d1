import { describe, expect, it } from "vitest";
import { openVault, refusal } from "../open-vault.js";

describe("recoverDeletedKey", () => {
  it("brings every version back as it was", async () => {
    const { call } = await openVault();
    await call("POST", "/keys/a/create", { kty: "EC", tags: { first: "yes" } });
    const second = await call("POST", "/keys/a/create", { kty: "EC", tags: { second: "yes" } });
    await call("DELETE", "/keys/a");
    expect((await call("POST", "/deletedkeys/a/recover")).body).toEqual(second.body);
    expect((await call("GET", "/keys/a")).body).toEqual(second.body);
    expect((await call("GET", "/keys/a/versions")).body.value).toHaveLength(2);
  });

  it("is readable before it can be written to", async () => {
    const { call, emulator } = await openVault({ timing: "short" });
    emulator.clock.freeze();
    await call("POST", "/keys/a/create", { kty: "EC" });
    await call("DELETE", "/keys/a");
    emulator.clock.advance(300);
    expect((await call("POST", "/deletedkeys/a/recover")).status).toBe(200);
    expect((await call("GET", "/keys/a")).status).toBe(404);
    emulator.clock.advance(300);
    expect((await call("GET", "/keys/a")).status).toBe(200);
    expect(await call("POST", "/keys/a/create", { kty: "EC" })).toMatchObject(
      refusal(
        409,
        "Conflict",
        "Key a is currently being recovered and cannot be re-created; retry later.",
        "ObjectIsBeingRecovered",
      ),
    );
    emulator.clock.advance(200);
    expect((await call("POST", "/keys/a/create", { kty: "EC" })).status).toBe(200);
  });

  it("refuses what is not deleted, and misses what is not there", async () => {
    const { call } = await openVault();
    await call("POST", "/keys/a/create", { kty: "EC" });
    expect(await call("POST", "/deletedkeys/a/recover")).toMatchObject(
      refusal(400, "MethodNotAllowed", "Key exists already: a", "RequestNotAllowedOnNonDeletedObject"),
    );
    expect(await call("POST", "/deletedkeys/none/recover")).toMatchObject(
      refusal(404, "KeyNotFound", /^A key with \(name\/id\) none /),
    );
  });
});
