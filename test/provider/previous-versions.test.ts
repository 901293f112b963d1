import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { type Emulator, startEmulator } from "../../emulator/index.js";
import { ecKey } from "../engine/demo-keys.js";
import { call } from "../engine/vault-by-hand.js";
import type { Arguments } from "./driven-resource.js";
import { LossyConnection, LossyProgram, losses } from "./lossy-run.js";
import { key, secret } from "./providers.js";

const wire = vi.hoisted(() => ({ connect: (_url: string): unknown => undefined }));
vi.mock("../../provider/vault/vault-access.js", () => ({
  vaultClient: async ({ vaultUrl }: { vaultUrl: string }) => wire.connect(vaultUrl),
}));

const NAME = "orders";
const [one, two, three] = [ecKey(), ecKey(), ecKey()].map(({ jwk }) => ({ import: { jwk } }));

const KINDS = [
  [
    "a secret",
    {
      provider: secret,
      collection: "secrets",
      make: "setSecret",
      patch: "updateSecret",
      sources: [{ value: "1" }, { value: "2" }, { value: "3" }],
    },
  ],
  [
    "a generated secret",
    {
      provider: secret,
      collection: "secrets",
      make: "setSecret",
      patch: "updateSecret",
      sources: ["1", "2", "3"].map((year) => ({ generate: { length: 32, keepers: { year } } })),
    },
  ],
  [
    "an imported key",
    { provider: key, collection: "keys", make: "importKey", patch: "updateKey", sources: [one, two, three] },
  ],
  [
    "a generated key",
    {
      provider: key,
      collection: "keys",
      make: "createKey",
      patch: "updateKey",
      sources: ["1", "2", "3"].map((year) => ({ generate: { keyType: "EC", keepers: { year } } })),
    },
  ],
] as const;

describe.each(KINDS)("the versions before of %s", (_what, { provider, collection, make, patch, sources }) => {
  let vault: Emulator;
  let connection: LossyConnection;
  let program: LossyProgram;

  beforeEach(async () => {
    vault = await startEmulator({ timing: "instant" });
    connection = new LossyConnection(vault);
    wire.connect = () => connection.client;
    vi.spyOn(process.stdout, "write").mockReturnValue(true);
    program = new LossyProgram(provider, vault, NAME);
  });
  afterEach(async () => {
    vi.restoreAllMocks();
    await vault.close();
  });

  const args = (index: number, more: Arguments = { previousVersions: "disable" }): Arguments => ({
    ...sources[index],
    ...more,
  });
  /** Each in a second of its own, as in life. */
  const up = async (next: Arguments): Promise<string | undefined> => {
    vault.clock.advance(2_000);
    connection.sent.length = 0;
    return program.up(next);
  };
  /** Whether each version is enabled, the oldest first. */
  const enabled = async (): Promise<boolean[]> => {
    const { value } = Object(await call(vault, "GET", `/${collection}/${NAME}/versions`));
    return Object.values(value as { attributes: { created: number; enabled: boolean } }[])
      .sort((a, b) => a.attributes.created - b.attributes.created)
      .map(({ attributes }) => attributes.enabled);
  };
  const clean = async (): Promise<void> => {
    expect(program.state && (await program.resource.drift(program.state))).toEqual({});
    expect(program.state?.outs).not.toHaveProperty("superseded");
  };

  it("stay as they are by default, however that is spelled", async () => {
    await up(args(0, {}));
    await up(args(1, { previousVersions: "keep" }));
    expect(program.state?.inputs).not.toHaveProperty("previousVersions");
    expect(await enabled()).toEqual([true, true]);
  });

  it("are disabled, each by the update that makes the next, once that is there", async () => {
    await up(args(0));
    await up(args(1));
    expect(connection.sent.slice(-2)).toEqual([make, patch]);
    expect(await enabled()).toEqual([false, true]);
    await up(args(2));
    expect(await enabled()).toEqual([false, false, true]);
    await clean();
  });

  it("are left alone by any other change, and by the setting itself", async () => {
    await up(args(0, {}));
    await up(args(1, {}));
    await up(args(1));
    expect(connection.sent).toEqual([]);
    await up({ ...args(1), tags: { team: "orders" } });
    expect(connection.sent.at(-1)).toBe(patch);
    expect(await enabled()).toEqual([true, true]);
  });

  it.each(Object.entries(losses).filter(([, { foreign }]) => !foreign))(
    "are disabled once where the answer to that is lost: %s",
    async (_loss, loss) => {
      await up(args(0));
      connection.before.set(patch, async () => {
        connection.lose(patch, loss);
      });
      const failure = await up(args(1));
      if (failure !== undefined) {
        expect(program.state?.outs.superseded).toEqual([expect.stringMatching(/^[0-9a-f]{32}$/)]);
      }
      vault.clock.advance(60_000);
      expect(await program.up(args(1))).toBeUndefined();
      expect(await enabled()).toEqual([false, true]);
      await clean();
    },
  );

  it("are disabled by the next update where the one before lost its new version's answer, or was cut off", async () => {
    await up(args(0));
    const before = program.state;
    await up(args(1, {}));
    // The state of the run is lost.
    program.state = before;
    await up(args(1));
    expect(await enabled()).toEqual([false, true]);
    await clean();
  });

  it("are disabled where a refresh comes between the run that was cut off and the next", async () => {
    await up(args(0));
    const before = program.state;
    await up(args(1, {}));
    if (before === undefined) throw new Error("nothing was made");
    const found = await program.resource.refreshed({
      ...before,
      outs: { ...before.outs, previousVersions: "disable" },
    });
    expect(found.outs.superseded).toEqual([before.outs.version]);
    program.state = found;
    await up(args(1));
    expect((await enabled()).at(-2)).toBe(false);
    expect((await enabled()).at(-1)).toBe(true);
    await clean();
  });

  it("keep the new version recorded where disabling is not allowed, and the next update does it", async () => {
    await up(args(0));
    connection.before.set(make, async () => {
      vault.faults.add({
        kind: "status",
        status: 403,
        code: "Forbidden",
        innerCode: "AccessDenied",
        operation: patch,
        times: 1,
      });
    });
    const first = program.state?.outs.version;
    expect(await up(args(1))).toBe("KV_FORBIDDEN");
    expect(program.state?.outs.version).not.toBe(first);
    expect(program.state?.outs.superseded).toEqual([first]);
    expect(await enabled()).toEqual([true, true]);
    expect(await up(args(1))).toBeUndefined();
    expect(await enabled()).toEqual([false, true]);
    await clean();
  });

  it("are never the current one, whatever happened to the vault since", async () => {
    await up(args(0));
    const first = program.state;
    await up(args(1, {}));
    if (program.state === undefined || first === undefined) throw new Error("nothing was made");
    const { version } = program.state.outs;
    // As after a restore of an older backup: what is to be disabled is what is there.
    program.state = { ...program.state, inputs: {}, outs: { ...first.outs, superseded: [version] } };
    expect(await up({ ...args(0), onDelete: "retain" })).toBe("KV_CONFLICT");
    expect(await enabled()).toEqual([true, true]);
  });

  it("are those of somebody else, too, where the program sets its own again", async () => {
    await up(args(0));
    const body = collection === "keys" ? { kty: "EC" } : { value: "somebody else's" };
    const path = collection === "keys" ? `/keys/${NAME}/create` : `/secrets/${NAME}`;
    vault.clock.advance(2_000);
    await call(vault, collection === "keys" ? "POST" : "PUT", path, body);
    await up(args(1));
    expect(await enabled()).toEqual([false, false, true]);
  });

  it("is a choice of two", async () => {
    expect(await program.resource.refused(args(0, { previousVersions: "delete" }))).toMatch(
      /previousVersions: must be keep or disable/,
    );
  });
});

describe("a version before that the program has not made", () => {
  let vault: Emulator;
  beforeEach(async () => {
    vault = await startEmulator({ timing: "instant" });
    const { client } = new LossyConnection(vault);
    wire.connect = () => client;
    vi.spyOn(process.stdout, "write").mockReturnValue(true);
  });
  afterEach(async () => {
    vi.restoreAllMocks();
    await vault.close();
  });
  const enabledKeys = async (): Promise<boolean[]> =>
    Object(await call(vault, "GET", `/keys/${NAME}/versions`)).value.map(
      ({ attributes }: { attributes: { enabled: boolean } }) => attributes.enabled,
    );

  const enabledSecrets = async (): Promise<boolean[]> => {
    const { value } = Object(await call(vault, "GET", `/secrets/${NAME}/versions`));
    return Object.values(value as { attributes: { created: number; enabled: boolean } }[])
      .sort((a, b) => a.attributes.created - b.attributes.created)
      .map(({ attributes }) => attributes.enabled);
  };

  it("is disabled by a create that adopts it and sets a value of its own", async () => {
    await call(vault, "PUT", `/secrets/${NAME}`, { value: "by hand" });
    vault.clock.advance(2_000);
    const program = new LossyProgram(secret, vault, NAME);
    expect(await program.up({ value: "1", adopt: true, previousVersions: "disable" })).toBeUndefined();
    expect(await enabledSecrets()).toEqual([false, true]);
    expect(program.state?.outs).not.toHaveProperty("superseded");
  });

  it("is found in the list by a create after one that was cut off before it was disabled", async () => {
    await call(vault, "PUT", `/secrets/${NAME}`, { value: "by hand" });
    vault.clock.advance(2_000);
    await new LossyProgram(secret, vault, NAME).up({ value: "1", adopt: true });
    expect(await enabledSecrets()).toEqual([true, true]);
    const program = new LossyProgram(secret, vault, NAME);
    expect(await program.up({ value: "1", adopt: true, previousVersions: "disable" })).toBeUndefined();
    expect(await enabledSecrets()).toEqual([false, true]);
  });

  it("is recorded by a create that may not disable it, and disabled by the next update", async () => {
    await call(vault, "PUT", `/secrets/${NAME}`, { value: "by hand" });
    vault.clock.advance(2_000);
    const program = new LossyProgram(secret, vault, NAME);
    vault.faults.add({
      kind: "status",
      status: 403,
      code: "Forbidden",
      innerCode: "AccessDenied",
      operation: "updateSecret",
      times: 1,
    });
    const args = { value: "1", adopt: true, previousVersions: "disable" };
    expect(await program.up(args)).toBe("KV_FORBIDDEN");
    expect(program.state?.outs.superseded).toHaveLength(1);
    expect(await program.up(args)).toBeUndefined();
    expect(await enabledSecrets()).toEqual([false, true]);
    expect(program.state?.outs).not.toHaveProperty("superseded");
  });

  it("is of a rotation policy, and disables nothing", async () => {
    const program = new LossyProgram(key, vault, NAME);
    const args = { generate: { keyType: "EC" }, rotationPolicy: { rotateAfter: "P30D" }, previousVersions: "disable" };
    await program.up(args);
    vault.clock.advance(31 * 86_400_000);
    expect(await enabledKeys()).toEqual([true, true]);
    if (program.state) program.state = await program.resource.refreshed(program.state);
    expect(program.state?.outs).not.toHaveProperty("superseded");
    await program.up({ ...args, tags: { team: "orders" } });
    expect(await enabledKeys()).toEqual([true, true]);
  });

  it("is one of an adopted object that somebody else keeps, and disables nothing", async () => {
    await call(vault, "POST", `/keys/${NAME}/create`, { kty: "EC" });
    const program = new LossyProgram(key, vault, NAME);
    await program.up({ adopt: true, previousVersions: "disable" });
    vault.clock.advance(2_000);
    await call(vault, "POST", `/keys/${NAME}/create`, { kty: "EC" });
    if (program.state) program.state = await program.resource.refreshed(program.state);
    await program.up({ adopt: true, previousVersions: "disable", tags: { team: "orders" } });
    expect(await enabledKeys()).toEqual([true, true]);
  });
});
