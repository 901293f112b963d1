import { describe, expect, it } from "vitest";
import { openVault, refusal } from "../open-vault.js";

describe("getDeletedSecret", () => {
  it("gives what the delete answered, without a value", async () => {
    const { call } = await openVault();
    await call("PUT", "/secrets/a", { value: "hidden" });
    const deleted = await call("DELETE", "/secrets/a");
    expect((await call("GET", "/deletedsecrets/a")).body).toEqual(deleted.body);
  });

  it("answers 403 for a disabled secret once it is deleted, and 404 until then", async () => {
    const { call, emulator } = await openVault({ timing: "short" });
    emulator.clock.freeze();
    await call("PUT", "/secrets/a", { value: "x", attributes: { enabled: false } });
    await call("DELETE", "/secrets/a");
    expect(await call("GET", "/deletedsecrets/a")).toMatchObject(
      refusal(404, "SecretNotFound", "Deleted Secret not found: a"),
    );
    emulator.clock.advance(300);
    expect(await call("GET", "/deletedsecrets/a")).toMatchObject(
      refusal(403, "Forbidden", "Operation get is not permitted on this object.", "AccessDenied"),
    );
  });
});
