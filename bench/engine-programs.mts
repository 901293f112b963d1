/** The programs that are compared. Each makes as many keys as it is told; material i is `keys/(i % 20).pem`. */
export const PROGRAMS = { floor, plain, keys, keySet } as const;

export type ProgramName = keyof typeof PROGRAMS;

/** A module of its own, so that state holds its name as it holds ours, and not its code. */
export const FLOOR_MODULE = `
  const outputs = (news) => ({ ...news, version: "0123456789abcdef0123456789abcdef", keyType: "EC", curve: "P-256",
    publicKey: { kty: "EC", crv: "P-256", x: "${"x".repeat(43)}", y: "${"y".repeat(43)}" }, createdOn: "2026-01-01T00:00:00Z",
    updatedOn: "2026-01-01T00:00:00Z", recoveryLevel: "Recoverable+Purgeable", recoverableDays: 90, ownerToken: "${"t".repeat(16)}" });
  module.exports = {
    check: async (_olds, news) => ({ inputs: news }),
    diff: async () => ({ changes: false }),
    create: async (news) => ({ id: "https://v.vault.azure.net/keys/" + news.name, outs: outputs(news) }),
    read: async (id, props) => ({ id, props }),
    update: async (_id, _olds, news) => ({ outs: outputs(news) }),
    delete: async () => {},
  };`;

/** A dynamic provider that does nothing, with the inputs and outputs of a Key: what the engine itself costs. */
function floor(count: number): string {
  return `
    const pulumi = require("@pulumi/pulumi");
    const __provider = 'exports.handler = () => require("bench-floor");';
    class Key extends pulumi.CustomResource {
      constructor(name, props) { super("pulumi-nodejs:dynamic/keyvault:Key", name, { __provider, version: undefined, ...props }); }
    }
    for (let i = 0; i < ${count}; i++) {
      new Key("key" + i, { vaultUrl: process.env.VAULT_URL, name: "key-" + i, thumbprint: "${"p".repeat(43)}", tags: { n: String(i % 7) } });
    }`;
}

/** What one writes on Azure's own client: it imports, backs up, and has the JWK as a secret input. */
function plain(count: number): string {
  return `
    const pulumi = require("@pulumi/pulumi");
    const { createPrivateKey } = require("node:crypto");
    const { readFileSync } = require("node:fs");
    const provider = (() => {
      const clientOf = (vaultUrl) => {
        const { KeyClient } = require("@azure/keyvault-keys");
        const credential = { getToken: async () => ({ token: process.env.KEYVAULT_TOKEN, expiresOnTimestamp: Date.now() + 3.6e6 }) };
        globalThis.client ??= new KeyClient(vaultUrl, credential, { disableChallengeResourceVerification: true, allowInsecureConnection: true });
        return globalThis.client;
      };
      const importKey = async ({ vaultUrl, name, jwk, tags }) => {
        const decoded = Object.fromEntries(Object.entries(jwk).map(([member, text]) =>
          [member, ["kty", "crv"].includes(member) ? text : Buffer.from(text, "base64url")]));
        const key = await clientOf(vaultUrl).importKey(name, decoded, { tags });
        const blob = Buffer.from(await clientOf(vaultUrl).backupKey(name)).toString("base64");
        return { id: key.id, version: key.properties.version, blob };
      };
      return {
        diff: async (_id, olds, news) => ({ changes: JSON.stringify(olds.jwk) !== JSON.stringify(news.jwk) }),
        create: async (news) => { const { id, ...outs } = await importKey(news); return { id, outs: { ...news, ...outs } }; },
        update: async (_id, _olds, news) => { const { id, ...outs } = await importKey(news); return { outs: { ...news, ...outs } }; },
        read: async (id, props) => {
          const key = await clientOf(props.vaultUrl).getKey(props.name);
          return { id, props: { ...props, version: key.properties.version } };
        },
        delete: async (_id, { vaultUrl, name }) => { await clientOf(vaultUrl).beginDeleteKey(name, { intervalInMs: 10 }); },
      };
    })();
    class PlainKey extends pulumi.dynamic.Resource {
      constructor(name, props) {
        super(provider, name, { version: undefined, blob: undefined, ...props }, { additionalSecretOutputs: ["blob"] });
      }
    }
    const jwks = Array.from({ length: 20 }, (_, i) => createPrivateKey(readFileSync("keys/" + i + ".pem", "utf8")).export({ format: "jwk" }));
    for (let i = 0; i < ${count}; i++) {
      new PlainKey("key" + i, { vaultUrl: process.env.VAULT_URL, name: "key-" + i, jwk: pulumi.secret(jwks[i % 20]), tags: { n: String(i % 7) } });
    }`;
}

function keys(count: number): string {
  return `
    const keyvault = require("pulumi-keyvault");
    for (let i = 0; i < ${count}; i++) {
      new keyvault.Key("key" + i, { vaultUrl: process.env.VAULT_URL, name: "key-" + i, import: { file: "keys/" + (i % 20) + ".pem" }, tags: { n: String(i % 7) } });
    }`;
}

/** All keys in one resource, and their backups in another. */
function keySet(count: number): string {
  return `
    const keyvault = require("pulumi-keyvault");
    const entries = {};
    for (let i = 0; i < ${count}; i++) {
      entries["key-" + i] = { import: { file: "keys/" + (i % 20) + ".pem" }, tags: { n: String(i % 7) } };
    }
    const set = new keyvault.KeySet("keys", { vaultUrl: process.env.VAULT_URL, keys: entries });
    new keyvault.VaultBackup("backups", { vaultUrl: process.env.VAULT_URL, keys: [set] });`;
}
