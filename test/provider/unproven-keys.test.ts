import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { type Emulator, startEmulator } from "../../emulator/index.js";
import { ecKey } from "../engine/demo-keys.js";
import { call } from "../engine/vault-by-hand.js";
import { type Arguments, DrivenResource } from "./driven-resource.js";
import { nextEngineRun } from "./engine-run.js";
import { codeOf, holdings } from "./lossy-run.js";
import { keySet } from "./providers.js";
import { stored } from "./stored.js";

/** A set in whose inputs, and in no record of state, stands a key that somebody else has: it could not be made. */
describe("a key that a set could not have, since somebody else has it", () => {
  let vault: Emulator;
  let set: DrivenResource;
  let inputs: Arguments;
  let outs: Arguments;
  const args = {
    entries: { ours: { import: { jwk: ecKey().jwk } }, theirs: { import: { jwk: ecKey().jwk } } },
  };

  beforeEach(async () => {
    vault = await startEmulator();
    vi.spyOn(process.stdout, "write").mockReturnValue(true);
    set = new DrivenResource(keySet, vault, { vaultUrl: vault.url }, "KeySet");
    await call(vault, "POST", "/keys/theirs/create", { kty: "EC" });
    inputs = await set.checked(args);
    const failure = await keySet.create(inputs).catch((error: unknown) => error);
    expect(codeOf(failure)).toBe("KV_ALREADY_EXISTS");
    outs = stored(Object(Object(failure).properties));
    nextEngineRun();
  });
  afterEach(async () => {
    vi.restoreAllMocks();
    await vault.close();
  });

  const replaced = async (): Promise<string> => {
    const again = await set.checked(args);
    return keySet.create(again).then(() => "made", codeOf);
  };

  it("stays theirs where the set is replaced", async () => {
    await set.checked(args, inputs);
    expect(await replaced()).toBe("KV_ALREADY_EXISTS");
    expect(await holdings(vault, "keys")).toEqual({ ours: 1, theirs: 1 });
  });

  it("stays theirs where the engine has shown the difference, and lets the set go before", async () => {
    await keySet.diff("", outs, await set.checked(args, inputs));
    await keySet.delete("", outs);
    expect(await replaced()).toBe("KV_ALREADY_EXISTS");
    expect(await holdings(vault, "keys")).toEqual({ ours: 1, theirs: 1 });
  });

  it("stays theirs in the next update", async () => {
    const failure = await keySet.update("", outs, await set.checked(args, inputs)).catch(codeOf);
    expect(failure).toBe("KV_ALREADY_EXISTS");
    expect(await holdings(vault, "keys")).toEqual({ ours: 1, theirs: 1 });
  });
});
