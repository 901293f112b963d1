import { mkdirSync, mkdtempSync, realpathSync, rmSync, writeFileSync } from "node:fs";
import { type AddressInfo, createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, vi } from "vitest";
import { type Emulator, startEmulator, type VaultOptions } from "../../emulator/index.js";
import { key, keyInventory } from "../../provider/dynamic-v1.js";
import { KeyVaultClient } from "../../provider/keyvault/client.js";
import type { Clock } from "../../provider/keyvault/clock.js";
import { KeyVaultError } from "../../provider/keyvault/errors.js";
import { runCommand } from "../cli/command-line.js";
import { ecKey } from "../engine/demo-keys.js";
import { call, keyClient } from "../engine/vault-by-hand.js";
import { type Arguments, DrivenResource } from "../provider/driven-resource.js";
import { hurried, startEngineRun } from "../provider/engine-run.js";
import { readPage } from "./page.js";

/** The examples of docs/errors.md by their codes. */
const documented = new Map<string, string>();
for (const { note, text } of readPage("docs/errors.md").blocks) {
  const code = /^example (KV_\w+)$/.exec(note)?.[1];
  if (code !== undefined) documented.set(code, text.trimEnd());
}

/** Codes that are shown with a stand-in for the engine. */
const STANDS_IN: ReadonlySet<string> = new Set(["KV_STACK", "KV_PREVIEW_FAILED"]);

interface Scene {
  vault: Emulator;
  made(args: Arguments): Promise<unknown>;
  refused(args: Arguments): Promise<string>;
}

const source = { import: { jwk: ecKey().jwk } };

/** How to come to see each code, in this process and on the embedded vault. */
const scenes: Record<string, (scene: Scene) => Promise<unknown>> = {
  KV_INVALID_INPUT: ({ refused }) => refused({ name: "orders signing", ...source }),
  KV_INVALID_KEY_MATERIAL: ({ refused }) => refused({ import: { pem: "-----BEGIN PRIVATE KEY-----\nMIGH" } }),
  KV_UNAUTHENTICATED: ({ made }) => {
    vi.stubEnv("KEYVAULT_TOKEN", "");
    return made(source);
  },
  KV_FORBIDDEN: ({ vault, made }) => {
    vault.vault("emulator").configure({ permissions: principals({ keys: ["get", "list"] }) });
    return made(source);
  },
  KV_NOT_FOUND: ({ refused }) => refused({ adopt: true }),
  KV_ALREADY_EXISTS: async ({ vault, made }) => {
    await keyClient(vault).createEcKey("orders");
    return made(source);
  },
  KV_DELETED_RECOVERABLE: async ({ vault, made }) => {
    await keyClient(vault).createEcKey("orders");
    await call(vault, "DELETE", "/keys/orders");
    return made({ ...source, ifSoftDeleted: "fail" });
  },
  KV_UNMANAGED: async ({ vault }) => {
    await keyClient(vault).createEcKey("made-by-hand");
    const { inputs } = await keyInventory.check({}, { vaultUrl: vault.url, onUnmanaged: "fail" });
    return keyInventory.create(inputs);
  },
  KV_BUSY: ({ vault }) => {
    vault.faults.add({
      kind: "status",
      status: 409,
      code: "Conflict",
      innerCode: "ObjectIsBeingDeleted",
    });
    return asked(vault, (client) => client.createKey("orders", { keyType: "EC" }));
  },
  KV_CONFLICT: ({ vault }) => {
    vault.faults.add({ kind: "conflict" });
    return asked(vault, (client) => client.createKey("orders", { keyType: "EC" }));
  },
  KV_BACKUP_REJECTED: async ({ made }) => {
    const elsewhere = await startEmulator({ vaults: [{ name: "emulator", geography: "europe" }] });
    await keyClient(elsewhere).createEcKey("orders");
    const blob = Buffer.from((await keyClient(elsewhere).backupKey("orders")) ?? []).toString("base64url");
    await elsewhere.close();
    return made({ restore: { blob } });
  },
  KV_THROTTLED: ({ vault }) => {
    vault.faults.add({ kind: "throttled" });
    return asked(vault, (client) => client.getKey("orders"));
  },
  KV_UNAVAILABLE: ({ vault }) => {
    vault.faults.add({ kind: "status", status: 503 });
    return asked(vault, (client) => client.getKey("orders"));
  },
  KV_TIMEOUT: ({ vault }) => {
    vault.faults.add({ kind: "silence" });
    return asked(vault, (client) => client.getKey("orders"), hurried());
  },
  KV_TRANSPORT: async ({ vault }) => {
    await vault.close();
    return asked(vault, (client) => client.getKey("orders"));
  },
  KV_UNCERTAIN: ({ vault, made }) => {
    vault.faults.add({ kind: "drop", operation: "importKey" });
    return made(source);
  },
  KV_PROTOCOL: ({ vault, made }) => {
    vault.faults.add({ kind: "html", operation: "getKey" });
    return made(source);
  },
};

/** By the client alone, on a clock of its own. */
async function asked(
  { url: vaultUrl, token }: Emulator,
  ask: (client: KeyVaultClient) => Promise<unknown>,
  clock = waitless(),
): Promise<unknown> {
  const credential = { getToken: async () => ({ token, expiresOn: new Date("2099-01-01") }) };
  const client = new KeyVaultClient({ vaultUrl, credential, clock });
  try {
    return await ask(client);
  } catch (error) {
    throw error instanceof KeyVaultError ? new Error(`${error.code}: ${error.message}`) : error;
  } finally {
    await client.close();
  }
}

/** Waits between attempts end at once. The end of the call's time, two minutes away, comes by their sum alone. */
function waitless(): Clock {
  const clock = hurried();
  return { ...clock, schedule: (ms, callback) => (ms < 60_000 ? clock.schedule(ms, callback) : () => {}) };
}

function principals(permissions: { keys: string[] }): NonNullable<VaultOptions["permissions"]> {
  return { principals: { "emulator-owner": permissions } };
}

describe("the example of docs/errors.md for", () => {
  let vault: Emulator;

  beforeEach(async () => {
    vault = await startEmulator();
    startEngineRun(vault);
    vi.spyOn(process.stdout, "write").mockReturnValue(true);
  });
  afterEach(async () => {
    vi.restoreAllMocks();
    await vault.close();
  });

  it.each(Object.entries(scenes))("%s is what a program is told", async (code, scene) => {
    const resource = new DrivenResource(key, vault, { vaultUrl: vault.url, name: "orders" });
    const told = await scene({
      vault,
      made: (args) => resource.created(args),
      refused: (args) => resource.refused(args),
    }).catch((error: Error) => error.message);
    expect(shown(String(told), vault)).toBe(documented.get(code));
  });
});

describe("the example of docs/errors.md for a command:", () => {
  const folder = mkdtempSync(join(tmpdir(), "pulumi-keyvault-errors-"));
  const taken = createServer();
  let vault: Emulator;

  beforeAll(async () => {
    vault = await startEmulator();
    await keyClient(vault).createEcKey("orders");
    writeFileSync(join(folder, "preview.json"), "{}");
    writeFileSync(join(folder, "index.ts"), "");
    const noStack = "#!/bin/sh\necho \"error: no stack named 'staging' found\" >&2\nexit 255\n";
    mkdirSync(join(folder, "bin"));
    writeFileSync(join(folder, "bin/pulumi"), noStack, { mode: 0o755 });
    await new Promise<void>((done) => taken.listen(0, "127.0.0.1", done));
  });
  afterAll(async () => {
    taken.close();
    await vault.close();
    rmSync(folder, { recursive: true });
  });

  const commands: Record<string, () => string[]> = {
    KV_USAGE: () => ["inventory", "--al"],
    KV_FILE: () => ["drift", "--from", "nothing.json"],
    KV_FILE_EXISTS: () => ["adopt", "--vault", vault.url],
    KV_PORT: () => ["emulator", "--port", String((taken.address() as AddressInfo).port)],
    KV_ENGINE_NOT_FOUND: () => ["drift"],
    KV_STACK: () => ["inventory", "--vault", vault.url, "--stack", "staging"],
    KV_NOT_A_PREVIEW: () => ["drift", "--from", "preview.json"],
    KV_PREVIEW_FAILED: () => ["drift", "--stack", "staging"],
  };
  // A stand-in for the engine is a script for a shell.
  const shown = Object.entries(commands).filter(([code]) => process.platform !== "win32" || !STANDS_IN.has(code));

  it.each(shown)("%s is what it says", async (code, args) => {
    const env = {
      PATH: join(folder, STANDS_IN.has(code) ? "bin" : "no-engine"),
      KEYVAULT_CREDENTIAL: "token",
      KEYVAULT_TOKEN: vault.token,
    };
    const { stderr } = await runCommand(args(), { cwd: folder, env });
    expect(
      stderr
        .trimEnd()
        .replaceAll(realpathSync(folder), "/home/me/shop")
        .replace(/port \d+/, "port 8443"),
    ).toBe(documented.get(code));
  });
});

it("every code has an example", () => {
  const rows = [...readPage("docs/errors.md").text.matchAll(/^\| `(KV_[A-Z_]+)` +\|/gm)].map(([, code = ""]) => code);
  expect(rows.length).toBeGreaterThan(20);
  expect(rows.filter((code) => !documented.has(code))).toEqual([]);
});

/** With what is another each time left out. */
function shown(text: string, { url }: Emulator): string {
  return text
    .replaceAll(url, "https://contoso.vault.azure.net")
    .replace(/\b[0-9a-f]{8}-[0-9a-f-]{27}\b/g, "…")
    .replace(/\b[0-9a-f]{32}\b/g, "…")
    .replace(/\d{4}-\d\d-\d\dT[\d:.]+Z/g, "…");
}
