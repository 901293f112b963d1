import { execFileSync } from "node:child_process";
import { chmodSync, mkdirSync, mkdtempSync, rmSync, truncateSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { type KeyMaterial, readKeyMaterial } from "../../provider/material/key-material.js";
import { type ReadKeySourceOptions, readKeySource } from "../../provider/material/key-source.js";
import { MaterialError } from "../../provider/material/material-error.js";
import { refusalOf } from "./refusal.js";
import { canaries, ecKey, jwkOf, pemOf } from "./sample-keys.js";

const key = ecKey();
const jwk = jwkOf(key);
const pem = pemOf(key);
const closed = key
  .export({ type: "pkcs8", format: "pem", cipher: "aes-256-cbc", passphrase: "canary-pass" })
  .toString();
const secrets = [...canaries(jwk), "canary-pass", pem.split("\n")[1] ?? ""];
const { thumbprint } = readKeyMaterial(pem);

let cwd = "";
beforeAll(() => {
  cwd = mkdtempSync(join(tmpdir(), "key-source-"));
  mkdirSync(join(cwd, "folder"));
  writeFileSync(join(cwd, "key.pem"), pem);
  writeFileSync(join(cwd, "closed.pem"), closed);
  writeFileSync(join(cwd, "pass.txt"), "canary-pass\r\n");
});
afterAll(() => rmSync(cwd, { recursive: true, force: true }));

function found(source: unknown, options: ReadKeySourceOptions = {}): KeyMaterial {
  const result = readKeySource(source, { cwd, ...options });
  if (result.status !== "material") throw new Error(result.reason);
  return result.material;
}

function absence(source: unknown, options: ReadKeySourceOptions = {}): string {
  const result = readKeySource(source, { cwd, ...options });
  return result.status === "absent" ? result.reason : "present";
}

function refused(source: unknown, options: ReadKeySourceOptions = {}): string {
  return refusalOf(() => readKeySource(source, { cwd, ...options }), secrets).join("\n");
}

describe("material at hand", () => {
  test("inline, as text or as an object", () => {
    for (const source of [{ jwk }, { jwk: JSON.stringify(jwk) }, { pem }, { pem, file: undefined, passphrase: null }]) {
      expect(found(source).thumbprint).toBe(thumbprint);
    }
  });

  test("in a file, by a path relative to the program or absolute", () => {
    expect(found({ file: "key.pem" }).thumbprint).toBe(thumbprint);
    expect(found({ file: join(cwd, "key.pem") }, { cwd: "/" }).thumbprint).toBe(thumbprint);
  });

  test("in an environment variable", () => {
    expect(found({ env: "KEY" }, { env: { KEY: pem } }).thumbprint).toBe(thumbprint);
  });

  test("with its passphrase inline, in a variable, or in a file that ends with a line break", () => {
    const env = { PASS: "canary-pass" };
    for (const passphrase of ["canary-pass", { env: "PASS" }, { file: "pass.txt" }]) {
      expect(found({ file: "closed.pem", passphrase }, { env }).thumbprint).toBe(thumbprint);
      expect(found({ pem: closed, passphrase }, { env }).thumbprint).toBe(thumbprint);
    }
  });

  test("a transfer blob with what it holds", () => {
    const byok = {
      schema_version: "1.0.0",
      header: { kid: "https://v.vault.azure.net/keys/kek/0", alg: "dir", enc: "CKM_RSA_AES_KEY_WRAP" },
      ciphertext: "A".repeat(800),
    };
    const expected = { kty: "EC-HSM", crv: "P-384" };
    expect(found({ byok, keyType: "EC-HSM", curve: "P-384" }).importable).toMatchObject(expected);
    writeFileSync(join(cwd, "key.byok"), JSON.stringify(byok));
    expect(found({ file: "key.byok", keyType: "EC-HSM", curve: "P-384" }).importable).toMatchObject(expected);
  });

  test("symmetric keys where the plane takes them", () => {
    const oct = { jwk: { kty: "oct", k: "A".repeat(43) } };
    expect(found(oct, { allowSymmetric: true }).keyType).toBe("oct");
    expect(refused(oct)).toMatch(/Managed HSM only/);
  });
});

describe("material that is not at hand", () => {
  test("a missing file is told by its path", () => {
    expect(absence({ file: "none.pem" })).toBe(`file ${JSON.stringify(join(cwd, "none.pem"))} does not exist`);
    expect(absence({ file: "key.pem/inside" })).toMatch(/does not exist/);
  });

  test("an unset or empty variable is told by its name", () => {
    expect(absence({ env: "KEY" }, { env: {} })).toBe("environment variable KEY is not set");
    expect(absence({ env: "KEY" }, { env: { KEY: " " } })).toBe("environment variable KEY is empty");
  });

  test("an undefined or empty inline value", () => {
    for (const source of [{ pem: undefined }, {}, { passphrase: "canary-pass" }]) {
      expect(absence(source)).toMatch(/has no value/);
    }
    expect(absence({ pem: "" })).toBe("pem is empty");
  });

  test("a passphrase that is not at hand", () => {
    expect(absence({ file: "closed.pem", passphrase: { env: "PASS" } }, { env: {} })).toMatch(
      /passphrase in environment variable PASS is not set/,
    );
    expect(absence({ file: "closed.pem", passphrase: { file: "none" } })).toMatch(
      /passphrase in file .* does not exist/,
    );
  });
});

describe("sources that make no sense", () => {
  test("no object, two sources, unknown members and wrong types, all at once", () => {
    expect(refused("key.pem")).toMatch(/has to be an object: give exactly one of jwk, pem, pfx, byok, file, env/);
    expect(refused([])).toMatch(/has to be an object/);
    const problems = refusalOf(
      () => readKeySource({ pem, file: 7, passPhrase: "canary-pass", passphrase: {}, jwk: 1 }),
      secrets,
    );
    expect(problems).toEqual([
      expect.stringMatching(/1 unknown member/),
      expect.stringMatching(/3 sources \(jwk, pem, file\)/),
      expect.stringMatching(/file has to be a string/),
      expect.stringMatching(/jwk has to be a string or an object/),
      expect.stringMatching(/passphrase has to be/),
    ]);
    expect(refused({ pem: closed, passphrase: { env: "A", file: "b" } })).toMatch(/passphrase has to be/);
  });

  test("material or a passphrase in the place of a path or name is not repeated", () => {
    expect(refused({ file: pem })).toMatch(/file has to hold a path/);
    expect(refused({ file: JSON.stringify(jwk) })).toMatch(/file has to hold a path/);
    expect(refused({ env: pem })).toMatch(/name of an environment variable/);
    expect(refused({ env: "canary-pass" })).toMatch(/name of an environment variable/);
    expect(refused({ file: "closed.pem", passphrase: { file: pem } })).toMatch(/passphrase.file has to hold a path/);
    expect(refused({ file: "" })).toMatch(/file has to hold a path/);
  });

  test("the place is told with each problem", () => {
    writeFileSync(join(cwd, "text.pem"), "hello, world");
    const error = caught(() => readKeySource({ file: "text.pem" }, { cwd }));
    expect(error.message).toMatch(/^file ".*text\.pem" cannot be imported: it is none of the kinds/);
    expect(caught(() => readKeySource({ jwk: { kty: "EC" } })).message).toMatch(/^jwk cannot be imported: /);
  });
});

describe("files that cannot be read", () => {
  test("a folder", () => {
    expect(refused({ file: "folder" })).toMatch(/is a folder: give the path of a file/);
  });

  test("50 MB", () => {
    const path = join(cwd, "large.pem");
    writeFileSync(path, "");
    truncateSync(path, 50 * 1024 * 1024);
    expect(refused({ file: "large.pem" })).toMatch(/larger than 1 MiB/);
  });

  test("an endless device", () => {
    expect(refused({ file: "/dev/zero" })).toMatch(/no regular file/);
  });

  test("a pipe, without waiting for its other end", () => {
    execFileSync("mkfifo", [join(cwd, "pipe")]);
    expect(refused({ file: "pipe" })).toMatch(/no regular file/);
  });

  const isRoot = process.getuid?.() === 0;
  test.skipIf(isRoot)(`one without read permission${isRoot ? " (skipped: root may read everything)" : ""}`, () => {
    writeFileSync(join(cwd, "locked.pem"), pem);
    chmodSync(join(cwd, "locked.pem"), 0);
    expect(refused({ file: "locked.pem" })).toMatch(/cannot be read \(EACCES\): grant read access/);
  });

  test("an empty one", () => {
    writeFileSync(join(cwd, "empty.pem"), "");
    expect(refused({ file: "empty.pem" })).toBe("it is empty");
  });
});

function caught(run: () => unknown): MaterialError {
  try {
    run();
  } catch (error) {
    if (error instanceof MaterialError) return error;
  }
  throw new TypeError("nothing was refused");
}
