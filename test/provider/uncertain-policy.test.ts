import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { type Emulator, startEmulator } from "../../emulator/index.js";
import { KeyVaultClient } from "../../provider/keyvault/client.js";
import { call } from "../engine/vault-by-hand.js";
import type { Arguments } from "./driven-resource.js";
import { nextEngineRun } from "./engine-run.js";
import { LossyConnection, LossyProgram } from "./lossy-run.js";
import { key, keySet } from "./providers.js";

const wire = vi.hoisted(() => ({ connect: (): unknown => undefined }));
vi.mock("../../provider/vault/vault-access.js", () => ({ vaultClient: async () => wire.connect() }));

const NAME = "orders";
/** A set says which of its keys failed before it says why. */
const UNCERTAIN = /^KV_UNCERTAIN$|^no code: .*KV_UNCERTAIN/s;
const source: Arguments = { generate: { keyType: "EC" } };
const policy: Arguments = { rotationPolicy: { rotateAfter: "P90D" } };

let vault: Emulator;
beforeEach(async () => {
  vault = await startEmulator();
  const connection = new LossyConnection(vault);
  wire.connect = () => connection.client;
  vi.spyOn(process.stdout, "write").mockReturnValue(true);
});
afterEach(async () => {
  vi.restoreAllMocks();
  await vault.close();
});

async function rotations(): Promise<unknown[]> {
  const found = (await call(vault, "GET", `/keys/${NAME}/rotationpolicy`)) as {
    lifetimeActions: { action: { type: string }; trigger: unknown }[];
  };
  return found.lifetimeActions.filter(({ action }) => action.type === "Rotate").map(({ trigger }) => trigger);
}

describe.each([
  ["a key", () => new LossyProgram(key, vault, NAME), (args: Arguments) => args],
  [
    "a key of a set",
    () => new LossyProgram(keySet, vault, undefined),
    (args: Arguments) => ({ entries: { [NAME]: args } }),
  ],
])("the rotation policy of %s whose answer was lost for good", (_what, started, written) => {
  const without = written(source);
  const withPolicy = written({ ...source, ...policy });

  /** The policy comes only when the run has given up. */
  async function afterLoss(before: Arguments | undefined): Promise<LossyProgram> {
    const program = started();
    if (before !== undefined) expect(await program.up(before)).toBeUndefined();
    vault.faults.add({
      kind: "drop",
      commits: "late",
      milliseconds: 50_000,
      operation: "updateKeyRotationPolicy",
      times: 1,
    });
    expect(await program.up(withPolicy)).toMatch(UNCERTAIN);
    vault.clock.advance(60_000);
    expect(await rotations()).toEqual([{ timeAfterCreate: "P90D" }]);
    return program;
  }

  it.each([
    ["update", without],
    ["creation", undefined],
  ])("in its %s goes where the program is without it by then", async (_run, before) => {
    const program = await afterLoss(before);
    expect(await program.up(without)).toBeUndefined();
    expect(await rotations()).toEqual([]);
    expect(JSON.stringify(program.state)).not.toMatch(/uncertainPolicy/);
  });

  it("is drift for a refresh of a program that is without it", async () => {
    const program = await afterLoss(without);
    nextEngineRun();
    // On a hurried clock the time of a policy's read is up at once.
    const getToken = async () => ({ token: vault.token, expiresOn: new Date(8.64e15) });
    const unhurried = new KeyVaultClient({ vaultUrl: vault.url, credential: { getToken } });
    wire.connect = () => unhurried;
    if (program.state !== undefined) program.state = await program.resource.refreshed(program.state);
    expect(JSON.stringify(program.state?.inputs)).toContain('"rotateAfter":"P90D"');
    expect(await program.up(without)).toBeUndefined();
    expect(await rotations()).toEqual([]);
  });

  it("is not taken for written by an answer that shows another policy", async () => {
    const program = started();
    const connection = new LossyConnection(vault);
    wire.connect = () => connection.client;
    expect(await program.up(without)).toBeUndefined();
    const former = await call(vault, "GET", `/keys/${NAME}/rotationpolicy`);
    connection.lose("updateKeyRotationPolicy", {
      rule: { kind: "status", status: 503 },
      spoil: (answer) => ({ ...answer, status: 200, body: JSON.stringify(former) }),
    });
    expect(await program.up(withPolicy)).toMatch(UNCERTAIN);
    expect(await program.up(withPolicy)).toBeUndefined();
    expect(await rotations()).toEqual([{ timeAfterCreate: "P90D" }]);
  });

  it("is there once the program is run again as it is", async () => {
    const program = await afterLoss(without);
    expect(await program.up(withPolicy)).toBeUndefined();
    expect(await rotations()).toEqual([{ timeAfterCreate: "P90D" }]);
    expect(program.state && (await program.resource.drift(program.state))).toEqual({});
  });
});
