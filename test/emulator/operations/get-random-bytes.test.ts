import { describe, expect, it } from "vitest";
import { openVault, refusal } from "../open-vault.js";

describe("getRandomBytes", () => {
  it("gives 1 to 128 bytes on a Managed HSM", async () => {
    const { call } = await openVault({ vaults: [{ name: "hsm", plane: "managedhsm" }] });
    const { body } = await call("POST", "/rng", { count: 128 });
    expect(Buffer.from(body.value as string, "base64url").length).toBe(128);
    for (const count of [-1, 0, 129]) {
      expect(await call("POST", "/rng", { count })).toMatchObject(
        refusal(
          400,
          "BadParameter",
          /^GetRandomBytesRequest: count cannot be greater than 128 or less than 1 \(Activity ID: /,
        ),
      );
    }
  });

  it("does not exist on a vault", async () => {
    const { call } = await openVault();
    expect((await call("POST", "/rng", { count: 1 })).status).toBe(404);
  });
});
