import { calculateJwkThumbprint } from "jose";
import { expect, test } from "vitest";
import { readKeyMaterial } from "../../provider/material/key-material.js";
import { publicThumbprint } from "../../provider/material/thumbprint.js";
import { ecKey, jwkOf, rsaKey, secpNames } from "./sample-keys.js";

const rsa = jwkOf(rsaKey());

test("an RSA thumbprint equals jose's", async () => {
  expect(publicThumbprint({ kty: "RSA", n: rsa.n ?? "", e: rsa.e ?? "" })).toBe(await calculateJwkThumbprint(rsa));
});

test.each(secpNames)("an EC thumbprint on %s equals jose's", async (curve) => {
  const jwk = jwkOf(ecKey(curve));
  const vaultCurve = curve === "secp256k1" ? "P-256K" : curve;
  const returned = { kty: "EC", crv: vaultCurve, x: jwk.x ?? "", y: jwk.y ?? "" };
  expect(publicThumbprint(returned)).toBe(await calculateJwkThumbprint(jwk));
  expect(publicThumbprint({ ...returned, kty: "EC-HSM" })).toBe(await calculateJwkThumbprint(jwk));
});

test("the material and what the vault returns of it have one thumbprint", () => {
  const { kty: _, ...numbers } = rsa;
  const thumbprint = publicThumbprint({ kty: "RSA-HSM", n: rsa.n ?? "", e: rsa.e ?? "" });
  expect(readKeyMaterial(JSON.stringify({ kty: "RSA", ...numbers })).thumbprint).toBe(thumbprint);
  expect(readKeyMaterial(JSON.stringify({ kty: "RSA-HSM", ...numbers })).thumbprint).toBe(thumbprint);
});

test("a sign byte before the modulus or a coordinate does not change the thumbprint", () => {
  const signed = (text = "") => Buffer.concat([Buffer.of(0), Buffer.from(text, "base64url")]).toString("base64url");
  const ec = jwkOf(ecKey());
  expect(publicThumbprint({ kty: "RSA", n: signed(rsa.n), e: "AAEAAQ" })).toBe(
    publicThumbprint({ kty: "RSA", n: rsa.n ?? "", e: "AQAB" }),
  );
  expect(publicThumbprint({ kty: "EC", crv: "P-256", x: signed(ec.x), y: signed(ec.y) })).toBe(
    publicThumbprint({ kty: "EC", crv: "P-256", x: ec.x ?? "", y: ec.y ?? "" }),
  );
});

test("a coordinate whose leading zero was stripped is padded before it is hashed", () => {
  const padded = { kty: "EC", crv: "P-256", x: `AAE${"A".repeat(40)}`, y: `AQ${"A".repeat(41)}` };
  const stripped = Buffer.from(padded.x, "base64url").subarray(1).toString("base64url");
  expect(publicThumbprint({ ...padded, x: stripped })).toBe(publicThumbprint(padded));
});

test("SECP256K1 and P-256K are one curve", () => {
  const { x = "", y = "" } = jwkOf(ecKey("secp256k1"));
  expect(publicThumbprint({ kty: "EC", crv: "SECP256K1", x, y })).toBe(
    publicThumbprint({ kty: "EC", crv: "P-256K", x, y }),
  );
});

test("a key without a public half, or of a type that is not known, has no public thumbprint", () => {
  expect(publicThumbprint({ kty: "oct-HSM" })).toBeUndefined();
  expect(publicThumbprint({ kty: "ML-DSA", n: "AQAB", e: "AQAB" })).toBeUndefined();
  expect(publicThumbprint({ kty: "RSA-HSM" })).toBeUndefined();
});
