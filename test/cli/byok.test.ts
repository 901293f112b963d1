import { createPrivateKey, generateKeyPairSync } from "node:crypto";
import { mkdtemp, readdir, readFile, rm, stat, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type Emulator, startEmulator } from "../../emulator/index.js";
import { readKeyMaterial } from "../../provider/material/key-material.js";
import { askedOperations } from "../emulator/asked-requests.js";
import { ecKey, rsaKey } from "../engine/demo-keys.js";
import { type CommandRun, runCommand } from "./command-line.js";
import { type CallVault, vaultCaller } from "./vault-caller.js";

interface Key {
  key: { kid: string; kty: string; n?: string; x?: string };
}

describe("pulumi-keyvault byok", () => {
  const signing = rsaKey();
  const curved = ecKey("secp384r1");
  let vault: Emulator;
  let call: CallVault;
  let folder: string;
  let kid: string;

  beforeAll(async () => {
    vault = await startEmulator();
    call = vaultCaller(vault);
    kid = ((await call("POST", "/keys/kek/create", { kty: "RSA-HSM", key_ops: ["import"] })) as Key).key.kid;
    await call("POST", "/keys/software/create", { kty: "RSA" });
    await call("POST", "/keys/old/create", { kty: "RSA-HSM", key_ops: ["import"] });
    await call("PATCH", "/keys/old", { attributes: { exp: 1_600_000_000 } });
    folder = await mkdtemp(join(tmpdir(), "pulumi-keyvault-byok-"));
    const encrypted = signing.key.export({
      type: "pkcs8",
      format: "pem",
      cipher: "aes-256-cbc",
      passphrase: "open sesame",
    });
    await writeFile(join(folder, "signing.pem"), encrypted);
    await writeFile(join(folder, "signing.pass"), "open sesame\n");
    await writeFile(join(folder, "curved.pem"), curved.pkcs8);
  });
  afterAll(async () => {
    await vault?.close();
    await rm(folder, { recursive: true });
  });

  const run = (...args: string[]): Promise<CommandRun> =>
    runCommand(["byok", ...args], {
      cwd: folder,
      env: { KEYVAULT_CREDENTIAL: "token", KEYVAULT_TOKEN: vault.token, SIGNING_PASS: "open sesame" },
    });
  const curve = (...args: string[]) => run("--key", "curved.pem", ...args);
  const imported = async (name: string, file: string, kty: string, crv?: string) => {
    const key_hsm = (await readFile(join(folder, file))).toString("base64url");
    return (await call("PUT", `/keys/${name}`, { key: { kty, ...(crv ? { crv } : {}), key_hsm } })) as Key;
  };

  it("writes a file for its owner alone, which the vault opens as az would import it", async () => {
    const { exitCode, stdout, stderr } = await run(
      ...["--key", "signing.pem", "--passphrase-env", "SIGNING_PASS"],
      ...["--kek", `${vault.url}/keys/kek`, "--out", "signing.byok"],
    );
    expect({ exitCode, stderr }).toEqual({ exitCode: 0, stderr: "" });
    expect(stdout).toContain(readKeyMaterial(signing.pkcs8).thumbprint);
    expect(stdout).toContain(kid);
    expect((await stat(join(folder, "signing.byok"))).mode & 0o777).toBe(0o600);
    const { key } = await imported("signing", "signing.byok", "RSA-HSM");
    expect(key).toMatchObject({ kty: "RSA-HSM", n: signing.jwk.n });
    const text = await readFile(join(folder, "signing.byok"), "utf8");
    expect(signing.canaries.filter((canary) => `${text}${stdout}`.includes(canary))).toEqual([]);
  });

  it("takes vault and name, and a passphrase from a file", async () => {
    const { exitCode } = await run(
      ...["--key", "signing.pem", "--passphrase-file", "signing.pass"],
      ...["--vault", vault.url, "--kek", "kek", "--out", "by-name.byok", "--quiet"],
    );
    expect(exitCode).toBe(0);
    expect((await imported("by-name", "by-name.byok", "RSA-HSM")).key.n).toBe(signing.jwk.n);
  });

  it("asks nothing where the public half of the exchange key is at hand, and says how az imports a curve", async () => {
    const publicKey = generateKeyPairSync("rsa", { modulusLength: 2048 }).publicKey;
    await writeFile(join(folder, "kek.pem"), publicKey.export({ type: "spki", format: "pem" }));
    vault.requests.clear();
    const id = "https://contoso.vault.azure.net/keys/kek/0123456789abcdef0123456789abcdef";
    const { exitCode, stdout } = await curve("--kek", id, "--kek-pem", "kek.pem", "--out", "offline.byok");
    expect(exitCode).toBe(0);
    expect(askedOperations(vault)).toEqual([]);
    expect(stdout).toContain(
      "az keyvault key import --vault-name contoso --name NAME --byok-file offline.byok --kty EC --curve P-384",
    );
    expect(JSON.parse(await readFile(join(folder, "offline.byok"), "utf8")).header.kid).toBe(id);
  });

  it("names the exchange key of an embedded vault by the vault's own address, in the file and in what it says", async () => {
    const embedded = await startEmulator({ store: join(folder, "dev.vault") });
    const request = { kty: "RSA-HSM", key_ops: ["import"] };
    const { key } = (await vaultCaller(embedded)("POST", "/keys/kek/create", request)) as Key;
    await embedded.close();
    const { exitCode, stdout } = await curve("--kek", "embedded:./dev.vault/keys/kek", "--out", "embedded.byok");
    expect(exitCode).toBe(0);
    const id = `embedded:./dev.vault/keys/kek/${key.kid.split("/").at(-1)}`;
    expect(stdout).toContain(`that ${id} alone can open`);
    expect(JSON.parse(await readFile(join(folder, "embedded.byok"), "utf8")).header.kid).toBe(id);
  });

  it("never overwrites a file, and asks nothing before it says so", async () => {
    await writeFile(join(folder, "there.byok"), "something else");
    vault.requests.clear();
    const { exitCode, stderr } = await curve("--kek", `${vault.url}/keys/kek`, "--out", "there.byok");
    expect(exitCode).toBe(1);
    expect(stderr).toMatch(/^pulumi-keyvault byok: KV_FILE_EXISTS: there\.byok exists.*take that one away first/);
    expect(await readFile(join(folder, "there.byok"), "utf8")).toBe("something else");
    expect(askedOperations(vault)).toEqual([]);
  });

  it.each<[string, () => string[], RegExp]>([
    [
      "an exchange key in software",
      () => ["--kek", `${vault.url}/keys/software`],
      /KV_USAGE: .*of type RSA, and an exchange key is of type RSA-HSM/,
    ],
    ["an expired one", () => ["--kek", `${vault.url}/keys/old`], /KV_USAGE: .*has expired on 2020-09-13T12:26:40Z/],
    ["one that is not there", () => ["--kek", `${vault.url}/keys/nobody`], /KV_NOT_FOUND: /],
    ["the id of a secret", () => ["--kek", `${vault.url}/secrets/db`], /KV_INVALID_INPUT: .*secrets, not of its keys/],
    ["an id and a vault", () => ["--kek", kid, "--vault", vault.url], /KV_USAGE: .*leave --vault out/],
    ["a name alone", () => ["--kek", "kek"], /KV_USAGE: .*--vault/],
    [
      "a public half of no version",
      () => ["--kek", `${vault.url}/keys/kek`, "--kek-pem", "kek.pem"],
      /KV_USAGE: .*id of a version/,
    ],
    [
      "a private key for the public half",
      () => ["--kek", kid, "--kek-pem", "curved.pem"],
      /KV_FILE: --kek-pem is no public RSA key/,
    ],
    ["a file that is not there for it", () => ["--kek", kid, "--kek-pem", "nothing.pem"], /KV_FILE: .*no such file/],
    [
      "two passphrases",
      () => ["--kek", kid, "--passphrase-env", "A", "--passphrase-file", "b"],
      /KV_USAGE: .*both name the passphrase/,
    ],
  ])("refuses %s, and writes nothing", async (_what, args, why) => {
    const before = await readdir(folder);
    const { exitCode, stdout, stderr } = await curve(...args(), "--out", "refused.byok");
    expect({ exitCode, stdout }).toEqual({ exitCode: 1, stdout: "" });
    expect(stderr).toMatch(why);
    expect(await readdir(folder)).toEqual(before);
  });

  it.each<[string, string[], RegExp]>([
    ["a key that is not there", ["--key", "nothing.pem"], /KV_FILE: .*does not exist/],
    ["a key without its passphrase", ["--key", "signing.pem"], /KV_INVALID_KEY_MATERIAL: .*passphrase/],
    ["what is no key", ["--key", "signing.pass"], /KV_INVALID_KEY_MATERIAL/],
  ])("refuses %s", async (_what, key, why) => {
    const { exitCode, stderr } = await run(...key, "--kek", kid, "--out", "refused.byok");
    expect(exitCode).toBe(1);
    expect(stderr).toMatch(why);
    expect(stderr).not.toContain("sesame");
  });

  it("makes what a program imports", async () => {
    await curve("--kek", kid, "--out", "program.byok");
    const blob = await readFile(join(folder, "program.byok"), "utf8");
    const material = readKeyMaterial(blob, { keyType: "EC-HSM", curve: "P-384" });
    expect(material.exchangeKeyId).toBe(kid);
    const { key } = await imported("program", "program.byok", "EC-HSM", "P-384");
    expect(key.x).toBe(createPrivateKey(curved.pkcs8).export({ format: "jwk" }).x);
  });
});
