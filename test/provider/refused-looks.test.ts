import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { type Emulator, type FaultRule, startEmulator } from "../../emulator/index.js";
import type { DynamicProvider } from "../../provider/engine/lifecycle.js";
import { ecKey } from "../engine/demo-keys.js";
import { call } from "../engine/vault-by-hand.js";
import type { Arguments } from "./driven-resource.js";
import { identity } from "./engine-run.js";
import { holdings, LossyConnection, LossyProgram } from "./lossy-run.js";
import { key, keySet, secret } from "./providers.js";

const wire = vi.hoisted(() => ({ connect: (): unknown => undefined }));
vi.mock("../../provider/vault/vault-access.js", () => ({ vaultClient: async () => wire.connect() }));

const NAME = "orders";
const refused: FaultRule = { kind: "status", status: 403, code: "Forbidden", innerCode: "AccessDenied" };

let vault: Emulator;
let connection: LossyConnection;

beforeEach(async () => {
  await openVault();
  vi.spyOn(process.stdout, "write").mockReturnValue(true);
});
afterEach(async () => {
  vi.restoreAllMocks();
  await vault.close();
});

async function openVault(): Promise<void> {
  vault = await startEmulator();
  connection = new LossyConnection(vault);
  wire.connect = () => connection.client;
}

const jwk = ecKey().jwk;
const generated = { generate: { keyType: "EC" } };

interface Case {
  provider: DynamicProvider;
  /** What the program was before, and is not any more. */
  former?: Arguments;
  /** What it was before, where it stays. */
  kept?: Arguments;
  args: Arguments;
  /** The versions that the object has in the end. */
  versions: number;
  name?: undefined;
}

const CASES: Record<string, Case> = {
  "a key that is imported over its deleted self": {
    provider: key,
    former: { import: { jwk }, tags: { team: "before" } },
    args: { import: { jwk }, tags: { team: "orders" } },
    versions: 1,
  },
  "a key that is imported over its deleted self of another resource": {
    provider: key,
    former: { ...identity("before"), import: { jwk } },
    args: { ...identity("after"), import: { jwk } },
    versions: 1,
  },
  "a key that is imported over another deleted one": {
    provider: key,
    former: { import: { jwk: ecKey().jwk } },
    args: { import: { jwk } },
    versions: 2,
  },
  "a key that is generated over its deleted self, with a rotation policy": {
    provider: key,
    former: generated,
    args: { ...generated, rotationPolicy: { rotateAfter: "P90D" } },
    versions: 1,
  },
  "a deleted key that is adopted": {
    provider: key,
    former: { import: { jwk } },
    args: { adopt: true, tags: { team: "orders" } },
    versions: 1,
  },
  "a secret that is set over its deleted self": {
    provider: secret,
    former: { value: "the value", tags: { team: "before" } },
    args: { value: "the value", tags: { team: "orders" } },
    versions: 1,
  },
  "a secret that is set over another deleted one": {
    provider: secret,
    former: { value: "another value" },
    args: { value: "the value" },
    versions: 2,
  },
  "a secret that is generated over its deleted self": {
    provider: secret,
    former: { generate: { length: 24 } },
    args: { generate: { length: 24 }, tags: { team: "orders" } },
    versions: 1,
  },
  "a deleted secret that is adopted": {
    provider: secret,
    former: { value: "the value" },
    args: { adopt: true },
    versions: 1,
  },
  "a set whose key is deleted": {
    provider: keySet,
    former: { entries: { [NAME]: { import: { jwk } } } },
    args: { tags: { team: "orders" }, entries: { [NAME]: { import: { jwk } } } },
    versions: 1,
    name: undefined,
  },
  "a key that gets a version, and leaves none enabled before it": {
    provider: key,
    kept: { import: { jwk: ecKey().jwk } },
    args: { import: { jwk }, previousVersions: "disable", rotationPolicy: { rotateAfter: "P90D" } },
    versions: 2,
  },
  "a secret that gets a value, and leaves none enabled before it": {
    provider: secret,
    kept: { value: "another value" },
    args: { value: "the value", previousVersions: "disable" },
    versions: 2,
  },
};

describe.each(Object.entries(CASES))("%s", (_what, { provider, former, kept, args, versions, ...rest }) => {
  const collection = provider === secret ? "secrets" : "keys";

  /** A run one of whose requests is refused, the one of that number. */
  const refusedAt = async (count: number, times: number): Promise<{ program: LossyProgram; isHit: boolean }> => {
    const program = new LossyProgram(provider, vault, "name" in rest ? undefined : NAME);
    expect(await program.up(former ?? kept)).toBeUndefined();
    if (former !== undefined) expect(await program.up(undefined)).toBeUndefined();
    const sentBefore = connection.sent.length;
    vault.faults.add({ ...refused, after: count, times });
    await program.up(args);
    vault.faults.clear();
    return { program, isHit: connection.sent.length - sentBefore > count };
  };

  /** @returns how many requests there are to refuse. */
  const afterEachRefusal = async (times: number, hold: (program: LossyProgram) => Promise<void>): Promise<number> => {
    for (let count = 0; ; count++) {
      const { program, isHit } = await refusedAt(count, times);
      if (!isHit) return count;
      await hold(program);
      await vault.close();
      await openVault();
    }
  };

  it.each([1, 1_000])(
    "is gone with the program, whichever request of its run is refused (%d from there on)",
    async (times) => {
      const requests = await afterEachRefusal(times, async (program) => {
        expect(await program.up(undefined)).toBeUndefined();
        expect(await holdings(vault, collection)).toEqual((former ?? kept) ? { [NAME]: "deleted" } : {});
      });
      expect(requests).toBeGreaterThan(1);
    },
    120_000,
  );

  it.each([1, 1_000])(
    "is as the program says after the next run, whichever request of its run is refused (%d from there on)",
    async (times) => {
      await afterEachRefusal(times, async (program) => {
        expect(await program.up(args)).toBeUndefined();
        expect(await holdings(vault, collection)).toEqual({ [NAME]: versions });
        if (program.state !== undefined) expect(await program.resource.drift(program.state)).toEqual({});
      });
    },
    120_000,
  );
});

describe("a key that is restored under another name than the program's", () => {
  const OTHER = "invoices";

  /** A run that restores the key, of which the look that compares the names goes wrong. */
  const restored = async (rule: FaultRule): Promise<{ program: LossyProgram; outcome: string | undefined }> => {
    await call(vault, "PUT", `/keys/${OTHER}`, { key: jwk });
    const { value: blob } = (await call(vault, "POST", `/keys/${OTHER}/backup`)) as { value: string };
    await call(vault, "DELETE", `/keys/${OTHER}`);
    await call(vault, "DELETE", `/deletedkeys/${OTHER}`);
    const program = new LossyProgram(key, vault, NAME);
    vault.faults.add({ ...rule, operation: "getKey", after: 1, times: 1 });
    connection.sent.length = 0;
    return { program, outcome: await program.up({ restoreFrom: { blob } }) };
  };

  it("is told as uncertain where the vault may not be asked whose answer came", async () => {
    const { program, outcome } = await restored(refused);
    expect(outcome).toBe("KV_UNCERTAIN");
    expect(program.state).toBeUndefined();
  });

  it.each<FaultRule["kind"]>(["conflict", "throttled"])(
    "is restored once and recorded where the look is answered with a %s",
    async (kind) => {
      const { program, outcome } = await restored({ kind });
      expect(outcome).toBe("KV_INVALID_INPUT");
      expect(program.state?.outs.name).toBe(OTHER);
      expect(connection.sent.filter((operation) => operation === "restoreKey")).toHaveLength(1);
      expect(await program.up(undefined)).toBeUndefined();
      expect(await holdings(vault, "keys")).toEqual({ [OTHER]: "deleted" });
    },
  );
});

describe("a restore whose answer is lost while somebody else makes a key of the name", () => {
  it("takes nothing of theirs", async () => {
    const { key: made } = (await call(vault, "PUT", `/keys/${NAME}`, { key: jwk })) as { key: { kid: string } };
    const { value: blob } = (await call(vault, "POST", `/keys/${NAME}/backup`)) as { value: string };
    await call(vault, "DELETE", `/keys/${NAME}`);
    await call(vault, "DELETE", `/deletedkeys/${NAME}`);
    const program = new LossyProgram(key, vault, NAME);
    vault.faults.add({ kind: "drop", operation: "restoreKey", times: 1 });
    connection.before.set("restoreKey", async () => {
      connection.before.set("getKey", () => call(vault, "PUT", `/keys/${NAME}`, { key: ecKey().jwk }));
    });
    const restoreFrom = { blob, sourceName: NAME, version: made.kid.split("/").at(-1) };
    expect(await program.up({ restoreFrom })).toBe("KV_ALREADY_EXISTS");
    expect(program.state).toBeUndefined();
    const { tags } = (await call(vault, "GET", `/keys/${NAME}`)) as { tags?: unknown };
    expect(tags).toBeUndefined();
  });
});

describe.each([
  ["key", key, "keys", { import: { jwk } }],
  ["secret", secret, "secrets", { value: "the value" }],
] as const)(
  "a %s that is changed and taken back from another stack in one run",
  (_what, provider, collection, source) => {
    const ANOTHERS = { "pulumi-keyvault": "other/prod AAAAAAAAAAAAAAAA" };
    const changed = { ...source, adopt: true, expiresOn: "2031-01-01T00:00:00Z" };

    it("is recorded as far as that came, and the next run takes it back", async () => {
      const program = new LossyProgram(provider, vault, NAME);
      expect(await program.up(source)).toBeUndefined();
      if (program.state === undefined) throw new Error("nothing was made");
      await call(vault, "PATCH", `/${collection}/${NAME}/${program.state.outs.version}`, { tags: ANOTHERS });
      program.state = await program.resource.refreshed(program.state);
      const patch = collection === "keys" ? "updateKey" : "updateSecret";
      vault.faults.add({ ...refused, operation: patch, after: 1, times: 1 });
      expect(await program.up(changed)).toBe("KV_FORBIDDEN");
      expect(program.state.outs.expiresOn).toBe(changed.expiresOn);
      expect(await program.up(changed)).toBeUndefined();
      const { tags } = (await call(vault, "GET", `/${collection}/${NAME}`)) as { tags: Record<string, string> };
      expect(tags["pulumi-keyvault"]).toMatch(/^shop\/prod /);
      expect(program.state.outs.ownerToken).toBeDefined();
    });
  },
);
