import { generateKeyPairSync, randomBytes } from "node:crypto";
import { inspect } from "node:util";
import fc from "fast-check";
import { expect, test } from "vitest";
import { KeyVaultError } from "../../provider/keyvault/errors.js";
import { redact } from "../../provider/keyvault/redaction.js";

test("private members go, in JSON, in JSON within JSON and as text", () => {
  const { privateKey } = generateKeyPairSync("rsa", { modulusLength: 2048 });
  const jwk = privateKey.export({ format: "jwk" });
  const secrets = [jwk.d, jwk.p, jwk.q, jwk.dp, jwk.dq, jwk.qi].map(String);
  const json = JSON.stringify(jwk);
  for (const text of [
    json,
    JSON.stringify(json),
    JSON.stringify({ message: JSON.stringify(json) }),
    secrets.join(" "),
  ]) {
    const clean = redact(`The key ${text} is not valid`);
    for (const secret of secrets) expect(clean.includes(secret.slice(0, 20))).toBe(false);
  }
});

test("short members go by their names", () => {
  for (const text of [
    '{"k":"c2hvcnQ"}',
    `{'d': 'c2hvcnQ'}`,
    '{\\"key_hsm\\":\\"c2hvcnQ\\"}',
    "key_hsm=c2hvcnQ",
    '{"value" : "c2hvcnQ',
  ]) {
    expect(redact(text)).not.toContain("c2hvcnQ");
  }
  expect(redact('{"value":"a\\"c2hvcnQ"}')).not.toContain("c2hvcnQ");
});

test("PEM blocks go, also those cut off", () => {
  const { privateKey } = generateKeyPairSync("ec", { namedCurve: "P-256" });
  const pem = String(privateKey.export({ format: "pem", type: "pkcs8" }));
  const body = pem.split("\n")[1] ?? "";
  expect(redact(`before ${pem} after`)).toBe("before [redacted]\n after");
  expect(redact(`before ${pem.slice(0, 80)}`)).not.toContain(body.slice(0, 20));
});

test("tokens go", () => {
  expect(redact("authorization: Bearer abcdefghijklmnopqrstuvwxyz")).toBe("authorization: Bearer [redacted]");
  expect(redact("token eyJhbGciOiJub25lIn0.eyJhIjoxfQ.c2ln!")).toBe("token [redacted]!");
  expect(redact("AKV10000: Request is missing a Bearer or PoP token.")).toBe(
    "AKV10000: Request is missing a Bearer or PoP token.",
  );
});

test("no run of 40 or more random bytes survives in any usual encoding", () => {
  fc.assert(
    fc.property(fc.integer({ min: 32, max: 400 }), (length) => {
      const bytes = randomBytes(length);
      for (const encoding of ["base64", "base64url", "hex"] as const) {
        const text = bytes.toString(encoding);
        const clean = redact(`rejected '${text}'.`);
        // Base64 of one segment between slashes may stay if it is short; never two thirds of the whole.
        expect(clean.length).toBeLessThan(`rejected '${text}'.`.length * 0.67);
      }
    }),
  );
});

test("what the request carried goes, however short or plain", () => {
  expect(redact("the value hunter2 is too short", { secrets: ["hunter2"] })).toBe("the value [redacted] is too short");
});

test("names, ids, GUIDs, versions and resource ids stay", () => {
  const name = "ChallengeAuthCertificateName-AuthenticationShouldWorkForParallelRequests-46929985";
  for (const text of [
    `There was a conflict restoring the key 'https://v.vault.azure.net/keys/${name}/0123456789abcdef0123456789abcdef'.`,
    "Resource: '/subscriptions/12345678-1234-1234-1234-123456789012/resourcegroups/rg/providers/microsoft.keyvault/vaults/v'",
    "appid=3525c2f5-9605-4d01-b30b-59272b48be7f;oid=00000000-0000-0000-0000-000000000000;iss=https://sts.windows.net/x/",
    "https://go.microsoft.com/fwlink/?linkid=2125182",
  ]) {
    expect(redact(text)).toBe(text);
  }
  expect(redact(`"${name}" is taken`)).not.toContain(name);
  expect(redact(`"${name}" is taken`, { name })).toBe(`"${name}" is taken`);
});

test("an error carries no secret in any of its parts, causes and stack included", () => {
  const secret = randomBytes(48).toString("base64url");
  const cause = Object.assign(new Error(`inner ${secret}`, { cause: new Error(`innermost hunter2`) }), {
    code: "ECONNRESET",
    request: { body: secret },
  });
  const error = new KeyVaultError("KV_TRANSPORT", `failed with ${secret} and hunter2`, {
    hint: `do not ${secret}`,
    serviceCode: secret,
    cause,
    secrets: ["hunter2"],
  });
  const shown = [inspect(error, { depth: 10 }), JSON.stringify(error), error.stack].join("\n");
  expect(shown).not.toContain(secret);
  expect(shown).not.toContain("hunter2");
  expect(error.cause).toMatchObject({ code: "ECONNRESET", message: "inner [redacted]" });
});

const QUARTER_MEGABYTE = 256 * 1024;

test.each([
  "\\",
  '\\"',
  '\\"d\\":',
  '\\\\"d\\\\" ',
  '"d"',
  '"d" : ',
  '"value":"',
  "'k':'",
  '"oth":[',
  "-eyJ",
  "eyJaaaaaa",
  "eyJaaaaaa.",
  "Bearer ",
  "Bearer a",
  "PoP\t",
  "-----BEGIN ",
  "-----BEGIN A-----",
  "-----BEGIN A-----x-----END ",
  "-",
  "password",
  "password=",
  "password = ",
  "password ",
  "a1B",
  "aB/",
  "keys/",
  "0",
  " ",
  "\u001b",
  "\ud83d\ude00",
])("a text of nothing but %j costs no more than its length", (piece) => {
  const text = piece.repeat(Math.ceil(QUARTER_MEGABYTE / piece.length));
  const started = process.cpuUsage();
  for (const tail of ["", '"', "\\", " x"]) redact(text + tail);
  expect(process.cpuUsage(started).user / 1_000).toBeLessThan(400);
});

test("the code of what failed is told of a key that is named like a private member, and nothing else behind such a name", () => {
  const told = 'key "d": KV_FORBIDDEN: getKey "d" was refused';
  expect(redact(told)).toBe(told);
  expect(redact('"d": KV_secret and "k": KV_FORBIDDEN')).toBe('"d": "[redacted]" and "k": "[redacted]"');
});

test("a secret is withheld in a text of any length, also where the text is cut", () => {
  const secret = "correct horse battery staple";
  for (const at of [0, 65_520, 65_536 - secret.length, 65_530, 200_000]) {
    const clean = redact(" x".repeat(at / 2) + secret + " y".repeat(50_000), { secrets: [secret] });
    expect(clean).not.toMatch(/correct|horse|battery|staple/);
  }
  const number = randomBytes(300).toString("base64url");
  expect(redact(`${" x".repeat(32_740)} ${number}`)).not.toContain(number.slice(0, 12));
});
