import { execFileSync } from "node:child_process";
import { createDecipheriv, createPublicKey, type KeyObject, randomBytes, sign, verify } from "node:crypto";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { CryptographyClient, type JsonWebKey, KeyClient } from "@azure/keyvault-keys";
import forge from "node-forge";
import { afterAll, afterEach, beforeEach, describe, expect, it } from "vitest";
import { transferBlob } from "../../conformance/transfer-blob.js";
import { type Emulator, startEmulator } from "../../emulator/index.js";
import { ecKey, type PrivateKey, rsaKey } from "../engine/demo-keys.js";
import { type Arguments, DrivenResource } from "./driven-resource.js";
import { nextEngineRun } from "./engine-run.js";
import { key, keyBackup } from "./providers.js";

const PASSPHRASE = "a passphrase that must not show: 0c44e1";
const MESSAGE = Buffer.from("a message");
const folder = mkdtempSync(join(tmpdir(), "sources-"));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const ALGORITHMS: Record<string, { name: string; hash: string }> = {
  RSA: { name: "PS256", hash: "sha256" },
  "P-256": { name: "ES256", hash: "sha256" },
  "P-384": { name: "ES384", hash: "sha384" },
  "P-521": { name: "ES512", hash: "sha512" },
  secp256k1: { name: "ES256K", hash: "sha256" },
};
const algorithmOf = ({ jwk }: PrivateKey) => ALGORITHMS[jwk.crv ?? "RSA"] ?? { name: "", hash: "" };
const clientOptions = { disableChallengeResourceVerification: true, allowInsecureConnection: true };

const file = (name: string, content: string | Uint8Array): string => {
  writeFileSync(join(folder, name), content);
  return join(folder, name);
};

function legacyPfx({ key: pair }: PrivateKey): string {
  const pem = forge.pki.privateKeyFromPem(pair.export({ type: "pkcs1", format: "pem" }).toString());
  const certificate = forge.pki.createCertificate();
  certificate.publicKey = forge.pki.setRsaPublicKey(pem.n, pem.e);
  certificate.sign(pem, forge.md.sha256.create());
  const pfx = forge.pkcs12.toPkcs12Asn1(pem, certificate, PASSPHRASE, { algorithm: "3des" });
  return Buffer.from(forge.asn1.toDer(pfx).getBytes(), "latin1").toString("base64");
}

/** As the OpenSSL of this machine writes it: AES-256, here without a certificate. */
function currentPfx({ pkcs8 }: PrivateKey): { file: string } {
  const path = join(folder, `${randomBytes(4).toString("hex")}.pfx`);
  const options = ["-export", "-nocerts", "-inkey", file("to-pfx.pem", pkcs8), "-out", path];
  execFileSync("openssl", ["pkcs12", ...options, "-passout", `pass:${PASSPHRASE}`], { stdio: "ignore" });
  return { file: path };
}

const encrypted = ({ key: pair }: PrivateKey): string =>
  pair.export({ type: "pkcs8", format: "pem", cipher: "aes-256-cbc", passphrase: PASSPHRASE }).toString();

type Source = (material: PrivateKey) => Arguments;

/** Each kind of source and each type of key at least once. */
const imports: [string, () => PrivateKey, Source][] = [
  [
    "RSA 2048 in PKCS#1 with CRLF and a line before",
    rsaKey,
    ({ key: pair }) => ({
      pem: `Key:\r\n${pair.export({ type: "pkcs1", format: "pem" }).toString().replaceAll("\n", "\r\n")}`,
    }),
  ],
  [
    "RSA 3072 in a legacy PFX with a certificate",
    () => rsaKey(3072),
    (material) => ({ pfx: legacyPfx(material), passphrase: PASSPHRASE }),
  ],
  ["RSA 4096 as JWK", () => rsaKey(4096), ({ jwk }) => ({ jwk })],
  ["P-256 in encrypted PKCS#8", () => ecKey(), (material) => ({ pem: encrypted(material), passphrase: PASSPHRASE })],
  [
    "P-384 in a PFX of today without a certificate",
    () => ecKey("secp384r1"),
    (material) => ({ ...currentPfx(material), passphrase: PASSPHRASE }),
  ],
  [
    "P-521 in SEC1",
    () => ecKey("secp521r1"),
    ({ key: pair }) => ({ pem: pair.export({ type: "sec1", format: "pem" }).toString() }),
  ],
  ["P-256K as a JWK in a file", () => ecKey("secp256k1"), ({ jwk }) => ({ file: file("k.json", JSON.stringify(jwk)) })],
];

/** A vault, an empty one that takes its backups, and all that was ever in state. */
class Vaults {
  readonly states: unknown[] = [];

  private constructor(
    readonly here: Emulator,
    readonly there: Emulator,
    readonly host: string,
  ) {}

  static async start(plane: "vault" | "managedhsm"): Promise<Vaults> {
    const vaults = [{ name: "contoso", plane }];
    const host = plane === "vault" ? "127.0.0.1" : "contoso.managedhsm.localhost";
    return new Vaults(await startEmulator({ vaults }), await startEmulator({ vaults }), host);
  }

  resource(vault: Emulator): DrivenResource {
    return new DrivenResource(key, vault, { vaultUrl: `http://${this.host}:${vault.port}`, name: "orders" });
  }

  client(vault: Emulator): KeyClient {
    return new KeyClient(vault.url, vault.credential, clientOptions);
  }

  async cryptography(vault: Emulator): Promise<{ jwk: JsonWebKey; client: CryptographyClient }> {
    const { key: jwk = {}, properties } = await this.client(vault).getKey("orders");
    const id = `${vault.url}/keys/orders/${properties.version}`;
    return { jwk, client: new CryptographyClient(id, vault.credential, clientOptions) };
  }

  async close(): Promise<void> {
    await this.here.close();
    await this.there.close();
  }

  /**
   * Takes a key through import, refresh, backup, restore elsewhere, deletion and recovery; `works` is asked at each
   * of the three places where the key comes to be.
   */
  async life(args: Arguments, works: (vault: Emulator) => Promise<void>): Promise<void> {
    const resource = this.resource(this.here);
    const state = await resource.created(args);
    this.states.push(state);
    expect(await resource.drift(state)).toEqual({});
    await works(this.here);

    const { vaultUrl } = resource.defaults;
    const backup = await keyBackup.create({ vaultUrl, name: "orders" });
    const { value: blob } = backup.outs.blob as { value: string };
    const elsewhere = this.resource(this.there);
    const restored = await elsewhere.created({ restore: { blob } });
    this.states.push(restored);
    expect(restored.outs.version).toBe(state.outs.version);
    expect(await elsewhere.drift(restored)).toEqual({});
    await works(this.there);

    this.resource(this.here);
    nextEngineRun();
    await key.delete(state.id, state.outs);
    const recovered = await resource.created(args);
    this.states.push(recovered);
    expect(await resource.drift(recovered)).toEqual({});
    await works(this.here);

    await this.client(this.here).createKey("orders", "RSA");
    const drifted = await resource.refreshed(recovered);
    this.states.push(drifted);
    expect(Object.keys(await resource.drift(recovered))).toEqual(["thumbprint"]);
  }

  expectNothingOf(canaries: readonly string[]): void {
    const text = JSON.stringify(this.states);
    expect([...canaries, PASSPHRASE].filter((canary) => text.includes(canary))).toEqual([]);
  }
}

/** What the local key signs, the vault's public key verifies, and the other way round. */
async function agrees(vaults: Vaults, vault: Emulator, material: PrivateKey): Promise<void> {
  const { jwk, client } = await vaults.cryptography(vault);
  const { name, hash } = algorithmOf(material);
  const signature = sign(hash, MESSAGE, signing(material.key));
  expect(verify(hash, MESSAGE, signing(publicKeyOf(jwk)), signature)).toBe(true);
  const { result } = await client.signData(name, MESSAGE);
  expect(verify(hash, MESSAGE, signing(createPublicKey(material.key)), result)).toBe(true);
}

/** RSA-PSS and the plain form of EC signatures, as Key Vault has them. */
const signing = (pair: KeyObject) => ({
  key: pair,
  dsaEncoding: "ieee-p1363" as const,
  ...(pair.asymmetricKeyType === "rsa" ? { padding: 6, saltLength: 32 } : {}),
});

function publicKeyOf({ kty = "", crv, n, e, x, y }: JsonWebKey): KeyObject {
  const text = (bytes: Uint8Array | undefined): string => Buffer.from(bytes ?? []).toString("base64url");
  const members = crv
    ? { kty: "EC", crv: crv === "P-256K" ? "secp256k1" : crv, x: text(x), y: text(y) }
    : { kty: kty.slice(0, 3), n: text(n), e: text(e) };
  return createPublicKey({ key: members, format: "jwk" });
}

describe.each(["vault", "managedhsm"] as const)("on a %s", (plane) => {
  let vaults: Vaults;
  beforeEach(async () => {
    vaults = await Vaults.start(plane);
  });
  afterEach(() => vaults.close());

  it.each(imports)(
    "%s signs the same before and after backup, restore elsewhere and recovery",
    async (_what, make, source) => {
      const material = make();
      await vaults.life({ import: source(material) }, (vault) => agrees(vaults, vault, material));
      vaults.expectNothingOf(material.canaries);
    },
  );

  it.each<[string, () => PrivateKey, Arguments]>([
    ["RSA", rsaKey, {}],
    ["P-384", () => ecKey("secp384r1"), { keyType: "EC-HSM", curve: "P-384" }],
  ])("a transfer blob of %s is opened by the vault alone", async (_what, make, description) => {
    const material = make();
    const { key: exchange = {}, properties } = await vaults
      .client(vaults.here)
      .createRsaKey("kek", { hsm: true, keyOps: ["import"] });
    const kid = `https://contoso.vault.azure.net/keys/kek/${properties.version}`;
    const text = (bytes: Uint8Array | undefined): string => Buffer.from(bytes ?? []).toString("base64url");
    const blob = Buffer.from(
      transferBlob({ kid, n: text(exchange.n), e: text(exchange.e) }, material.jwk),
      "base64url",
    );
    const byok = { byok: blob.toString("utf8"), ...description };
    await vaults.life({ import: byok }, (vault) => agrees(vaults, vault, material));
    vaults.expectNothingOf([...material.canaries, blob.toString("utf8").slice(300, 340)]);
  });
});

describe("on a vault alone", () => {
  let vaults: Vaults;
  let resource: DrivenResource;
  beforeEach(async () => {
    vaults = await Vaults.start("vault");
    resource = vaults.resource(vaults.here);
  });
  afterEach(() => vaults.close());

  it("a key that the program wants in an HSM gets there, and signs the same", async () => {
    const material = rsaKey();
    await vaults.life({ import: { pem: material.pkcs8 }, hardwareProtected: true }, async (vault) => {
      expect((await vaults.client(vault).getKey("orders")).keyType).toBe("RSA-HSM");
      await agrees(vaults, vault, material);
    });
  });

  it.each<[Arguments, Arguments]>([
    [{ keyType: "RSA" }, { keyType: "RSA" }],
    [{ keyType: "RSA", keySize: 3072 }, { keyType: "RSA" }],
    [{ keyType: "RSA-HSM", keySize: 2048 }, { keyType: "RSA-HSM" }],
    [{ keyType: "EC" }, { keyType: "EC", publicKey: { curve: "P-256" } }],
    [{ keyType: "EC", curve: "P-384" }, { publicKey: { curve: "P-384" } }],
    [{ keyType: "EC", curve: "P-521" }, { publicKey: { curve: "P-521" } }],
    [
      { keyType: "EC-HSM", curve: "P-256K" },
      { keyType: "EC-HSM", publicKey: { curve: "P-256K" } },
    ],
  ])("the vault makes %j itself, and another version for other keepers", async (generate, expected) => {
    const state = await resource.created({ generate: { ...generate, keepers: { year: "2026" } } });
    expect(state.outs).toMatchObject(expected);
    expect(await resource.drift(state)).toEqual({});
    const next = await resource.updated(state, { generate: { ...generate, keepers: { year: "2027" } } });
    expect(resource.operations()).toEqual(["getKey", "createKey"]);
    expect(next.outs.version).not.toBe(state.outs.version);
    expect(await resource.drift(next)).toEqual({});
  });

  it("takes no symmetric key, told before anything is sent", async () => {
    const vaultUrl = "https://contoso.vault.azure.net";
    const k = randomBytes(32).toString("base64url");
    const told = await resource.refused({ vaultUrl, import: { jwk: { kty: "oct", k } } });
    expect(told).toMatch(/Managed HSM/);
    expect(told).not.toContain(k);
  });
});

describe("on a Managed HSM alone", () => {
  it("a symmetric key wraps the same before and after backup, restore elsewhere and recovery", async () => {
    const vaults = await Vaults.start("managedhsm");
    const secret = randomBytes(32);
    const k = secret.toString("base64url");
    const wrapped = randomBytes(32);
    await vaults.life({ import: { jwk: { kty: "oct", k } } }, async (vault) => {
      const { client } = await vaults.cryptography(vault);
      const { result } = await client.wrapKey("A256KW", wrapped);
      const cipher = createDecipheriv("id-aes256-wrap", secret, Buffer.alloc(8, 0xa6));
      expect(Buffer.concat([cipher.update(result), cipher.final()]).equals(wrapped)).toBe(true);
    });
    vaults.expectNothingOf([k, secret.toString("base64"), secret.toString("hex")]);
    await vaults.close();
  });
});
