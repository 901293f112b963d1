import { dirname } from "node:path";
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { OLDEST } from "../../cli/doctor/look-at-machine.js";
import { type Emulator, startEmulator } from "../../emulator/index.js";
import { EngineUnavailableError, provisionEngine } from "../../tools/engine/provision.mts";
import { OLDEST_CLI_VERSION } from "../../tools/engine/versions.mts";
import { runCommand } from "../cli/command-line.js";
import { askedOperations } from "../emulator/asked-requests.js";
import { ProgramUnavailableError, provideProgram } from "../packaging/package-manager.js";
import { owned } from "./owned-tags.js";
import { DOORS, Stack } from "./stack.js";
import {
  call,
  keyClient,
  pemOf,
  requestCounts,
  rsaKey,
  secretClient,
  settingsFor,
  signsLike,
} from "./vault-by-hand.js";

/** It may have to be built, which `npm test` does before. */
const PROVISIONING_MS = 20 * 60_000;

let unavailable = "";
beforeAll(async () => {
  await provisionEngine({ version: "oldest" }).catch((error: unknown) => {
    if (!(error instanceof EngineUnavailableError)) throw error;
    unavailable = error.message;
  });
}, PROVISIONING_MS);
beforeEach(({ skip }) => skip(unavailable !== "", unavailable));

describe.each(DOORS)(`a short life on the oldest engine, ${OLDEST_CLI_VERSION}, and the oldest Node (%s)`, (door) => {
  let vault: Emulator;
  let stack: Stack;
  /** Why it is not the oldest Node: it is there for Linux on x64 alone, and a workflow has it for the others. */
  let withoutNode = "";
  const signing = rsaKey();

  const program = (team: string): string => `
    const signing = new keyvault.Key("signing", {
      name: "orders", import: { file: "signing.pem" }, tags: { team: "${team}" }, onDelete: "purge" });
    const backup = new keyvault.KeyBackup("signing", { key: signing });
    const password = new keyvault.Secret("password", { name: "password", value: "a planted value: 51c0", onDelete: "purge" });
    exports.version = signing.version;
    exports.node = process.versions.node;
    exports.blob = backup.blob;`;

  beforeAll(async () => {
    if (unavailable !== "") return;
    vault = await startEmulator();
    const node = await provideProgram("node").catch((error: unknown) => {
      if (!(error instanceof ProgramUnavailableError)) throw error;
      withoutNode = error.message;
      return undefined;
    });
    const nodeFolder = node && dirname(node);
    stack = await Stack.create({
      door,
      engine: "oldest",
      nodeFolder,
      program: program("orders"),
      ...settingsFor(vault),
    });
    await stack.file("signing.pem", pemOf(signing));
  });
  afterAll(async () => {
    await stack?.remove();
    await vault?.close();
  });

  it("is one on that engine", async () => {
    expect((await stack.pulumi("version")).stdout.trim()).toBe(`v${OLDEST_CLI_VERSION}`);
  });

  it("begins with one import, one backup and one secret, and state is clean of material", async () => {
    await stack.up();
    expect(requestCounts(vault)).toEqual({ getKey: 1, importKey: 1, backupKey: 1, getSecret: 1, setSecret: 1 });
    expect(await signsLike(vault, "orders", signing)).toBe(true);
    expect((await secretClient(vault).getSecret("password")).value).toBe("a planted value: 51c0");
    const state = JSON.stringify(await stack.resources());
    expect(state).not.toContain("a planted value");
    expect(state).not.toContain(String(signing.export({ format: "jwk" }).d).slice(0, 40));
    expect((await stack.outputs()).blob).toMatch(/^[\w-]{40,}$/);
  });

  it("is one on that Node", async ({ skip }) => {
    skip(withoutNode !== "", withoutNode);
    expect((await stack.outputs()).node).toBe(OLDEST.node);
  });

  it("is refreshed without a change", async () => {
    const { run, properties } = await stack.drift();
    expect(properties).toEqual({});
    expect(run.exitCode, run.text).toBe(0);
  });

  it("tells drift by property with exit code 7", async () => {
    await call(vault, "PATCH", "/keys/orders", { tags: { team: "orders", added: "outside" } });
    const { run, properties } = await stack.drift();
    expect(run.exitCode, run.text).toBe(7);
    expect(properties["Key signing"]).toEqual(["tags.added"]);
  });

  it("is mended and updated in place by one update", async () => {
    const { version } = await stack.outputs();
    await stack.program(program("payments"));
    vault.requests.clear();
    await stack.up("--refresh");
    expect(requestCounts(vault)).toMatchObject({ updateKey: 1 });
    expect(askedOperations(vault)).not.toContain("importKey");
    expect((await keyClient(vault).getKey("orders")).properties.tags).toEqual(owned({ team: "payments" }));
    expect((await stack.outputs()).version).toBe(version);
  });

  it("ends with nothing in the vault", async () => {
    await stack.destroy();
    await expect(keyClient(vault).getDeletedKey("orders")).rejects.toMatchObject({ statusCode: 404 });
    await expect(secretClient(vault).getDeletedSecret("password")).rejects.toMatchObject({ statusCode: 404 });
  });
});

it(`the oldest engine, ${OLDEST_CLI_VERSION}, takes an adopted vault over from an import file, without a write`, async () => {
  const vault = await startEmulator();
  await call(vault, "POST", "/keys/orders/create", { kty: "EC", tags: { team: "orders" } });
  await call(vault, "PUT", "/secrets/password", { value: "a planted value: 51c0" });
  const stack = await Stack.create({
    engine: "oldest",
    kind: "typescript",
    program: "",
    config: { "keyvault:credential": "token" },
    env: { KEYVAULT_TOKEN: vault.token, KEYVAULT_CREDENTIAL: "token" },
  });
  try {
    await runCommand(["adopt", "--vault", vault.url, "--force"], { cwd: stack.folder, env: stack.env });
    vault.requests.clear();
    const file = ["--file", "keyvault-import.json"];
    const imported = await stack.pulumi("import", ...file, "--yes", "--protect=false", "--generate-code=false");
    expect(imported.text).toContain("2 imported");
    expect((await stack.drift()).run.exitCode).toBe(0);
    expect(new Set(askedOperations(vault))).toEqual(new Set(["getKey", "getSecret"]));
  } finally {
    await stack.remove();
    await vault.close();
  }
});
