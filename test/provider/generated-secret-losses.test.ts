import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { type Emulator, startEmulator } from "../../emulator/index.js";
import { call } from "../engine/vault-by-hand.js";
import { identity } from "./engine-run.js";
import { holdings, LossyConnection, LossyProgram, losses } from "./lossy-run.js";
import { secret } from "./providers.js";

const wire = vi.hoisted(() => ({ connect: (_url: string): unknown => undefined }));
vi.mock("../../provider/vault/vault-access.js", () => ({
  vaultClient: async (vaultUrl: string) => wire.connect(vaultUrl),
}));

const NAME = "orders";
const first = { generate: { length: 32 } };
const next = { generate: { length: 32, keepers: { year: "2028" } } };

describe.each([
  ["a first value", undefined, first, 1],
  ["a next value", first, next, 2],
])("the lost answer of %s", (_what, before, after, goal) => {
  let vault: Emulator;
  let connection: LossyConnection;

  beforeEach(async () => {
    vault = await startEmulator();
    connection = new LossyConnection(vault);
    wire.connect = () => connection.client;
    vi.spyOn(process.stdout, "write").mockReturnValue(true);
  });
  afterEach(async () => {
    vi.restoreAllMocks();
    await vault.close();
  });
  const current = async (): Promise<string> => Object(await call(vault, "GET", `/secrets/${NAME}`)).value;

  it.each(Object.entries(losses))(
    "%s: no second value is made, and what is there is recorded",
    async (_loss, given) => {
      const program = new LossyProgram(secret, vault, NAME);
      if (before !== undefined) expect(await program.up(before)).toBeUndefined();
      connection.before.set("setSecret", async () => {
        if (given.foreign) await call(vault, "PUT", `/secrets/${NAME}`, { value: "somebody else's" });
        connection.lose("setSecret", given);
      });
      const failure = await program.up(after);
      if (given.foreign && before === undefined) {
        expect(failure).toBe("KV_ALREADY_EXISTS");
        expect(await current()).toBe("somebody else's");
        return;
      }
      vault.clock.advance(60_000);
      const reached = failure === undefined ? await current() : undefined;
      expect(await program.up(after)).toBeUndefined();
      expect(await holdings(vault, "secrets")).toEqual({ [NAME]: given.foreign ? 3 : goal });
      if (reached !== undefined) expect(await current()).toBe(reached);
      expect(await current()).toMatch(/^\w{32}$/);
      expect(program.state && (await program.resource.drift(program.state))).toEqual({});
      expect(program.state?.outs.valueDigest).toMatch(/^scrypt:/);
    },
  );

  it("is not taken from a version that another tool made meanwhile with the tags of ours", async () => {
    const program = new LossyProgram(secret, vault, NAME);
    if (before !== undefined) await program.up(before);
    connection.before.set("setSecret", async () => {
      vault.faults.add({ kind: "drop", commits: "first", operation: "setSecret", times: 1 });
      connection.before.set("getSecret", async () => {
        const { tags } = Object(await call(vault, "GET", `/secrets/${NAME}`));
        await call(vault, "PUT", `/secrets/${NAME}`, { value: "a rotation outside", tags });
      });
    });
    expect(await program.up(after)).toBe("KV_CONFLICT");
    expect(await holdings(vault, "secrets")).toEqual({ [NAME]: goal + 1 });
  });
});

describe("a generated value that a version without an attribute is to have again", () => {
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
  const current = async (): Promise<string> => Object(await call(vault, "GET", `/secrets/${NAME}`)).value;
  const expiring = { ...first, expiresOn: "2030-01-01T00:00:00Z" };

  it.each(["throttled", "conflict"] as const)("stays what it is where the vault answers %s first", async (kind) => {
    const program = new LossyProgram(secret, vault, NAME);
    expect(await program.up(expiring)).toBeUndefined();
    const before = await current();
    vault.faults.add({ kind, operation: "setSecret", times: 2 });
    expect(await program.up(first)).toBeUndefined();
    expect(await current()).toBe(before);
    expect(program.state && (await program.resource.drift(program.state))).toEqual({});
  });

  it("stays what it is where the resource has another name by then, and no alias", async () => {
    const program = new LossyProgram(secret, vault, NAME);
    expect(await program.up(expiring)).toBeUndefined();
    const before = await current();
    program.state = undefined;
    expect(await program.up({ ...first, ...identity("renamed", "Secret") })).toBeUndefined();
    expect(await current()).toBe(before);
    expect(await holdings(vault, "secrets")).toEqual({ [NAME]: 2 });
  });
});
