import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import fc from "fast-check";
import forge from "node-forge";
import { expect, test } from "vitest";
import { readKeyMaterial } from "../../provider/material/key-material.js";
import { MaterialError } from "../../provider/material/material-error.js";
import { INPUTS, SEED, SHARES } from "../generated/generated-run.js";
import { ownTimeSince } from "./own-time.js";
import { canaries, ecKey, jwkOf, pemOf, rsaKey } from "./sample-keys.js";

const count = Math.ceil(INPUTS * SHARES.material);
const milliseconds = 50;
/** A key derivation is done where a passphrase is given: its limit is SECURITY.md's, some seconds. */
const millisecondsOfDerivation = 10_000;

const passphrase = "canary-pass";
const rsa = jwkOf(rsaKey());
const ec = jwkOf(ecKey());
const secrets = [...canaries(rsa), ...canaries(ec), passphrase];

function pfx(algorithm: "3des" | "aes256"): Buffer {
  // The library takes null for "no certificate", which its types do not know.
  const none = null as unknown as forge.pki.Certificate;
  const key = forge.pki.privateKeyFromPem(pemOf(rsaKey(), "pkcs1"));
  const root = forge.pkcs12.toPkcs12Asn1(key, none, passphrase, { algorithm, count: 8 });
  return Buffer.from(forge.asn1.toDer(root).getBytes(), "latin1");
}

const protection = { cipher: "aes-256-cbc", passphrase } as const;
const { n, e, d } = rsa;
const samples: Buffer[] = [
  pemOf(rsaKey()),
  pemOf(rsaKey(), "pkcs1"),
  pemOf(ecKey()),
  pemOf(ecKey("P-521"), "sec1"),
  pemOf(ecKey()).replaceAll("\n", "\\n"),
  pemOf(rsaKey()) + pemOf(ecKey()),
  ecKey().export({ type: "pkcs8", format: "pem", ...protection }),
  ecKey().export({ type: "sec1", format: "pem", ...protection }),
  rsaKey().export({ type: "pkcs8", format: "der" }),
  rsaKey().export({ type: "pkcs1", format: "der" }),
  ecKey().export({ type: "sec1", format: "der" }),
  ecKey().export({ type: "pkcs8", format: "der", ...protection }),
  ecKey().export({ type: "pkcs8", format: "der" }).toString("base64"),
  JSON.stringify(rsa),
  JSON.stringify({ kty: "RSA", n, e, d }),
  JSON.stringify(ec),
  JSON.stringify({ kty: "oct", k: "A".repeat(43) }),
  JSON.stringify({
    schema_version: "1.0.0",
    header: { kid: "https://v.vault.azure.net/keys/kek/0", alg: "dir", enc: "CKM_RSA_AES_KEY_WRAP" },
    ciphertext: "A".repeat(800),
  }),
  pfx("3des"),
  pfx("aes256"),
].map((sample) => Buffer.from(sample as string));

type Change = { at: number; kind: "flip" | "set" | "insert" | "remove" | "repeat" | "cut"; bytes: Uint8Array };

const change: fc.Arbitrary<Change> = fc.record({
  at: fc.double({ min: 0, max: 0.9999, noNaN: true }),
  kind: fc.constantFrom("flip", "set", "insert", "remove", "repeat", "cut"),
  bytes: fc.oneof(
    fc.uint8Array({ minLength: 1, maxLength: 8 }),
    fc.constantFrom(
      ...["ff", "00", "80", "3080", "0284ffffffff", "30820100", "04", "7f"].map((hex) => Buffer.from(hex, "hex")),
    ),
    fc.constantFrom(
      ...["\\n", "-----", '"', "{", "=", " ", "\uFEFF", "null", "1e999"].map((text) => Buffer.from(text)),
    ),
  ),
});

function changed(sample: Uint8Array, { at, kind, bytes }: Change): Buffer {
  const from = Math.floor(at * sample.length);
  const [before, after] = [sample.subarray(0, from), sample.subarray(from)];
  switch (kind) {
    case "flip":
      return Buffer.concat([
        before,
        after.subarray(0, 1).map((byte) => byte ^ (1 << ((bytes[0] ?? 0) & 7))),
        after.subarray(1),
      ]);
    case "set":
      return Buffer.concat([before, bytes, after.subarray(bytes.length)]);
    case "insert":
      return Buffer.concat([before, bytes, after]);
    case "remove":
      return Buffer.concat([before, after.subarray(bytes[0] ?? 1)]);
    case "repeat":
      return Buffer.concat([before, after, after]);
    case "cut":
      return Buffer.from(before);
  }
}

const mutated = fc
  .tuple(fc.constantFrom(...samples), fc.array(change, { maxLength: 4 }))
  .map(([sample, changes]) => changes.reduce<Buffer>(changed, sample));
const spliced = fc
  .tuple(fc.constantFrom(...samples), fc.constantFrom(...samples), fc.double({ min: 0, max: 1, noNaN: true }))
  .map(([a, b, at]) => Buffer.concat([a.subarray(0, a.length * at), b.subarray(b.length * at)]));
const random = fc.oneof(
  fc.uint8Array({ maxLength: 2000 }).map((bytes) => Buffer.from(bytes)),
  fc.string({ unit: "binary", maxLength: 500 }).map((text) => Buffer.from(text)),
  fc.json({ maxDepth: 6 }).map((text) => Buffer.from(text)),
);
const content = fc.oneof(
  { weight: 6, arbitrary: mutated },
  { weight: 1, arbitrary: spliced },
  { weight: 1, arbitrary: random },
);
const options = fc.record(
  {
    passphrase: fc.constantFrom(passphrase, "", "wrong"),
    kind: fc.constantFrom("jwk", "pem", "pfx", "byok"),
    hardwareProtected: fc.boolean(),
    keyType: fc.constantFrom("RSA", "EC-HSM", "oct", "x"),
    curve: fc.constantFrom("P-256", "SECP256K1", "x"),
  },
  { requiredKeys: [] },
);

/** What comes of it; how long it took is this thread's own time, in the best of eight, since others work on this machine, too. */
function run(bytes: Buffer, given: Parameters<typeof readKeyMaterial>[1], asText: boolean, limit: number): unknown {
  let [took, outcome]: [number, unknown] = [Number.POSITIVE_INFINITY, undefined];
  for (let attempt = 0; attempt < 8 && took > limit; attempt++) {
    const start = process.threadCpuUsage();
    try {
      outcome = readKeyMaterial(asText ? bytes.toString("utf8") : bytes, given);
    } catch (error) {
      outcome = error;
    }
    took = Math.min(took, ownTimeSince(start));
  }
  if (took > limit) throw new Error(`took ${Math.round(took)} ms`);
  return outcome;
}

/** Without the counterexample, which is a private key: seed and path bring it back. */
function reporter<T>({ failed, seed: used, counterexamplePath, errorInstance }: fc.RunDetails<T>): void {
  if (failed) throw new Error(`seed ${used}, path ${counterexamplePath}`, { cause: errorInstance });
}

function heapInUse(): number {
  setFlagsFromString("--expose-gc");
  runInNewContext("gc")();
  return process.memoryUsage().heapUsed;
}

test(
  `${count.toLocaleString("en-US")} changed and random inputs each give material or a coded error, at once, and say no secret`,
  () => {
    const property = fc.property(content, options, fc.boolean(), (bytes, given, asText) => {
      const limit = "passphrase" in given ? millisecondsOfDerivation : milliseconds;
      const outcome = run(bytes, given, asText, limit);
      if (!(outcome instanceof Error)) {
        expect(outcome).toHaveProperty("thumbprint");
        return;
      }
      if (!(outcome instanceof MaterialError)) throw outcome;
      expect(outcome.code).toBe("KV_INVALID_KEY_MATERIAL");
      expect(outcome.problems.length).toBeGreaterThan(0);
      const printed = `${outcome.message}\n${outcome.stack}`;
      if (secrets.some((secret) => printed.includes(secret))) throw new Error("a secret is in an error");
    });
    // Whatever is loaded or kept once is there after these.
    fc.assert(property, { numRuns: 300, seed: SEED + 1, reporter });
    const before = heapInUse();
    fc.assert(property, { numRuns: count, seed: SEED, reporter });
    expect(heapInUse() - before).toBeLessThan(20 * 1024 * 1024);
  },
  Math.max(60_000, count * 20),
);
