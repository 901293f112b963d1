import { createSign, createVerify } from "node:crypto";
import { KeyClient } from "@azure/keyvault-keys";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { type Emulator, startEmulator } from "../../emulator/index.js";
import { askedOperations } from "../emulator/asked-requests.js";
import { ecKey, rsaKey } from "../engine/demo-keys.js";
import { owned } from "../engine/owned-tags.js";
import { identity, nextEngineRun, startEngineRun } from "./engine-run.js";
import { key } from "./providers.js";

const material = rsaKey();
const other = rsaKey();
const DAY = 86_400_000;

type Arguments = Record<string, unknown>;
type State = { inputs: Arguments; outs: Arguments };

describe("a key in state", () => {
  let vault: Emulator;
  let id: string;

  beforeEach(async () => {
    vault = await startEmulator();
    id = `${vault.url}/keys/orders`;
    startEngineRun(vault);
  });
  afterEach(() => vault.close());

  const checked = async (olds: Arguments, args: Arguments): Promise<Arguments> => {
    const { inputs, failures } = await key.check(olds, { ...identity(), vaultUrl: vault.url, name: "orders", ...args });
    expect(failures).toEqual([]);
    return inputs;
  };
  const created = async (args: Arguments): Promise<State> => {
    const inputs = await checked({}, args);
    const { outs } = await key.create(inputs);
    vault.requests.clear();
    return { inputs, outs };
  };
  const updated = async (state: State, args: Arguments): Promise<State> => {
    const inputs = await checked(state.inputs, args);
    vault.requests.clear();
    const { outs } = await key.update(id, state.outs, inputs);
    return { inputs, outs };
  };
  const refreshed = async (state: State): Promise<State> => {
    const { inputs, props } = await key.read(id, state.outs);
    return { inputs: inputs ?? {}, outs: props };
  };
  const operations = (): string[] => askedOperations(vault);
  const official = () =>
    new KeyClient(vault.url, vault.credential, {
      disableChallengeResourceVerification: true,
      allowInsecureConnection: true,
    });

  describe("gets from a changed program", () => {
    it.each<[string, Arguments, Arguments, string[]]>([
      ["a patch for tags", { tags: { a: "1" } }, { tags: { b: "2" } }, ["getKey", "updateKey"]],
      ["a patch for tags that go", { tags: { a: "1" } }, {}, ["getKey", "updateKey"]],
      ["a patch for enabled", {}, { enabled: false }, ["updateKey"]],
      [
        "a patch for an expiry that moves",
        { expiresOn: "2090-01-01T00:00:00Z" },
        { expiresOn: "2091-01-01T00:00:00Z" },
        ["updateKey"],
      ],
      ["a patch for operations", {}, { keyOps: ["sign", "verify"] }, ["updateKey"]],
      ["a patch for operations that go back to the default", { keyOps: ["sign"] }, {}, ["updateKey"]],
      ["a version for an expiry that goes", { expiresOn: "2090-01-01T00:00:00Z" }, {}, ["getKey", "importKey"]],
      ["a version for an HSM", {}, { hardwareProtected: true }, ["getKey", "importKey"]],
      ["a policy for rotation", {}, { rotationPolicy: { rotateAfter: "P90D" } }, ["updateKeyRotationPolicy"]],
      [
        "the default policy where rotation goes",
        { rotationPolicy: { rotateAfter: "P90D" } },
        {},
        ["updateKeyRotationPolicy"],
      ],
      ["nothing for behaviour", {}, { onDelete: "retain", ifSoftDeleted: "fail", timeouts: { create: "5m" } }, []],
    ])("%s", async (_what, before, after, expected) => {
      const source = { import: { pem: material.pkcs8 } };
      const state = await updated(await created({ ...source, ...before }), { ...source, ...after });
      expect(operations()).toEqual(expected);
      const again = await refreshed(state);
      expect(withoutProvider(again.inputs)).toEqual(withoutProvider(state.inputs));
    });

    it("a version with everything that belongs to it for new material", async () => {
      const options = { tags: { a: "1" }, expiresOn: "2090-01-01T00:00:00Z", keyOps: ["sign", "verify"] };
      const before = await created({ import: { pem: material.pkcs8 }, ...options });
      const state = await updated(before, { import: { pem: other.pkcs8 }, ...options });
      expect(operations()).toEqual(["getKey", "importKey"]);
      expect(state.outs.version).not.toBe(before.outs.version);
      const now = await official().getKey("orders");
      expect(now.properties.tags).toEqual(owned({ a: "1" }));
      expect(now.keyOperations).toEqual(expect.arrayContaining(["sign", "verify"]));
    });

    it("a version for keepers of a generated key", async () => {
      const before = await created({ generate: { keyType: "EC", keepers: { year: "2026" } } });
      const state = await updated(before, { generate: { keyType: "EC", keepers: { year: "2027" } } });
      expect(operations()).toEqual(["getKey", "createKey"]);
      expect(state.outs.version).not.toBe(before.outs.version);
    });

    it("a patch of the version that it knows, so that a key swapped meanwhile still shows", async () => {
      const before = await created({ import: { pem: material.pkcs8 } });
      await official().importKey("orders", jwkOf(other));
      const state = await updated(before, { import: { pem: material.pkcs8 }, tags: { a: "1" } });
      expect((await refreshed(state)).inputs.thumbprint).not.toBe(state.inputs.thumbprint);
    });

    it("nothing for a program that now adopts what it imported", async () => {
      const before = await created({ import: { pem: material.pkcs8 } });
      await updated(before, { adopt: true });
      expect(operations()).toEqual([]);
    });
  });

  describe("tells what left the recorded state", () => {
    const drifted = async (state: State): Promise<Arguments> => {
      const observed = (await refreshed(state)).inputs;
      const changed = Object.keys({ ...observed, ...state.inputs }).filter(
        (property) => JSON.stringify(observed[property]) !== JSON.stringify(state.inputs[property]),
      );
      return Object.fromEntries(changed.map((property) => [property, observed[property]]));
    };

    it("nothing of a key that nobody touched", async () => {
      expect(await drifted(await created({ import: { jwk: ecKey("secp256k1").jwk } }))).toEqual({});
    });

    it("disabled, tags, expiry and operations, each by name", async () => {
      const state = await created({ import: { pem: material.pkcs8 } });
      await official().updateKeyProperties("orders", {
        enabled: false,
        tags: { by: "hand" },
        expiresOn: new Date("2037-01-01T00:00:00Z"),
        keyOps: ["sign"],
      });
      expect(await drifted(state)).toEqual({
        enabled: false,
        tags: { by: "hand" },
        expiresOn: "2037-01-01T00:00:00Z (set outside)",
        keyOps: ["sign"],
      });
    });

    it("another key, by its thumbprint, also when it was recorded by a refresh before", async () => {
      const state = await created({ import: { pem: material.pkcs8 } });
      await official().importKey("orders", jwkOf(other));
      const { thumbprint } = await drifted(state);
      expect(thumbprint).toMatch(/^[\w-]{43} instead of [\w-]{43}$/);
      const recorded = await refreshed(state);
      const sealed = await checked((await refreshed(recorded)).inputs, { import: { file: "nowhere.pem" } });
      expect(sealed.thumbprint).toBe(state.inputs.thumbprint);
    });

    it("the same key imported once more, by its version", async () => {
      const state = await created({ import: { pem: material.pkcs8 } });
      await official().importKey("orders", jwkOf(material));
      expect(await drifted(state)).toEqual({ version: expect.stringMatching(/^[0-9a-f]{32}$/) });
    });

    it("a version of a generated key that was made by hand, which the next up follows with one of its own", async () => {
      const state = await created({ generate: { keyType: "EC" } });
      await official().rotateKey("orders");
      const observed = await refreshed(state);
      expect(observed.inputs.version).toMatch(/^[0-9a-f]{32}$/);
      const repaired = await updated(observed, { generate: { keyType: "EC" } });
      expect(operations()).toEqual(["getKey", "createKey"]);
      expect(withoutProvider((await refreshed(repaired)).inputs)).toEqual(withoutProvider(repaired.inputs));
    });

    it("no version that its rotation policy made, and takes it as the current one", async () => {
      const args = {
        generate: { keyType: "EC" },
        rotationPolicy: { rotateAfter: "P90D", expireAfter: "P1Y" },
        expiresOn: "2090-01-01T00:00:00Z",
      };
      const state = await created(args);
      vault.clock.advance(91 * DAY);
      const after = await refreshed(state);
      expect(after.outs.version).not.toBe(state.outs.version);
      expect(withoutProvider(after.inputs)).toEqual(withoutProvider(state.inputs));
      await updated(after, args);
      expect(operations()).toEqual([]);
      expect(withoutProvider((await refreshed(after)).inputs)).toEqual(withoutProvider(state.inputs));
    });

    it("a version made by hand before the policy was due", async () => {
      const state = await created({ generate: { keyType: "EC" }, rotationPolicy: { rotateAfter: "P90D" } });
      vault.clock.advance(10 * DAY);
      await official().rotateKey("orders");
      expect(await drifted(state)).toEqual({ version: expect.stringMatching(/^[0-9a-f]{32}$/) });
    });

    it("a rotation policy that was changed", async () => {
      const state = await created({ generate: { keyType: "EC" }, rotationPolicy: { rotateAfter: "P90D" } });
      await official().updateKeyRotationPolicy("orders", {
        lifetimeActions: [{ action: "Rotate", timeAfterCreate: "P30D" }],
      });
      expect(await drifted(state)).toEqual({ rotationPolicy: { rotateAfter: "P30D" } });
    });

    it("that the key is gone only where the vault says so", async () => {
      const state = await created({ generate: { keyType: "EC" } });
      for (const fault of [
        { kind: "status", status: 403 },
        { kind: "status", status: 500 },
      ] as const) {
        vault.faults.add({ ...fault, operation: "getKey" });
        await expect(key.read(id, { ...state.outs, timeouts: { read: "1s" } })).rejects.toThrow();
        vault.faults.clear();
      }
      await official().beginDeleteKey("orders");
      const told = vi.spyOn(process.stdout, "write").mockReturnValue(true);
      expect(await key.read(id, state.outs)).toMatchObject({ id: "" });
      expect(told.mock.calls.join()).toMatch(/"orders" .* is soft-deleted since .* can be recovered until/);
      told.mockRestore();
    });
  });

  describe("goes as its onDelete says", () => {
    const gone = async (onDelete: string, extra: Arguments = {}): Promise<string[]> => {
      const state = await created({ generate: { keyType: "EC" }, onDelete, ...extra });
      nextEngineRun();
      await key.delete(id, state.outs);
      return operations();
    };

    it("retain: no request", async () => {
      expect(await gone("retain")).toEqual([]);
    });

    it("disable: disabled and there", async () => {
      expect(await gone("disable")).toEqual(["getKey", "updateKey"]);
      expect((await official().getKey("orders")).properties.enabled).toBe(false);
    });

    it("delete: deleted and recoverable", async () => {
      expect(await gone("delete")).toEqual(["getKey", "deleteKey"]);
      expect((await official().getDeletedKey("orders")).name).toBe("orders");
    });

    it("purge: gone for good", async () => {
      expect(await gone("purge")).toEqual(["getKey", "deleteKey", "purgeDeletedKey"]);
      await expect(official().getDeletedKey("orders")).rejects.toMatchObject({ statusCode: 404 });
    });

    it("a key that is gone already is done", async () => {
      const state = await created({ generate: { keyType: "EC" }, onDelete: "purge" });
      nextEngineRun();
      await key.delete(id, state.outs);
      nextEngineRun();
      await key.delete(id, state.outs);
    });
  });

  it("verifies with the vault's public key what the local private key signed", async () => {
    for (const pair of [rsaKey(), rsaKey(3072), ecKey(), ecKey("secp384r1"), ecKey("secp521r1"), ecKey("secp256k1")]) {
      const { outs } = await created({ import: { pem: pair.pkcs8 }, name: `k-${Math.abs(hash(pair.pkcs8))}` });
      const { publicKeyPem } = await import("../../provider/material/public-key.js");
      const { recordedPublicJwk } = await import("../../provider/key/key-outputs.js");
      const signature = createSign("sha256").update("a message").sign(pair.key);
      const pem = publicKeyPem(recordedPublicJwk(outs)) ?? "";
      expect(createVerify("sha256").update("a message").verify(pem, signature)).toBe(true);
    }
  });
});

function withoutProvider({ __provider: _p, ...rest }: Arguments): Arguments {
  return JSON.parse(JSON.stringify(rest));
}

function jwkOf(pair: { jwk: Record<string, string> }) {
  const bytes = (member: string) => new Uint8Array(Buffer.from(pair.jwk[member] ?? "", "base64url"));
  return {
    kty: "RSA" as const,
    n: bytes("n"),
    e: bytes("e"),
    d: bytes("d"),
    p: bytes("p"),
    q: bytes("q"),
    dp: bytes("dp"),
    dq: bytes("dq"),
    qi: bytes("qi"),
  };
}

function hash(text: string): number {
  return [...text].reduce((sum, character) => (sum * 31 + character.charCodeAt(0)) | 0, 7);
}
