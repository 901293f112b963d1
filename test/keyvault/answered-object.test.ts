import { expect, test } from "vitest";
import { KeyVaultClient } from "../../provider/keyvault/client.js";
import type { VaultResponse } from "../../provider/keyvault/dispatch.js";
import { scriptedDispatch } from "./scripted-dispatch.js";
import { countingSource } from "./vault-server.js";

const VERSION = "0123456789abcdef0123456789abcdef";
const OTHER_VERSION = "fedcba9876543210fedcba9876543210";

function clientOf(body: unknown): KeyVaultClient {
  const answer: Partial<VaultResponse> = { status: 200, body: JSON.stringify(body) };
  const options = { vaultUrl: "http://127.0.0.1:1", credential: countingSource(), dispatch: scriptedDispatch(answer) };
  return new KeyVaultClient(options);
}

const keyNamed = (name: string, more: object = {}) => ({
  key: { kid: `https://v/keys/${name}/${VERSION}`, kty: "EC", crv: "P-256", x: "AQ", y: "Ag" },
  ...more,
});
const secretNamed = (name: string, more: object = {}) => ({ id: `https://v/secrets/${name}/${VERSION}`, ...more });

type Run = (client: KeyVaultClient) => Promise<unknown>;
const drain = async (items: AsyncIterable<unknown>) => {
  for await (const item of items) expect(item).toBeDefined();
};

const keyCalls: [string, boolean, Run][] = [
  ["createKey", true, (client) => client.createKey("orders", { keyType: "EC" })],
  ["importKey", true, (client) => client.importKey("orders", { key: { kty: "EC", d: "AQ" } })],
  ["rotateKey", true, (client) => client.rotateKey("orders")],
  ["updateKey", true, (client) => client.updateKey("orders", undefined, {})],
  ["deleteKey", true, (client) => client.deleteKey("orders")],
  ["recoverDeletedKey", true, (client) => client.recoverDeletedKey("orders")],
  ["getKey", false, (client) => client.getKey("orders")],
  ["getDeletedKey", false, (client) => client.getDeletedKey("orders")],
];
const secretCalls: [string, boolean, Run][] = [
  ["setSecret", true, (client) => client.setSecret("orders", { value: "v" })],
  ["updateSecret", true, (client) => client.updateSecret("orders", undefined, {})],
  ["deleteSecret", true, (client) => client.deleteSecret("orders")],
  ["recoverDeletedSecret", true, (client) => client.recoverDeletedSecret("orders")],
  ["getSecret", false, (client) => client.getSecret("orders")],
  ["getDeletedSecret", false, (client) => client.getDeletedSecret("orders")],
];

test.each([
  ...keyCalls.map((call) => [...call, keyNamed] as const),
  ...secretCalls.map((call) => [...call, secretNamed] as const),
])(
  "%s answered for another object is refused, and a write tells what may have happened",
  async (_name, isWrite, run, named) => {
    await expect(run(clientOf(named("invoices")))).rejects.toMatchObject({
      code: "KV_PROTOCOL",
      mayHaveHappened: isWrite,
      retryable: false,
      message: expect.stringContaining('names "invoices"'),
      ...(isWrite ? { hint: expect.stringContaining("may have been done") } : {}),
    });
    await expect(run(clientOf(named("ORDERS")))).resolves.toMatchObject({ name: "ORDERS" });
  },
);

test("an answer of the other kind is none", async () => {
  await expect(
    clientOf({ ...keyNamed("orders"), id: `https://v/secrets/orders/${VERSION}` }).getSecret("orders"),
  ).resolves.toBeDefined();
  for (const [, , run] of keyCalls) {
    const body = {
      ...keyNamed("orders"),
      key: { ...keyNamed("orders").key, kid: `https://v/secrets/orders/${VERSION}` },
    };
    await expect(run(clientOf(body))).rejects.toMatchObject({ code: "KV_PROTOCOL" });
  }
});

test("a version that was asked for by its id is the one that is answered", async () => {
  const byId: Run[] = [
    (client) => client.getKey("orders", OTHER_VERSION),
    (client) => client.updateKey("orders", OTHER_VERSION, {}),
  ];
  for (const run of byId) {
    await expect(run(clientOf(keyNamed("orders")))).rejects.toMatchObject({ code: "KV_PROTOCOL" });
  }
  await expect(clientOf(secretNamed("orders")).getSecret("orders", OTHER_VERSION)).rejects.toMatchObject({
    code: "KV_PROTOCOL",
    message: expect.stringContaining(`names version ${VERSION}`),
  });
  await expect(clientOf(keyNamed("orders")).getKey("orders", VERSION.toUpperCase())).resolves.toBeDefined();
});

test("versions of another name are none of this one", async () => {
  const keys = { value: [{ kid: `https://v/keys/orders/${VERSION}` }, { kid: `https://v/keys/invoices/${VERSION}` }] };
  await expect(drain(clientOf(keys).getKeyVersions("orders"))).rejects.toMatchObject({ code: "KV_PROTOCOL" });
  const secrets = { value: [{ id: `https://v/secrets/invoices/${VERSION}` }] };
  await expect(drain(clientOf(secrets).getSecretVersions("orders"))).rejects.toMatchObject({ code: "KV_PROTOCOL" });
  await expect(drain(clientOf(keys).getKeys())).resolves.toBeUndefined();
});

const sent = {
  enabled: false,
  notBefore: new Date(1_700_000_000_999),
  expiresOn: new Date(1_800_000_000_000),
  tags: { a: "b", ["__proto__"]: "c" },
};
const echoed = JSON.parse(
  '{"attributes":{"enabled":false,"nbf":1700000000,"exp":1800000000},"tags":{"a":"b","__proto__":"c"}}',
) as { attributes: object; tags: object };

test.each([
  ["enabled", { ...echoed, attributes: { ...echoed.attributes, enabled: true } }],
  ["notBefore", { ...echoed, attributes: { ...echoed.attributes, nbf: 1_700_000_001 } }],
  ["expiresOn", { ...echoed, attributes: { ...echoed.attributes, exp: null } }],
  ["tags", { ...echoed, tags: { a: "b" } }],
  ["tags", { ...echoed, tags: JSON.parse('{"a":"c","__proto__":"c"}') as object }],
  ["tags", { ...echoed, tags: null }],
])("a write that is answered with other %s than were sent is not ours", async (member, answer) => {
  const writes: Run[] = [
    (client) => client.createKey("orders", { keyType: "EC", ...sent }),
    (client) => client.importKey("orders", { key: { kty: "EC", d: "AQ" }, ...sent }),
    (client) => client.updateKey("orders", undefined, sent),
  ];
  for (const run of writes) {
    await expect(run(clientOf(keyNamed("orders", echoed)))).resolves.toBeDefined();
    await expect(run(clientOf(keyNamed("orders", answer)))).rejects.toMatchObject({
      code: "KV_PROTOCOL",
      mayHaveHappened: true,
      message: expect.stringContaining(`its ${member} differ`),
    });
  }
  const secrets: Run[] = [
    (client) => client.setSecret("orders", { value: "hunter22", ...sent }),
    (client) => client.updateSecret("orders", undefined, sent),
  ];
  for (const run of secrets) {
    await expect(run(clientOf(secretNamed("orders", echoed)))).resolves.toBeDefined();
    await expect(run(clientOf(secretNamed("orders", answer)))).rejects.toMatchObject({ code: "KV_PROTOCOL" });
  }
});

test("what was not sent is not compared: the service has defaults of its own", async () => {
  const answer = keyNamed("orders", {
    attributes: { enabled: false, exp: 1_800_000_000 },
    tags: { policy: "applied" },
  });
  await expect(clientOf(answer).createKey("orders", { keyType: "EC", keyOps: ["import"] })).resolves.toBeDefined();
});

const ec = { kty: "EC", crv: "P-256", x: "AQ", y: "Ag", d: "Aw" };
const answeredKey = (key: object) => ({ key: { kid: `https://v/keys/orders/${VERSION}`, ...key } });

test.each([
  [ec, { kty: "EC-HSM", crv: "P-256", x: "AAE", y: "AAAC" }],
  [
    { ...ec, x: "AAAB" },
    { kty: "EC", crv: "P-256", x: "AQ", y: "Ag" },
  ],
  [
    { ...ec, crv: "SECP256K1" },
    { kty: "EC", crv: "P-256K", x: "AQ", y: "Ag" },
  ],
  [
    { kty: "RSA", n: "ALs", e: "AQAB", d: "Aw" },
    { kty: "RSA-HSM", n: "uw", e: "AQAB" },
  ],
  [{ kty: "oct", k: "c2VjcmV0" }, { kty: "oct-HSM" }],
  [
    { kty: "RSA-HSM", key_hsm: "c2VjcmV0" },
    { kty: "RSA-HSM", n: "uw", e: "AQAB" },
  ],
])("an import is answered with the same key, however the service writes it", async (key, answered) => {
  await expect(clientOf(answeredKey(answered)).importKey("orders", { key })).resolves.toBeDefined();
});

test.each([
  ["keyType", { kty: "RSA", n: "uw", e: "AQAB" }],
  ["x", { kty: "EC", crv: "P-256", x: "Ag", y: "Ag" }],
  ["y", { kty: "EC", crv: "P-256", x: "AQ" }],
  ["curve", { kty: "EC", crv: "P-384", x: "AQ", y: "Ag" }],
])(
  "an import that is answered with another key (%s) is not ours, and its material does not show",
  async (member, answered) => {
    const failure: unknown = await clientOf(answeredKey(answered))
      .importKey("orders", { key: { ...ec, d: "c2VjcmV0LWNhbmFyeQ" } })
      .catch((error: unknown) => error);
    expect(failure).toMatchObject({
      code: "KV_PROTOCOL",
      mayHaveHappened: true,
      message: expect.stringContaining(member),
    });
    expect(JSON.stringify(failure) + String(failure)).not.toContain("c2VjcmV0");
  },
);

test("a key is made in the type, curve and size that were asked for", async () => {
  const rsa2048 = answeredKey({ kty: "RSA", n: Buffer.alloc(256, 0x80).toString("base64url"), e: "AQAB" });
  await expect(clientOf(rsa2048).createKey("orders", { keyType: "RSA", keySize: 2048 })).resolves.toBeDefined();
  await expect(clientOf(rsa2048).createKey("orders", { keyType: "RSA", keySize: 4096 })).rejects.toMatchObject({
    message: expect.stringContaining("keySize"),
  });
  await expect(clientOf(rsa2048).createKey("orders", { keyType: "EC" })).rejects.toMatchObject({ code: "KV_PROTOCOL" });
});

test("a restore brings its own name, and a policy names its key, where it has an id", async () => {
  await expect(clientOf(keyNamed("anything")).restoreKey("blob")).resolves.toMatchObject({ name: "anything" });
  const policy = (id: unknown) => ({ id, lifetimeActions: [], attributes: null });
  for (const id of [undefined, null, "", "https://v/keys/ORDERS/rotationpolicy", "keys/orders/rotationpolicy", "7"]) {
    await expect(clientOf(policy(id)).getKeyRotationPolicy("orders")).resolves.toBeDefined();
  }
  const other = clientOf(policy("https://v/keys/invoices/rotationpolicy"));
  await expect(other.getKeyRotationPolicy("orders")).rejects.toMatchObject({ code: "KV_PROTOCOL" });
  await expect(other.updateKeyRotationPolicy("orders", { lifetimeActions: [] })).rejects.toMatchObject({
    code: "KV_PROTOCOL",
    mayHaveHappened: true,
  });
});
