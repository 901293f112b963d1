import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { startEmulator } from "../../emulator/index.js";
import { UNKNOWN } from "../../provider/engine/unknown.js";
import { call } from "../engine/vault-by-hand.js";
import { key, secret } from "./providers.js";

const vaultUrl = "https://contoso.vault.azure.net";
const folder = mkdtempSync(join(tmpdir(), "restore-"));
let keyBlob: string;
let secretBlob: string;

beforeAll(async () => {
  const vault = await startEmulator();
  await call(vault, "POST", "/keys/orders/create", { kty: "EC" });
  await call(vault, "PUT", "/secrets/db", { value: "v" });
  keyBlob = ((await call(vault, "POST", "/keys/orders/backup")) as { value: string }).value;
  secretBlob = ((await call(vault, "POST", "/secrets/db/backup")) as { value: string }).value;
  await vault.close();
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const checked = async (restoreFrom: unknown, rest: Record<string, unknown> = {}) => {
  const { inputs, failures } = await key.check({}, { vaultUrl, autoName: "auto", restoreFrom, ...rest });
  expect(JSON.stringify({ inputs, failures })).not.toContain(keyBlob.slice(50, 100));
  return { inputs, told: failures.map(({ reason }) => reason) };
};

describe("the source of a restore", () => {
  it("goes into the inputs as a digest with the version that it brings", async () => {
    const { inputs, told } = await checked({ blob: keyBlob, sourceName: "orders", version: "1a2b" });
    expect(told).toEqual([]);
    expect(inputs).toMatchObject({
      name: "orders",
      restore: expect.stringMatching(/^sha256:[\w-]{43} of version 1a2b$/),
    });
    expect(inputs).not.toHaveProperty("restoreFrom");
  });

  it("keeps the name that is known where the blob is not known yet", async () => {
    const { inputs, told } = await checked({ blob: UNKNOWN, sourceName: "orders", version: UNKNOWN });
    expect(told).toEqual([]);
    expect(inputs).toMatchObject({ name: "orders", restore: UNKNOWN });
  });

  it("is the same as text and as the bytes that az and PowerShell write", async () => {
    const bytes = join(folder, "bytes");
    writeFileSync(bytes, Buffer.from(keyBlob, "base64url"));
    const text = join(folder, "text");
    writeFileSync(text, `${keyBlob}\n`);
    const [fromBytes, fromText] = await Promise.all([bytes, text].map((file) => checked({ file }, { name: "orders" })));
    expect(fromBytes?.told).toEqual([]);
    expect(fromBytes?.inputs.restore).toBe(fromText?.inputs.restore);
  });

  it("may be the bytes of a Managed HSM's backup, which say nothing of their kind", async () => {
    const file = join(folder, "hsm");
    writeFileSync(file, `eyJhbGciOiJkaXIi.${"A".repeat(80)}.iv.text.tag`);
    expect((await checked({ file }, { name: "orders" })).told).toEqual([]);
  });

  it("is told by name where a backup does not hold it", async () => {
    const { told } = await checked({ sourceName: "nobody" });
    expect(told).toEqual(['KV_INVALID_INPUT: the backup to restore from holds no key "nobody"']);
  });

  it("is refused where it is of the other kind", async () => {
    expect((await checked({ blob: secretBlob }, { name: "orders" })).told).toEqual([
      expect.stringMatching(/KV_BACKUP_REJECTED: the blob to restore is the backup of a secret, and a key is needed/),
    ]);
    const { failures } = await secret.check({}, { vaultUrl, name: "db", restoreFrom: { blob: keyBlob } });
    expect(failures).toEqual([{ property: "", reason: expect.stringMatching(/is the backup of a key, and a secret/) }]);
  });

  it("has to agree with the name of the program, but for case", async () => {
    const source = { blob: keyBlob, sourceName: "orders" };
    expect((await checked(source, { name: "Orders" })).told).toEqual([]);
    expect((await checked(source, { name: "invoices" })).told).toEqual([
      expect.stringMatching(/^KV_INVALID_INPUT: name: a restored key keeps the name .* set it to "orders"/),
    ]);
  });

  it("is one source among others", async () => {
    expect((await checked({ blob: keyBlob }, { name: "orders", adopt: true })).told).toEqual([
      expect.stringMatching(/takes one source, and this one has restore and adopt/),
    ]);
  });
});
