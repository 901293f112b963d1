import { generateKeyPairSync } from "node:crypto";
import { chmodSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { ecKey, rsaKey } from "../engine/demo-keys.js";
import { identity } from "./engine-run.js";
import { key } from "./providers.js";

const vaultUrl = "https://contoso.vault.azure.net";
const folder = mkdtempSync(join(tmpdir(), "check-key-"));
const good = rsaKey();
const curve = ecKey();
const encrypted = good.key.export({ type: "pkcs8", format: "pem", cipher: "aes-256-cbc", passphrase: "right" });
const canaries = [...good.canaries, ...curve.canaries];

const at = (name: string, content: string | Uint8Array): { file: string } => {
  writeFileSync(join(folder, name), content);
  return { file: join(folder, name) };
};

afterAll(() => rmSync(folder, { recursive: true, force: true }));
beforeEach(() => {
  vi.stubEnv("AZURE_KEYVAULT_URL", undefined);
});
afterEach(() => {
  vi.unstubAllEnvs();
});

const failuresOf = async (news: Record<string, unknown>): Promise<string[]> => {
  const { failures } = await key.check({}, { autoName: "a-key", ...news });
  const told = JSON.stringify(failures);
  expect(canaries.filter((canary) => told.includes(canary))).toEqual([]);
  return failures.map(({ reason }) => reason);
};

describe("check refuses a key", () => {
  const publicPem = (): string =>
    generateKeyPairSync("rsa", { modulusLength: 2048 }).publicKey.export({ type: "spki", format: "pem" }).toString();
  const dsaPem = (): string =>
    generateKeyPairSync("dsa", { modulusLength: 2048, divisorLength: 256 })
      .privateKey.export({ type: "pkcs8", format: "pem" })
      .toString();
  const noise = Uint8Array.from({ length: 4096 }, (_, i) => (i * 7919 + 13) % 256);
  const { n: _n, ...withoutModulus } = good.jwk;

  it.each<[string, Record<string, unknown>, RegExp]>([
    ["without a vault URL", { vaultUrl: undefined, generate: { keyType: "RSA" } }, /no vault URL/],
    [
      "of a vault that is not https",
      { vaultUrl: "http://contoso.vault.azure.net", generate: { keyType: "RSA" } },
      /vaultUrl: .*https/,
    ],
    ["of a vault that is no URL", { vaultUrl: "contoso", generate: { keyType: "RSA" } }, /vaultUrl: .*not a URL/],
    // Text of it would be as good as true.
    ["to adopt or not, as text says", { name: "orders", adopt: "false" }, /adopt: must be true or false, and is text/],
    ["with a bad name", { name: "a_b", generate: { keyType: "RSA" } }, /name: must be a key name/],
    [
      "with a name that is too long",
      { name: "a".repeat(128), generate: { keyType: "RSA" } },
      /name: must be a key name/,
    ],
    ["without a source", {}, /needs one source/],
    ["with two sources", { generate: { keyType: "RSA" }, import: at("two.pem", good.pkcs8) }, /takes one source/],
    [
      "with an unknown property",
      { generate: { keyType: "RSA" }, expireOn: "2030-01-01T00:00:00Z" },
      /"expireOn" is not a property/,
    ],
    [
      "from a certificate",
      { import: { pem: "-----BEGIN CERTIFICATE-----\nMIIB\n-----END CERTIFICATE-----" } },
      /certificate/,
    ],
    ["from a public key", { import: { pem: publicPem() } }, /public key/],
    ["from a truncated PEM", { import: { pem: good.pkcs8.slice(0, 600) } }, /truncated|END/i],
    ["from a DSA key", { import: { pem: dsaPem() } }, /dsa/i],
    ["from an encrypted PEM without a passphrase", { import: { pem: encrypted } }, /passphrase/],
    [
      "from an encrypted PEM with the wrong passphrase",
      { import: { pem: encrypted, passphrase: "wrong" } },
      /passphrase/,
    ],
    ["of 1024 bits", { import: { pem: rsaKey(1024).pkcs8 } }, /1024/],
    ["with mismatched numbers", { import: { jwk: { ...good.jwk, dp: good.jwk.dq } } }, /dp/],
    ["off its curve", { import: { jwk: { ...curve.jwk, y: curve.jwk.x } } }, /curve|y\b/],
    ["of an unsupported curve", { import: { pem: unsupportedCurve() } }, /P-256/],
    ["from a JWK that lacks a number", { import: { jwk: withoutModulus } }, /\bn\b/],
    ["from a JWK with padding", { import: { jwk: { ...curve.jwk, d: `${curve.jwk.d}=` } } }, /padding|=/],
    ["from a JWK that is not base64url", { import: { jwk: { ...curve.jwk, d: "§§§" } } }, /base64url/],
    ["from a file that is missing", { import: { file: join(folder, "nowhere.pem") } }, /not at hand: .*nowhere\.pem/],
    ["from a folder", { import: { file: folder } }, /folder|directory/],
    ["from a file of 50 MB", { import: at("huge.pem", new Uint8Array(50 * 1024 * 1024)) }, /MiB|large/],
    ["from binary noise", { import: at("noise.pem", noise) }, /KV_INVALID_KEY_MATERIAL/],
    ["from an unset environment variable", { import: { env: "NO_SUCH_VARIABLE" } }, /NO_SUCH_VARIABLE/],
    [
      "from a secret's backup",
      { restore: { blob: blobOf("AzureKeyVaultSecretBackupV1.microsoft.com") }, name: "a" },
      /backup of a secret/,
    ],
    ["from text that is no backup", { restore: { blob: "not a blob" }, name: "a" }, /not a Key Vault backup/],
    [
      "from a backup file that is missing",
      { restore: { file: join(folder, "nowhere") }, name: "a" },
      /nowhere": it does not exist/,
    ],
    [
      "from a backup file in the home folder, as a shell would read it",
      { restore: { file: "~/orders.keybackup" }, name: "a" },
      /it does not exist: a path does not expand ~/,
    ],
    [
      "with a moment without zone",
      { generate: { keyType: "RSA" }, expiresOn: "2030-01-01T00:00:00" },
      /expiresOn: must be a moment/,
    ],
    [
      "with 15 tags, one of which says who owns the key",
      { generate: { keyType: "RSA" }, tags: Object.fromEntries(Array.from({ length: 15 }, (_, i) => [`t${i}`, ""])) },
      /at most 14/,
    ],
    [
      "with an unknown operation",
      { generate: { keyType: "RSA" }, keyOps: ["sing"] },
      /keyOps: item 1 \(text of 4 characters\) is not one of/,
    ],
    ["with an unknown key type", { generate: { keyType: "rsa" } }, /keyType must be one of/],
    ["with a size that its type has not", { generate: { keyType: "RSA", keySize: 1024 } }, /2048, 3072, 4096/],
    ["that is exportable without a policy", { generate: { keyType: "RSA-HSM" }, exportable: true }, /AKV\.SKR\.1004/],
    [
      "with a rotation that is too soon",
      { generate: { keyType: "RSA" }, rotationPolicy: { rotateAfter: "P1D" } },
      /at least 7 days/,
    ],
    ["with a timeout that is none", { generate: { keyType: "RSA" }, timeouts: { create: "soon" } }, /duration such as/],
  ])("%s", async (_what, news, problem) => {
    const failures = await failuresOf({ vaultUrl, ...news });
    expect(failures.join("\n")).toMatch(problem);
  });

  it("from a file that it may not read", async (context) => {
    if (process.getuid?.() === 0) context.skip("root reads every file");
    const source = at("closed.pem", good.pkcs8);
    chmodSync(source.file, 0);
    expect((await failuresOf({ vaultUrl, import: source })).join()).toMatch(/EACCES/);
  });

  it("with all of its problems at once", async () => {
    const failures = await failuresOf({ name: "a b", import: { pem: publicPem() }, tags: "x", onDelete: "never" });
    expect(failures).toHaveLength(5);
  });
});

describe("check", () => {
  it("leaves the thumbprint in place of the material, in whatever form it comes", async () => {
    mkdirSync(join(folder, "forms"), { recursive: true });
    vi.stubEnv("CHECK_KEY_PEM", good.pkcs8);
    const sources = [
      { pem: good.pkcs8 },
      { pem: good.key.export({ type: "pkcs1", format: "pem" }) },
      { pem: encrypted, passphrase: "right" },
      { jwk: good.jwk },
      { jwk: JSON.stringify(good.jwk) },
      { env: "CHECK_KEY_PEM" },
      at("forms/key.pem", `a line before\r\n${good.pkcs8.replaceAll("\n", "\r\n")}`),
    ];
    const checked = await Promise.all(sources.map((source) => key.check({}, { vaultUrl, name: "a", import: source })));
    const inputs = checked.map((each) => each.inputs);
    expect(new Set(inputs.map(({ thumbprint }) => thumbprint)).size).toBe(1);
    expect(inputs[0]).toEqual({ vaultUrl, name: "a", thumbprint: expect.stringMatching(/^[\w-]{43}$/) });
  });

  it("leaves defaults out, so that spelling them changes nothing", async () => {
    const spelled = await key.check(
      {},
      {
        vaultUrl: "https://CONTOSO.vault.azure.net/",
        name: "a",
        import: { jwk: curve.jwk },
        enabled: true,
        tags: {},
        hardwareProtected: false,
        onDelete: "delete",
        ifSoftDeleted: "recover",
      },
    );
    const plain = await key.check({}, { vaultUrl, name: "a", import: { jwk: curve.jwk } });
    expect(spelled).toEqual(plain);
  });

  it("records key operations that the program states, and takes the default for no change of a key without any", async () => {
    const args = { vaultUrl, name: "a", import: { jwk: curve.jwk } };
    const plain = (await key.check({}, args)).inputs;
    const stated = { ...args, keyOps: ["verify", "sign"] };
    expect((await key.check({}, stated)).inputs.keyOps).toEqual(["sign", "verify"]);
    expect((await key.check(plain, stated)).inputs).toEqual(plain);
  });

  it("keeps the recorded thumbprint where the material of a key in state is not at hand", async () => {
    const olds = { vaultUrl, name: "a", thumbprint: "recorded" };
    const { inputs, failures } = await key.check(olds, { vaultUrl, name: "a", import: { file: "nowhere.pem" } });
    expect(failures).toEqual([]);
    expect(inputs.thumbprint).toBe("recorded");
  });

  it("refuses a second resource on the same key, whatever the case of its name", async () => {
    const first = await key.check({}, { vaultUrl, name: "twice", generate: { keyType: "RSA" }, ...identity("one") });
    const again = await key.check({}, { vaultUrl, name: "twice", generate: { keyType: "RSA" }, ...identity("one") });
    const second = await key.check({}, { vaultUrl, name: "TWICE", generate: { keyType: "RSA" }, ...identity("two") });
    expect([...first.failures, ...again.failures]).toEqual([]);
    expect(second.failures[0]?.reason).toMatch(/already manages the key "TWICE"/);
  });

  it("refuses to clear an expiry without the material that a new version needs", async () => {
    const olds = { vaultUrl, name: "a", thumbprint: "recorded", expiresOn: "2030-01-01T00:00:00Z" };
    const { failures } = await key.check(olds, { vaultUrl, name: "a", import: { file: "nowhere.pem" } });
    expect(failures[0]?.reason).toMatch(/expiresOn cannot be removed/);
  });

  it("refuses to replace a key without the material that the new one needs", async () => {
    const olds = { vaultUrl, name: "a", thumbprint: "recorded" };
    const { failures } = await key.check(olds, { vaultUrl, name: "b", import: { file: "nowhere.pem" } });
    expect(failures[0]?.reason).toMatch(/would be replaced/);
  });

  it("reads no blob for a key that was restored before", async () => {
    const olds = { vaultUrl, name: "a", restore: "sha256:x of version y" };
    const { inputs, failures } = await key.check(olds, { vaultUrl, name: "a", restore: { blob: "not a blob" } });
    expect(failures).toEqual([]);
    expect(inputs.restore).toBe("sha256:x of version y");
  });
});

function blobOf(header: string): string {
  return Buffer.from(
    `${String.fromCharCode(header.length)}${header}${"eyJhbGciOiJkaXIifQ".repeat(8)}`,
    "latin1",
  ).toString("base64url");
}

function unsupportedCurve(): string {
  const { privateKey } = generateKeyPairSync("ec", { namedCurve: "secp224r1" });
  return privateKey.export({ type: "pkcs8", format: "pem" }).toString();
}
