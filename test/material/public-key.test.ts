import { execFileSync } from "node:child_process";
import { createPublicKey, sign, verify } from "node:crypto";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, test } from "vitest";
import { publicKeyJwk, publicKeyOpenSsh, publicKeyPem } from "../../provider/material/public-key.js";
import { ecKey, jwkOf, rsaKey, secpNames } from "./sample-keys.js";

const rsa = jwkOf(rsaKey());
const returnedRsa = { kty: "RSA-HSM", n: rsa.n ?? "", e: rsa.e ?? "" };
const hasSshKeygen = runs("ssh-keygen", ["-?"]);

function returnedEc(curve: string) {
  const { x = "", y = "" } = jwkOf(ecKey(curve));
  return { kty: "EC", crv: curve === "secp256k1" ? "SECP256K1" : curve, x, y };
}

/** Any exit code will do: only a missing program fails to start. */
function runs(program: string, args: string[]): boolean {
  try {
    execFileSync(program, args, { stdio: "ignore" });
    return true;
  } catch (error) {
    return !(error instanceof Error && "code" in error && error.code === "ENOENT");
  }
}

test("the PEM of an RSA key verifies what the private key signed", () => {
  const signature = sign("sha256", Buffer.from("message"), rsaKey());
  expect(verify("sha256", Buffer.from("message"), publicKeyPem(returnedRsa) ?? "", signature)).toBe(true);
});

test.each(secpNames)("the PEM of an EC key on %s verifies what the private key signed", (curve) => {
  const signature = sign("sha256", Buffer.from("message"), ecKey(curve));
  const pem = publicKeyPem(returnedEc(curve)) ?? "";
  expect(pem).toMatch(/^-----BEGIN PUBLIC KEY-----\n/);
  expect(verify("sha256", Buffer.from("message"), pem, signature)).toBe(true);
});

test("the JWK has JOSE's names and no other members than the public ones", () => {
  expect(publicKeyJwk(returnedRsa)).toEqual({ kty: "RSA", n: rsa.n, e: "AQAB" });
  expect(publicKeyJwk({ ...returnedEc("secp256k1"), kty: "EC-HSM" })).toEqual({
    ...returnedEc("secp256k1"),
    crv: "secp256k1",
  });
});

test("OpenSSH has no type for secp256k1", () => {
  expect(publicKeyOpenSsh(returnedEc("secp256k1"))).toBeUndefined();
});

test("the OpenSSH line names the type first and the comment last, on one line", () => {
  expect(publicKeyOpenSsh(returnedRsa)).toMatch(/^ssh-rsa AAAAB3NzaC1yc2EAAAADAQABAAABAQ[A-Za-z0-9+/]+={0,2}$/);
  expect(publicKeyOpenSsh(returnedEc("P-384"), "two\nlines")).toMatch(/^ecdsa-sha2-nistp384 \S+ two lines$/);
});

test.skipIf(!hasSshKeygen)(
  `ssh-keygen reads the OpenSSH lines back${hasSshKeygen ? "" : " (skipped: no ssh-keygen)"}`,
  () => {
    const folder = mkdtempSync(join(tmpdir(), "openssh-"));
    try {
      for (const returned of [returnedRsa, returnedEc("P-256"), returnedEc("P-384"), returnedEc("P-521")]) {
        const file = join(folder, "key.pub");
        writeFileSync(file, `${publicKeyOpenSsh(returned, "comment")}\n`);
        const pem = execFileSync("ssh-keygen", ["-e", "-m", "PKCS8", "-f", file]).toString();
        const expected = createPublicKey(publicKeyPem(returned) ?? "");
        expect(createPublicKey(pem).equals(expected)).toBe(true);
      }
    } finally {
      rmSync(folder, { recursive: true });
    }
  },
);

test("what is no key, has no public half or is not known, has no public formats", () => {
  for (const jwk of [
    { kty: "oct-HSM" },
    { kty: "EC", crv: "P-999", x: "AQAB", y: "AQAB" },
    { kty: "EC", crv: "P-256", x: "_".repeat(60), y: "AQAB" },
    { kty: "RSA", n: "", e: "AQAB" },
  ]) {
    expect([publicKeyJwk(jwk), publicKeyPem(jwk), publicKeyOpenSsh(jwk)]).toEqual([undefined, undefined, undefined]);
  }
  expect(publicKeyPem({ kty: "EC", crv: "P-256", x: "AQAB", y: "AQAB" })).toBeUndefined();
});
