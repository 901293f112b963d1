import { generateKeyPairSync } from "node:crypto";
import { describe, expect, it } from "vitest";
import { KeyPolicyFacts, SecretPolicyFacts } from "../../sdk/policy-facts.js";

const modulus = (bits: number): string =>
  generateKeyPairSync("rsa", { modulusLength: bits }).publicKey.export({ format: "jwk" }).n ?? "";

describe("what a policy can ask about a key", () => {
  it("is whether it expires: by itself, as it was found, or by its rotation policy", () => {
    expect(new KeyPolicyFacts({}).expires).toBe(false);
    expect(new KeyPolicyFacts({ expiresOn: "2090-01-01T00:00:00Z" }).expires).toBe(true);
    expect(new KeyPolicyFacts({ adopt: true, found: { expiresOn: "2090-01-01T00:00:00Z" } }).expires).toBe(true);
    expect(new KeyPolicyFacts({ rotationPolicy: { expireAfter: "P1Y" } }).expires).toBe(true);
    expect(new KeyPolicyFacts({ rotationPolicy: { rotateAfter: "P90D" } })).toMatchObject({
      expires: false,
      rotates: true,
    });
  });

  it("is the size of an RSA key, by what is to be made or by what is there", () => {
    expect(new KeyPolicyFacts({ generate: { keyType: "RSA" } }).rsaSize).toBe(2048);
    expect(new KeyPolicyFacts({ generate: { keyType: "RSA-HSM", keySize: 4096 } }).rsaSize).toBe(4096);
    expect(new KeyPolicyFacts({ generate: { keyType: "EC" } }).rsaSize).toBeUndefined();
    expect(new KeyPolicyFacts({ thumbprint: "abc" }).rsaSize).toBeUndefined();
    expect(new KeyPolicyFacts({ keyType: "RSA", publicKey: { n: modulus(2048) } }).rsaSize).toBe(2048);
  });

  it("is what becomes of it, with the defaults", () => {
    expect(new KeyPolicyFacts({})).toMatchObject({ onDelete: "delete", enabled: true });
    expect(new KeyPolicyFacts({ onDelete: "purge", enabled: false })).toMatchObject({
      onDelete: "purge",
      enabled: false,
    });
    expect(new SecretPolicyFacts({ onDelete: "retain" })).toMatchObject({ onDelete: "retain", expires: false });
  });

  it("asks for a property only when it is asked itself: in a preview others may not be known", () => {
    const unknown = (): never => {
      throw new Error("not known in a preview");
    };
    const props = Object.defineProperty({ onDelete: "purge" }, "name", { get: unknown });
    const facts = new KeyPolicyFacts(props);
    expect(facts.onDelete).toBe("purge");
    expect(() => facts.name).toThrow("not known");
  });
});
