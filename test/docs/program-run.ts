import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import * as pulumi from "@pulumi/pulumi";
import { setMockOptions } from "@pulumi/pulumi/runtime/settings.js";
import { vi } from "vitest";
import { type Emulator, startEmulator } from "../../emulator/index.js";
import * as lifecycles from "../../provider/dynamic-v1.js";
import type { DynamicProvider } from "../../provider/engine/lifecycle.js";
import { tellThrough } from "../../provider/engine/progress.js";
import { useRunClock } from "../../provider/engine/run-clock.js";
import * as keyvault from "../../sdk/index.js";
import { encryptedPem, keyPem } from "../engine/key-pem.js";
import { keyClient, secretClient } from "../engine/vault-by-hand.js";
import { hurried, nextEngineRun } from "../provider/engine-run.js";
import { stored } from "../provider/stored.js";
import { missingImports, root } from "./page.js";

const PROJECT = "shop";
const STACK = "prod";
const PASSPHRASE = "of a page";

/**
 * Runs programs of pages in this process: Pulumi's mocks stand in for the engine, and hand each resource to its
 * provider, which works on embedded vaults. What a preview or an update would refuse is a problem.
 */
export class ProgramRun {
  readonly folder: string;
  readonly problems: string[] = [];
  private readonly vaults = new Map<string, Emulator>();
  private readonly home = process.cwd();
  private readonly pending: Promise<unknown>[] = [];
  private made: keyvault.Key | undefined;
  private programs = 0;

  constructor() {
    mkdirSync(join(root, ".tmp"), { recursive: true });
    this.folder = mkdtempSync(join(root, ".tmp/pages-"));
    process.chdir(this.folder);
  }

  async close(): Promise<void> {
    process.chdir(this.home);
    await Promise.all([...this.vaults.values()].map((vault) => vault.close()));
    rmSync(this.folder, { recursive: true });
    useRunClock();
    tellThrough();
  }

  /** Everything is there that a page takes for granted, and nothing of an earlier program. */
  async prepare(text: string): Promise<void> {
    await Promise.all([...this.vaults.values()].map((vault) => vault.close()));
    this.vaults.clear();
    this.problems.length = 0;
    this.pending.length = 0;
    this.made = undefined;
    nextEngineRun();
    tellThrough(() => {});
    useRunClock(hurried((ms) => Promise.all([...this.vaults.values()].map(({ clock }) => clock.advance(ms)))));
    vi.stubEnv("KEYVAULT_CREDENTIAL", "token");
    vi.stubEnv("KEYVAULT_TOKEN", "of-a-page");
    vi.stubEnv(
      "KEYVAULT_CREDENTIALS",
      JSON.stringify({ partner: { type: "token", token: { env: "KEYVAULT_TOKEN" } } }),
    );
    for (const name of ["SIGNING_PASS", "KEYS_PASS", "SMTP_PASSWORD"]) vi.stubEnv(name, PASSPHRASE);
    const isEncrypted = text.includes("SIGNING_PASS");
    writeFileSync(join(this.folder, "signing.pem"), isEncrypted ? encryptedPem(PASSPHRASE) : keyPem());
    mkdirSync(join(this.folder, "keys"), { recursive: true });
    writeFileSync(join(this.folder, "keys/pump-17.pem"), encryptedPem(PASSPHRASE));
    this.startRun();
  }

  /** The vault that stands for one of Azure. */
  async vault(host: string): Promise<Emulator> {
    const [name = "", plane] = host.split(".");
    const found = this.vaults.get(host);
    if (found) return found;
    const vault = await startEmulator({ vaults: [{ name, plane: plane === "managedhsm" ? "managedhsm" : "vault" }] });
    this.vaults.set(host, vault);
    return vault;
  }

  /** Runs a program to its end, `export =` of a function included, and tells what went wrong. */
  async run(text: string): Promise<string[]> {
    const local = await this.onEmbeddedVaults(text);
    const file = join(this.folder, `program-${this.programs++}.mts`);
    writeFileSync(
      file,
      `${missingImports(local)}${local}`
        .replaceAll('"pulumi-keyvault"', '"../../sdk/index.ts"')
        .replaceAll('"pulumi-keyvault/emulator"', '"../../emulator/index.ts"')
        .replace(/^export = /m, "export default "),
    );
    const given = await this.given(local);
    for (const [name, value] of Object.entries(given)) vi.stubGlobal(name, value);
    try {
      const module: { default?: unknown } = await import(/* @vite-ignore */ pathToFileURL(file).href);
      if (typeof module.default === "function") await module.default();
      await Promise.all(Object.values(module).map((value) => settled(value)));
    } catch (error) {
      this.problems.push(String(error));
    }
    await pulumi.runtime.disconnect();
    await Promise.all(this.pending);
    return [...new Set(this.problems)];
  }

  private async onEmbeddedVaults(text: string): Promise<string> {
    let local = text;
    for (const [url = "", host = ""] of text.matchAll(/https:\/\/([\w-]+\.(?:vault|managedhsm)\.azure\.net)/g)) {
      local = local.replaceAll(url, (await this.vault(host)).url);
    }
    return local;
  }

  /** What stands in `test/docs/programs.test.ts` as a type, as a value. Only what the program names is made. */
  private async given(text: string): Promise<Record<string, unknown>> {
    const vault = await this.vault("contoso.vault");
    vi.stubEnv("AZURE_KEYVAULT_URL", vault.url);
    const code = text.replace(/"[^"\n]*"|\/\/.*$/gm, "");
    const isNamed = (name: string): boolean =>
      new RegExp(`(?<![\\w.])${name}\\b(?!:)`).test(code) && !new RegExp(`\\b(const|class) ${name}\\b`).test(code);
    const vaultUrl = vault.url;
    const makers: Record<string, () => unknown> = {
      vaultUrl: () => vaultUrl,
      standby: async () => (await this.vault("standby.vault")).url,
      vault: () => vault,
      manifest: () => "what is signed",
      ciphertext: async () => {
        const key = await keyClient(vault).createRsaKey("bootstrap");
        const { ciphertext } = await keyvault.encrypt({ id: key.id ?? "", algorithm: "RSA-OAEP-256", plaintext: "x" });
        return ciphertext;
      },
      signing: () => this.key(vaultUrl),
      password: () => new keyvault.Secret("given", { vaultUrl, name: "db", value: "a value" }),
      signingBackup: () => new keyvault.KeyBackup("given", { key: this.key(vaultUrl) }),
      all: () => this.everything(vaultUrl),
      primary: () => new pulumi.StackReference("organization/backup-and-restore/dev"),
      postgres: () => ({ Role: this.roleClass() }),
    };
    // What a function of the page reads.
    if (/getSecret/.test(text)) await secretClient(vault).setSecret("db", "a value");
    if (/getKey\(/.test(text)) await keyClient(vault).createEcKey("orders-signing");
    const given: Record<string, unknown> = {};
    for (const [name, make] of Object.entries(makers)) if (isNamed(name)) given[name] = await make();
    if (text.includes("orders-signing.keybackup")) {
      const { blob } = new keyvault.KeyBackup("file", { key: this.key(vaultUrl) });
      writeFileSync(join(this.folder, "orders-signing.keybackup"), String(await settled(blob)));
    }
    // What comes from another stack is for another vault.
    if (/\bprimary\b|\.keybackup/.test(text)) vi.stubEnv("AZURE_KEYVAULT_URL", (await this.vault("standby.vault")).url);
    return given;
  }

  /** The key that a page has made before. */
  private key(vaultUrl: string): keyvault.Key {
    this.made ??= new keyvault.Key("given", { vaultUrl, name: "orders-signing", generate: { keyType: "EC" } });
    return this.made;
  }

  /** A resource of somebody else's that takes what a function gives. */
  private roleClass() {
    const { pending } = this;
    return class {
      constructor(_name: string, { password }: { password: unknown }) {
        pending.push(settled(password));
      }
    };
  }

  private everything(vaultUrl: string): keyvault.VaultBackup {
    return new keyvault.VaultBackup("given", { vaultUrl, keys: [this.key(vaultUrl)] });
  }

  private startRun(): void {
    pulumi.runtime.setMocks(
      {
        newResource: (args) => this.registered(args),
        call: ({ token }) => this.refused(`${token} was not asked of a vault`),
      },
      PROJECT,
      STACK,
    );
    const monitor = pulumi.runtime.getMonitor();
    if (typeof monitor !== "object" || monitor === null) throw new Error("Pulumi has no monitor");
    // A function that sees the mocks asks them, and not the vault.
    const unseen = new Proxy(monitor, { has: (target, name) => name !== "mocks" && Reflect.has(target, name) });
    setMockOptions(unseen, PROJECT, STACK);
  }

  private refused(problem: string): Record<string, never> {
    this.problems.push(problem);
    return {};
  }

  /** As the engine does it: a check, and what it leaves is created. */
  private async registered({ type, name, inputs }: pulumi.runtime.MockResourceArgs) {
    if (type === "pulumi:pulumi:StackReference") {
      const outputs = await this.outputs();
      return { id: name, state: { name, outputs, secretOutputNames: Object.keys(outputs) } };
    }
    const lifecycle = lifecycleOf(type);
    if (lifecycle === undefined) return { id: name, state: inputs };
    try {
      const { __provider: _text, ...args } = stored(inputs);
      const checked = await lifecycle.check({}, args);
      if (checked.failures.length > 0) throw new Error(checked.failures.map(({ reason }) => reason).join("\n"));
      const { id, outs } = await lifecycle.create(stored(checked.inputs));
      return { id, state: stored(outs) };
    } catch (error) {
      this.problems.push(`${type} ${name}: ${String(error)}`);
      return { id: name, state: inputs };
    }
  }

  /** What the other stack of a page has as its outputs. */
  private async outputs(): Promise<Record<string, unknown>> {
    const { url } = await this.vault("contoso.vault");
    const all = this.everything(url);
    const backup = new keyvault.KeyBackup("given", { key: this.key(url) });
    return { backup: await settled(all.restorable), forOthers: await settled(backup.restorable) };
  }
}

function lifecycleOf(type: string): DynamicProvider | undefined {
  const [, className] = /^pulumi-nodejs:dynamic\/keyvault:(\w+)$/.exec(type) ?? [];
  if (className === undefined) return undefined;
  const exported: Record<string, unknown> = { ...lifecycles };
  return exported[className.charAt(0).toLowerCase() + className.slice(1)] as DynamicProvider;
}

/** What an Output holds; anything else as it is. */
function settled(value: unknown): Promise<unknown> {
  if (!pulumi.Output.isInstance(value)) return Promise.resolve(value);
  return (value as unknown as { promise(): Promise<unknown> }).promise();
}
