import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { type Emulator, startEmulator } from "../../emulator/index.js";
import { runClock } from "../../provider/engine/run-clock.js";
import { ecKey } from "../engine/demo-keys.js";
import { call } from "../engine/vault-by-hand.js";
import { holdings, LossyConnection, LossyProgram } from "./lossy-run.js";
import { key, secret } from "./providers.js";

const wire = vi.hoisted(() => ({ connect: (): unknown => undefined }));
vi.mock("../../provider/vault/vault-access.js", () => ({ vaultClient: async () => wire.connect() }));

const NAME = "orders";

describe.each([
  ["keys", key, { import: { jwk: ecKey().jwk } }, "getDeletedKey"],
  ["secrets", secret, { value: "a value" }, "getDeletedSecret"],
] as const)("a deleted object of %s that a creation is about to recover", (collection, provider, args, look) => {
  let vault: Emulator;
  let connection: LossyConnection;
  let program: LossyProgram;

  beforeEach(async () => {
    vault = await startEmulator();
    connection = new LossyConnection(vault);
    wire.connect = () => connection.client;
    vi.spyOn(process.stdout, "write").mockReturnValue(true);
    program = new LossyProgram(provider, vault, NAME);
    await program.up(args);
    await program.up(undefined);
  });
  afterEach(async () => {
    vi.restoreAllMocks();
    await vault.close();
  });

  /** The run ends within half a minute: nobody waits out the whole time of a creation. */
  async function converges(): Promise<void> {
    const start = runClock.now();
    expect(await program.up(args)).toBeUndefined();
    expect(runClock.now() - start).toBeLessThan(30_000);
    expect(await holdings(vault, collection)).toEqual({ [NAME]: 1 });
  }

  it("and that somebody purges in that moment is made anew", async () => {
    connection.before.set(look, () => call(vault, "DELETE", `/deleted${collection}/${NAME}`));
    await converges();
  });

  it("and that somebody recovers in that moment is taken as it is then", async () => {
    connection.before.set(look, () => call(vault, "POST", `/deleted${collection}/${NAME}/recover`));
    await converges();
  });
});
