import { X509Certificate } from "node:crypto";
import { lookup } from "node:dns/promises";
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { type Emulator, StoreError, startEmulator } from "../../emulator/index.js";
import { isLoopbackHost } from "../../provider/keyvault/identifier.js";
import { CliError } from "../failure/cli-error.js";
import { writeOwnFile } from "../files/own-file.js";
import { refuseExisting, writeFiles } from "../files/write-files.js";
import { writtenPath } from "../files/written-path.js";
import { printable } from "../text/terminal-text.js";
import type { EmulatorCommandOptions } from "./emulator-options.js";
import { parseFault } from "./fault-rule.js";
import type { Seed } from "./seed-document.js";

/** The command: serves until it is told to stop. */
export async function runEmulator(given: EmulatorCommandOptions): Promise<void> {
  const options = withHomePaths(given);
  const force = options.force === true;
  await refuseExisting(options.writeEnv === undefined ? [] : [{ path: options.writeEnv }], force);
  if (options.caFile !== undefined && !force) await refuseForeign(options.caFile);
  const faults = options.fault.map(parseFault);
  const seed = options.seedFrom === undefined ? undefined : await readSource(options.seedFrom, options.credential);
  const stop = stopSignal();
  const emulator = await start(options);
  const cleanUps: (() => Promise<void>)[] = [() => emulator.close()];
  try {
    const seeded = seed ? await fill(emulator, options.plane, seed) : [];
    for (const fault of faults) emulator.faults.add(fault);
    const caFile = await writeAuthority(emulator, options.caFile, cleanUps);
    const place = await placeOf(emulator, options);
    const comments = options.quiet ? [] : [...description(emulator, place, options), ...seeded];
    const text = [...comments, ...environment(emulator, place.url, caFile)].join("\n");
    if (options.writeEnv !== undefined) {
      cleanUps.push(await writeOwnFile({ path: options.writeEnv, content: `${text}\n` }, force));
    }
    process.stdout.write(`${text}\n`);
    await stop;
  } finally {
    for (const cleanUp of cleanUps.reverse()) await cleanUp();
  }
}

function withHomePaths(options: EmulatorCommandOptions): EmulatorCommandOptions {
  const { store, caFile, writeEnv } = options;
  return {
    ...options,
    ...(store === undefined ? {} : { store: writtenPath(store) }),
    ...(caFile === undefined ? {} : { caFile: writtenPath(caFile) }),
    ...(writeEnv === undefined ? {} : { writeEnv: writtenPath(writeEnv) }),
  };
}

/** The certificate of an earlier run is replaced; anything else in its place is somebody's. */
async function refuseForeign(caFile: string): Promise<void> {
  const there = await readFile(caFile, "utf8").catch(() => undefined);
  if (there === undefined || !isOwnAuthority(there)) await refuseExisting([{ path: caFile }], false);
}

function isOwnAuthority(pem: string): boolean {
  try {
    return new X509Certificate(pem).subject.startsWith("CN=Key Vault emulator ");
  } catch {
    return false;
  }
}

/** Listening from the start: a signal that comes while the vault is being filled ends it as well. */
function stopSignal(): Promise<void> {
  return new Promise((done) => {
    for (const signal of ["SIGTERM", "SIGINT", "SIGHUP"] as const) process.once(signal, () => done());
  });
}

async function start(options: EmulatorCommandOptions): Promise<Emulator> {
  const names = options.vault.length > 0 ? options.vault : ["emulator"];
  const { plane, sku, timing, tls, store, port, seed, throttling } = options;
  try {
    return await startEmulator({
      vaults: names.map((name) => ({ name, plane, sku })),
      timing,
      tls,
      ...(store === undefined ? {} : { store: resolve(store) }),
      ...(port === undefined ? {} : { port }),
      ...(seed === undefined ? {} : { seed }),
      ...(throttling === undefined ? {} : { throttling: throttling === true ? true : { scale: throttling } }),
      onFailure: () =>
        process.stderr.write("pulumi-keyvault emulator: a request was answered with 500, by a fault of the emulator\n"),
    });
  } catch (error) {
    throw startFailure(error, options);
  }
}

function startFailure(error: unknown, { port }: EmulatorCommandOptions): unknown {
  if (error instanceof RangeError) return new CliError("KV_USAGE", error.message.replace(/\.$/, ""));
  if (error instanceof StoreError) return new CliError("KV_FILE", error.message.replace(/\.$/, ""));
  if (!(error instanceof Error)) return error;
  const code = "code" in error ? String(error.code) : "";
  const isOfPort = "syscall" in error && error.syscall === "listen";
  if (isOfPort && code === "EADDRINUSE") {
    return new CliError("KV_PORT", `port ${port} is taken: choose another one with --port, or leave it out`);
  }
  if (isOfPort) return new CliError("KV_PORT", `port ${port} may not be opened (${code}): choose one above 1023`);
  return error;
}

async function readSource(source: string, credential: string | undefined): Promise<Seed> {
  const { readSeed } = await import("./seed-vault.js");
  return readSeed(source, credential);
}

async function fill(emulator: Emulator, plane: "vault" | "managedhsm", seed: Seed): Promise<string[]> {
  const { seedVault } = await import("./seed-vault.js");
  const { ownClient } = await import("./own-client.js");
  const { keys, secrets } = await seedVault(ownClient(emulator, plane), seed);
  emulator.requests.clear();
  return [`# Seeded: ${keys} keys, made anew; ${secrets} secrets.`];
}

async function writeAuthority(
  { caCertificate }: Emulator,
  caFile: string | undefined,
  cleanUps: (() => Promise<void>)[],
): Promise<string | undefined> {
  if (caCertificate === undefined) return undefined;
  if (caFile !== undefined) {
    await writeFiles([{ path: caFile, content: caCertificate }], true);
    return resolve(caFile);
  }
  const folder = await mkdtemp(join(tmpdir(), "pulumi-keyvault-emulator-"));
  cleanUps.push(() => rm(folder, { recursive: true, force: true }));
  const path = join(folder, "ca.pem");
  await writeFile(path, caCertificate);
  return path;
}

/** The address of the first vault, and whether Azure's own clients take it as it is. */
interface Place {
  url: string;
  isTakenByAzure: boolean;
}

/**
 * Azure's clients take a vault whose host ends with that of the challenge's resource: over HTTPS the vault's own name below
 * `localhost` is one. Not every machine resolves such names.
 */
async function placeOf(
  emulator: Emulator,
  { vault: [name = "emulator"], tls }: EmulatorCommandOptions,
): Promise<Place> {
  const host = `${name}.localhost`;
  const isResolved = await lookup(host).then(
    ({ address }) => isLoopbackHost(address.includes(":") ? `[${address}]` : address),
    () => false,
  );
  if (tls && isResolved) return { url: `https://${host}:${emulator.port}`, isTakenByAzure: true };
  return { url: emulator.url, isTakenByAzure: false };
}

function description(
  emulator: Emulator,
  { url, isTakenByAzure }: Place,
  { vault, store }: EmulatorCommandOptions,
): string[] {
  const [first = "emulator", ...others] = vault;
  // On one line, whatever the path: a shell reads what is printed here.
  const where = store === undefined ? "in memory" : `in ${printable(resolve(store))}, unencrypted`;
  return [
    `# Key Vault emulator, for development only. Keys are ${where}.`,
    `# ${first}: ${url}`,
    ...others.map((name) => `# ${name}: ${emulator.vault(name).url}`),
    ...(isTakenByAzure
      ? []
      : [
          "# Azure's own clients take this address with disableChallengeResourceVerification",
          "# (verify_challenge_resource=False in Python, and so on): it is of no vault's domain.",
        ]),
  ];
}

function environment(emulator: Emulator, url: string, caFile: string | undefined): string[] {
  const variables = {
    AZURE_KEYVAULT_URL: url,
    KEYVAULT_CREDENTIAL: "token",
    KEYVAULT_TOKEN: emulator.token,
    ...(caFile === undefined ? {} : { NODE_EXTRA_CA_CERTS: caFile, REQUESTS_CA_BUNDLE: caFile, SSL_CERT_FILE: caFile }),
  };
  return Object.entries(variables).map(([name, value]) => `export ${name}=${quoted(value)}`);
}

function quoted(value: string): string {
  return /^[\w./:@-]+$/.test(value) ? value : `'${value.replaceAll("'", "'\\''")}'`;
}
