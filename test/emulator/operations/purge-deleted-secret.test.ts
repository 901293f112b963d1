import { describe, expect, it } from "vitest";
import { openVault, refusal } from "../open-vault.js";

describe("purgeDeletedSecret", () => {
  it("frees the name for good", async () => {
    const { call } = await openVault();
    await call("PUT", "/secrets/a", { value: "x" });
    await call("DELETE", "/secrets/a");
    expect((await call("DELETE", "/deletedsecrets/a")).status).toBe(204);
    expect(await call("POST", "/deletedsecrets/a/recover")).toMatchObject(refusal(404, "SecretNotFound"));
    expect((await call("PUT", "/secrets/a", { value: "new" })).status).toBe(200);
    expect((await call("GET", "/secrets/a/versions")).body.value).toHaveLength(1);
  });

  it("waits for the deletion", async () => {
    const { call, emulator } = await openVault({ timing: "short" });
    emulator.clock.freeze();
    await call("PUT", "/secrets/a", { value: "x" });
    await call("DELETE", "/secrets/a");
    expect(await call("DELETE", "/deletedsecrets/a")).toMatchObject(
      refusal(409, "Conflict", "Secret is currently being deleted.", "ObjectIsBeingDeleted"),
    );
  });
});
