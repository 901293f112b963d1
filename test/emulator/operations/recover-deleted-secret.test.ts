import { describe, expect, it } from "vitest";
import { openVault, refusal } from "../open-vault.js";

describe("recoverDeletedSecret", () => {
  it("answers the secret without its value and brings it back", async () => {
    const { call } = await openVault();
    await call("PUT", "/secrets/a", { value: "back", tags: { x: "y" } });
    await call("DELETE", "/secrets/a");
    const recovered = await call("POST", "/deletedsecrets/a/recover");
    expect(Object.keys(recovered.body)).toEqual(["id", "attributes", "tags"]);
    expect(await call("GET", "/secrets/a")).toMatchObject({ body: { value: "back", tags: { x: "y" } } });
  });

  it("refuses a secret that is there", async () => {
    const { call } = await openVault();
    await call("PUT", "/secrets/a", { value: "x" });
    expect(await call("POST", "/deletedsecrets/a/recover")).toMatchObject(
      refusal(400, "MethodNotAllowed", "Secret exists already: a", "RequestNotAllowedOnNonDeletedObject"),
    );
  });
});
