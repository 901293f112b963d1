import { describe, expect, it } from "vitest";
import { openVault, refusal } from "../open-vault.js";

describe("releaseKey", () => {
  it("is refused, with a version, without one and with an empty one", async () => {
    const { call } = await openVault();
    const made = await call("POST", "/keys/foo/create", { kty: "EC-HSM" });
    const version = (made.body.key as { kid: string }).kid.split("/").at(-1);
    for (const path of ["/keys/foo//release", "/keys/foo/release", `/keys/foo/${version}/release`]) {
      expect(await call("POST", path, { target: "anything" })).toMatchObject(
        refusal(403, "Forbidden", "Target environment attestation statement cannot be verified.", "AccessDenied"),
      );
    }
    expect(await call("POST", "/keys/none/release", { target: "x" })).toMatchObject(refusal(404, "KeyNotFound"));
  });
});
