import { describe, expect, it } from "vitest";
import { replayInEmulatorMode } from "../../conformance/emulator-mode.js";
import { standInKey } from "../../conformance/stand-in-key.js";
import {
  deletionOf,
  keyBundle,
  recoverable,
  refusal,
  type ScriptedExchange,
  type ScriptOptions,
  scriptedRecording,
  secretBundle,
  versionNamed,
} from "./scripted-recording.js";

const replay = (exchanges: ScriptedExchange[], options?: ScriptOptions) =>
  replayInEmulatorMode(scriptedRecording(exchanges, options));
const passed = { status: "passed" };
const failed = { status: "failed" };

const secretNotFound = (id: string) =>
  refusal(
    "SecretNotFound",
    `A secret with (name/id) ${id} was not found in this key vault. If you recently deleted this secret you may be able to recover it using the correct recovery command. For help resolving this issue, please see https://go.microsoft.com/fwlink/?linkid=2125182`,
  );

describe("waiting", () => {
  const shown = { ...secretBundle("s", "one"), ...deletionOf("secrets", "s") };
  const set = {
    method: "PUT",
    path: "/secrets/s",
    status: 200,
    body: { value: "v" },
    answer: secretBundle("s", "one", { value: "v" }),
  };
  const deletion = { method: "DELETE", path: "/secrets/s", status: 200, answer: shown };
  const pending = {
    method: "GET",
    path: "/deletedsecrets/s",
    status: 404,
    answer: refusal("SecretNotFound", "Deleted Secret not found: s"),
  };

  it("gets the recorded statuses of a poll, however often it asked", async () => {
    const done = { method: "GET", path: "/deletedsecrets/s", status: 200, answer: shown };
    expect(await replay([set, deletion, ...Array.from({ length: 40 }, () => pending), done])).toEqual(passed);
  });

  it("waits for a step whose wait the client kept to itself", async () => {
    expect(await replay([set, deletion, { method: "DELETE", path: "/deletedsecrets/s", status: 204 }])).toEqual(passed);
  });

  it("keeps one object's change open while another's is over", async () => {
    const other = { ...secretBundle("t", "two"), ...deletionOf("secrets", "t") };
    expect(
      await replay([
        set,
        {
          method: "PUT",
          path: "/secrets/t",
          status: 200,
          body: { value: "v" },
          answer: secretBundle("t", "two", { value: "v" }),
        },
        deletion,
        { method: "DELETE", path: "/secrets/t", status: 200, answer: other },
        { method: "GET", path: "/deletedsecrets/t", status: 200, answer: other },
        {
          method: "POST",
          path: "/deletedsecrets/s/recover",
          status: 409,
          answer: refusal("Conflict", "Secret s is currently being deleted.", "ObjectIsBeingDeleted"),
        },
        { method: "POST", path: "/deletedsecrets/s/recover", status: 200, answer: secretBundle("s", "one") },
        { method: "GET", path: "/secrets/s", status: 200, answer: secretBundle("s", "one", { value: "v" }) },
        {
          method: "PUT",
          path: "/secrets/s",
          status: 409,
          body: { value: "v" },
          answer: refusal(
            "Conflict",
            "Secret s is currently being recovered and cannot be re-created; retry later.",
            "ObjectIsBeingRecovered",
          ),
        },
        {
          method: "PUT",
          path: "/secrets/s",
          status: 200,
          body: { value: "w" },
          answer: secretBundle("s", "three", { value: "w" }),
        },
      ]),
    ).toEqual(passed);
  });

  it("fails when a poll is answered sooner than the service answered it", async () => {
    const hsm = { plane: "managedhsm" } as const;
    const early = await replay(
      [{ method: "GET", path: "/keys/k", status: 404, answer: refusal("KeyNotFound", "Key found", undefined) }],
      hsm,
    );
    expect(early).toMatchObject(failed);
  });
});

describe("comparison", () => {
  it.each([
    ["another member", secretBundle("s", "one", { value: "v", surprise: 1 })],
    ["another value", secretBundle("s", "one", { value: "w" })],
    ["another content type", secretBundle("s", "one", { value: "v", contentType: "text/html" })],
    ["another state", secretBundle("s", "one", { value: "v", attributes: { enabled: false } })],
    ["another name", secretBundle("t", "one", { value: "v" })],
  ])("tells %s", async (_, answer) => {
    const body = { value: "v" };
    expect(await replay([{ method: "PUT", path: "/secrets/s", status: 200, body, answer }])).toMatchObject(failed);
  });

  it("tells a version that is not the created one", async () => {
    expect(
      await replay([
        {
          method: "PUT",
          path: "/secrets/s",
          status: 200,
          body: { value: "v" },
          answer: secretBundle("s", "one", { value: "v" }),
        },
        {
          method: "PUT",
          path: "/secrets/s",
          status: 200,
          body: { value: "v" },
          answer: secretBundle("s", "one", { value: "v" }),
        },
      ]),
    ).toMatchObject(failed);
  });

  it("tells another message, and takes old wordings for today's", async () => {
    const get = { method: "GET", path: "/secrets/s", status: 404 };
    expect(await replay([{ ...get, answer: refusal("SecretNotFound", "Secret not found: s") }])).toEqual(passed);
    expect(await replay([{ ...get, answer: refusal("SecretNotFound", "Secret s not found") }])).toEqual(passed);
    expect(await replay([{ ...get, answer: refusal("SecretNotFound", "No such secret") }])).toMatchObject(failed);
    expect(await replay([{ ...get, answer: secretNotFound("s") }])).toEqual(passed);
  });

  it("tells operations in another order on a vault and not on a Managed HSM", async () => {
    const create = (key_ops: string[]) => ({
      method: "POST",
      path: "/keys/k/create",
      status: 200,
      body: { kty: "EC" },
      answer: keyBundle("k", "one", { key: { key_ops } }),
    });
    expect(await replay([create(["sign", "verify"])])).toEqual(passed);
    expect(await replay([create(["verify", "sign"])])).toMatchObject(failed);
    const { answer, ...rest } = create(["verify", "sign"]);
    const onHsm = JSON.parse(JSON.stringify(answer).replace('"EC"', '"EC-HSM"')) as object;
    expect(await replay([{ ...rest, answer: onHsm }], { plane: "managedhsm" })).toEqual(passed);
  });

  it("compares an expiry that the service chose by its distance from the creation", async () => {
    const kek = (exp: number) => [
      {
        method: "POST",
        path: "/keys/k/create",
        status: 200,
        body: { kty: "EC-HSM", key_ops: ["import"] },
        answer: keyBundle("k", "one", { key: { kty: "EC-HSM", key_ops: ["import"] }, attributes: { exp } }),
      },
    ];
    expect(await replay(kek(1_690_000_000 + 48 * 3600))).toEqual(passed);
    expect(await replay(kek(1_690_000_000 + 47 * 3600))).toMatchObject(failed);
  });

  it("lets builds lack what came after them", async () => {
    const attributes = { enabled: true, created: 1_500_000_000, updated: 1_500_000_000 };
    const id = `https://scripted.vault.azure.net/secrets/s/${versionNamed("one")}`;
    const old = { value: "v", id, attributes };
    const get = { method: "GET", path: "/secrets/s", status: 200, answer: old };
    expect(await replay([get], { apiVersion: "2015-06-01", build: "1.0.0.763" })).toEqual(passed);
    expect(await replay([get])).toMatchObject(failed);
  });
});

describe("callers", () => {
  const forbidden = (message: string, inner: string) => refusal("Forbidden", message, inner);

  it("lack the permission that a refusal names, for that exchange only", async () => {
    const shown = secretBundle("s", "one", { value: "v" });
    const message =
      "The user, group or application 'appid=a;oid=b;iss=https://sts.windows.net/c/' does not have secrets get permission on key vault 'v;location=westus'. For help resolving this issue, please see https://go.microsoft.com/fwlink/?linkid=2125287";
    expect(
      await replay([
        { method: "GET", path: "/secrets/s", status: 403, answer: forbidden(message, "ForbiddenByPolicy") },
        { method: "GET", path: "/secrets/s", status: 200, answer: shown },
      ]),
    ).toEqual(passed);
  });

  it("lack a role where the refusal is of roles", async () => {
    const message =
      "Caller is not authorized to perform action on resource.\r\nIf role assignments, deny assignments or role definitions were changed recently, please observe propagation time.\r\nCaller: appid=a;oid=b;iss=https://sts.windows.net/c/\r\nAction: 'Microsoft.KeyVault/vaults/secrets/getSecret/action'\r\nResource: '/subscriptions/x/resourcegroups/y/providers/microsoft.keyvault/vaults/z/secrets/s'\r\nAssignment: (not found)\r\nDenyAssignmentId: null\r\nDecisionReason: null \r\nVault: z;location=eastus2\r\n";
    expect(
      await replay([{ method: "GET", path: "/secrets/s", status: 403, answer: forbidden(message, "ForbiddenByRbac") }]),
    ).toEqual(passed);
  });

  it("stand outside of the firewall, for that exchange only", async () => {
    const message =
      "Client address is not authorized and caller is not a trusted service.\r\nClient address: 10.0.0.1\r\nCaller: appid=a;oid=b\r\nVault: v;location=westeurope";
    expect(
      await replay([
        { method: "GET", path: "/secrets/s", status: 403, answer: forbidden(message, "ForbiddenByFirewall") },
        { method: "GET", path: "/secrets/s", status: 200, answer: secretBundle("s", "one", { value: "v" }) },
      ]),
    ).toEqual(passed);
  });

  it("come back to a vault whose state was made behind the firewall", async () => {
    const message =
      "Public network access is disabled and request is not from a trusted service nor via an approved private link.\r\nCaller: appid=a;oid=b\r\nVault: v;location=westeurope";
    expect(
      await replay([
        { method: "GET", path: "/secrets/s", status: 403, answer: forbidden(message, "ForbiddenByConnection") },
        {
          method: "POST",
          path: "/keys/restore",
          status: 200,
          body: { value: "foreign" },
          answer: keyBundle("k", "one"),
        },
      ]),
    ).toEqual(passed);
  });

  it("have no token, or one for somebody else", async () => {
    const audience = "AKV10022: Invalid audience. Expected https://vault.azure.net, found: https://vault.azure.net/.";
    const issuer =
      "AKV10032: Invalid issuer. Expected one of https://sts.windows.net/11111111-1111-1111-1111-111111111111/, found https://sts.windows.net/22222222-2222-2222-2222-222222222222/.";
    const get = { method: "GET", path: "/secrets/s", status: 401 };
    expect(
      await replay([
        { ...get, answer: refusal("Unauthorized", "AKV10000: Request is missing a Bearer or PoP token.") },
        { ...get, answer: refusal("Unauthorized", audience) },
        { ...get, answer: refusal("Unauthorized", issuer) },
      ]),
    ).toEqual(passed);
  });

  it("are throttled, and then not", async () => {
    const answer = refusal(
      "Throttled",
      "Request was not processed because too many requests were received. Reason: VaultRequestTypeLimitReached",
    );
    const create = { method: "POST", path: "/keys/k/create", body: { kty: "EC" } };
    expect(
      await replay([
        { ...create, status: 429, answer },
        { ...create, status: 429, answer },
        { ...create, status: 200, answer: keyBundle("k", "one") },
      ]),
    ).toEqual(passed);
  });
});

describe("requests that the recorder destroyed", () => {
  it("are made from their answers", async () => {
    const body = "<not recorded>";
    const shown = secretBundle("s", "one", { value: "v", contentType: "text/plain", tags: { a: "b" } });
    const { value: _, ...updated } = secretBundle("s", "one", {
      value: "v",
      contentType: "text/plain",
      tags: {},
      attributes: { enabled: false },
    }) as Record<string, unknown>;
    const n = Buffer.alloc(256, 0xc5).toString("base64url");
    const rsa = {
      kty: "RSA",
      n,
      e: "AQAB",
      key_ops: ["encrypt", "decrypt"],
      crv: undefined,
      x: undefined,
      y: undefined,
    };
    expect(
      await replay([
        { method: "PUT", path: "/secrets/s", status: 200, body, answer: shown },
        { method: "PATCH", path: `/secrets/s/${versionNamed("one")}`, status: 200, body, answer: updated },
        { method: "POST", path: "/keys/k/create", status: 200, body, answer: keyBundle("k", "two", { key: rsa }) },
        { method: "PUT", path: "/keys/imported", status: 200, body, answer: keyBundle("imported", "three") },
        { method: "POST", path: "/keys/k/backup", status: 200, answer: { value: backup } },
      ]),
    ).toEqual(passed);
  });

  it("import another key in place of one whose private numbers are gone", async () => {
    const { d: _, ...jwk } = standInKey({ kty: "EC" });
    const key = { ...jwk, d: "REDACTED", key_ops: ["sign"] };
    const answer = keyBundle("k", "one", { key: { x: jwk.x, y: jwk.y, key_ops: ["sign"] } });
    expect(
      await replay([
        { method: "PUT", path: "/keys/k", status: 200, body: { key }, answer },
        { method: "GET", path: "/keys/k", status: 200, answer },
      ]),
    ).toEqual(passed);
  });

  it("transfer a key under the emulator's own key exchange key", async () => {
    const kid = `https://scripted.vault.azure.net/keys/kek/${versionNamed("kek")}`;
    const blob = (header: object) =>
      Buffer.from(JSON.stringify({ schema_version: "1.0.0", header })).toString("base64url");
    const imported = (name: string, key: object) => ({
      method: "PUT",
      path: `/keys/${name}`,
      status: 200,
      body: { key: { kty: "EC-HSM", crv: "P-256", ...key } },
      answer: keyBundle(name, name, { key: { kty: "EC-HSM" } }),
    });
    expect(
      await replay([
        imported("one", { key_hsm: blob({ kid, alg: "dir", enc: "CKM_RSA_AES_KEY_WRAP" }) }),
        imported("two", { key_hsm: "unreadable" }),
      ]),
    ).toEqual(passed);
  });

  it("decrypt what the emulator's own key encrypted", async () => {
    const kid = `https://scripted.vault.azure.net/keys/k/${versionNamed("one")}`;
    const recorded = Buffer.alloc(256, 9).toString("base64url");
    const body = { alg: "RSA-OAEP", value: recorded };
    expect(
      await replay([
        {
          method: "POST",
          path: `/keys/k/${versionNamed("one")}/decrypt`,
          status: 200,
          body,
          answer: { kid, value: "aGVsbG8" },
        },
        {
          method: "POST",
          path: `/keys/k/${versionNamed("one")}/unwrapkey`,
          status: 200,
          body,
          answer: { kid, value: "aGVsbG8" },
        },
      ]),
    ).toEqual(passed);
  });

  it("verify what the emulator's own key signed", async () => {
    const kid = `https://scripted.vault.azure.net/keys/k/${versionNamed("one")}`;
    const digest = Buffer.alloc(32, 1).toString("base64url");
    const value = Buffer.alloc(64, 2).toString("base64url");
    expect(
      await replay([
        {
          method: "POST",
          path: `/keys/k/${versionNamed("one")}/verify`,
          status: 200,
          body: { alg: "ES256", digest, value },
          answer: { value: true },
        },
        {
          method: "POST",
          path: `/keys/k/${versionNamed("one")}/verify`,
          status: 200,
          body: { alg: "ES256", digest: value.slice(0, 43), value },
          answer: { value: false },
        },
        {
          method: "POST",
          path: `/keys/k/${versionNamed("one")}/sign`,
          status: 200,
          body: { alg: "ES256", value: digest },
          answer: { kid, value: `${value.slice(0, -2)}Ag` },
        },
      ]),
    ).toEqual(passed);
  });
});

const backup = Buffer.from("&AzureKeyVaultKeyBackupV1.microsoft.com-sealed").toString("base64url");

describe("listings", () => {
  const item = (name: string) => ({
    kid: `https://scripted.vault.azure.net/keys/${name}`,
    attributes: { enabled: true, created: 1, updated: 1, ...recoverable, exportable: false },
  });
  const link = "https://scripted.vault.azure.net:443/keys?api-version=7.4&$skiptoken=abc&maxresults=1";
  const first = { method: "GET", path: "/keys", status: 200, query: { maxresults: "1" } };
  const next = { ...first, query: { $skiptoken: "abc", maxresults: "1" } };

  it("are compared as a whole, wherever pages end", async () => {
    expect(
      await replay([
        { ...first, answer: { value: [], nextLink: link } },
        { ...next, answer: { value: [item("a")], nextLink: link } },
        { ...next, answer: { value: [], nextLink: link } },
        { ...next, answer: { value: [item("b")], nextLink: null } },
      ]),
    ).toEqual(passed);
  });

  it("may be left before their end, and may begin in their middle", async () => {
    expect(await replay([{ ...first, answer: { value: [item("a")], nextLink: link } }])).toEqual(passed);
    expect(await replay([{ ...next, answer: { value: [item("b")], nextLink: null } }])).toEqual(passed);
  });

  it("tell what is missing and what is too much", async () => {
    const create = {
      method: "POST",
      path: "/keys/a/create",
      status: 200,
      body: { kty: "EC" },
      answer: keyBundle("a", "one"),
    };
    expect(await replay([create, { ...first, answer: { value: [item("a")], nextLink: null } }])).toEqual(passed);
    expect(
      await replay([{ ...first, answer: { value: [{ ...item("a"), managed: true }], nextLink: null } }]),
    ).toMatchObject(failed);
  });

  it("hold certificates' keys as given", async () => {
    const { exportable: _, ...attributes } = item("c").attributes;
    const managed = { ...item("c"), attributes, managed: true };
    expect(await replay([{ ...first, answer: { value: [managed], nextLink: null } }])).toEqual(passed);
  });
});

describe("a scenario", () => {
  it("is skipped when nothing in it is of keys or secrets", async () => {
    expect(
      await replay([
        { method: "GET", path: "/certificates/c", status: 404, answer: refusal("CertificateNotFound", "x") },
      ]),
    ).toEqual({
      status: "skipped",
      reason: "certificates and storage planes",
    });
  });

  it("goes on around exchanges of the certificate plane", async () => {
    expect(
      await replay([
        { method: "POST", path: "/certificates/c/create", status: 202, answer: { id: "x" } },
        { method: "GET", path: "/secrets/s", status: 200, answer: secretBundle("s", "one", { value: "v" }) },
      ]),
    ).toEqual(passed);
  });

  it("is put in the order of its dates where the recorder grouped it by address", async () => {
    const at = (second: number) => ({ date: new Date(Date.UTC(2017, 1, 1, 0, 0, second)).toUTCString() });
    const shown = secretBundle("s", "one", { value: "v" });
    const body = { value: "v" };
    expect(
      await replay([
        { method: "GET", path: "/secrets/s", status: 200, answer: shown, headers: at(1) },
        { method: "GET", path: "/secrets/s", status: 404, answer: secretNotFound("s"), headers: at(5) },
        {
          method: "DELETE",
          path: "/secrets/s",
          status: 200,
          answer: { ...secretBundle("s", "one"), ...deletionOf("secrets", "s") },
          headers: at(3),
        },
        { method: "PUT", path: "/secrets/s", status: 200, body, answer: shown, headers: at(1) },
      ]),
    ).toEqual(passed);
  });
});
