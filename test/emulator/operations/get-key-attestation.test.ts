import { expect, it } from "vitest";
import { openVault, refusal } from "../open-vault.js";

const hsm = { vaults: [{ name: "hsm", plane: "managedhsm" as const }] };
const attestation = { version: "EMULATOR-1", publicKeyAttestation: expect.stringMatching(/^[\w-]+$/) };

it("has the form of one, for the current version and for one that is named", async () => {
  const { call } = await openVault(hsm);
  const { key } = (await call("POST", "/keys/a/create", { kty: "EC" })).body as { key: { kid: string } };
  await call("POST", "/keys/a/create", { kty: "RSA" });
  const current = await call("GET", "/keys/a/attestation", undefined, { apiVersion: "7.6" });
  expect(current).toMatchObject({ status: 200, body: { key: { kty: "RSA-HSM" }, attributes: { attestation } } });
  const path = `${new URL(key.kid).pathname}/attestation`;
  const named = await call("GET", path, undefined, { apiVersion: "2025-07-01" });
  expect(named).toMatchObject({ status: 200, body: { key, attributes: { enabled: true, attestation } } });
  expect((await call("GET", "/keys/a", undefined, { apiVersion: "7.6" })).text).not.toContain("attestation");
});

it("is of hardware only, and of keys that are there", async () => {
  const { call } = await openVault();
  await call("POST", "/keys/a/create", { kty: "EC" });
  const soft = await call("GET", "/keys/a/attestation", undefined, { apiVersion: "7.6" });
  expect(soft.body.attributes).not.toHaveProperty("attestation");
  expect(await call("GET", "/keys/b/attestation", undefined, { apiVersion: "7.6" })).toMatchObject(
    refusal(404, "KeyNotFound"),
  );
});

it("is a version that no key has before api-version 7.6", async () => {
  const { call } = await openVault();
  await call("POST", "/keys/a/create", { kty: "EC-HSM" });
  expect(await call("GET", "/keys/a/attestation")).toMatchObject(
    refusal(404, "KeyNotFound", /^A key with \(name\/id\) a\/attestation was not found/),
  );
});
