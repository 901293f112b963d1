import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { type Emulator, startEmulator } from "../../emulator/index.js";
import { ecKey } from "../engine/demo-keys.js";
import { call } from "../engine/vault-by-hand.js";
import { type Arguments, DrivenResource } from "./driven-resource.js";
import { nextEngineRun } from "./engine-run.js";
import { codeOf, LossyConnection } from "./lossy-run.js";
import { key, secret } from "./providers.js";

const wire = vi.hoisted(() => ({ connect: (): unknown => undefined }));
vi.mock("../../provider/vault/vault-access.js", () => ({ vaultClient: async () => wire.connect() }));

const NAME = "orders";

describe.each([
  {
    collection: "keys",
    provider: key,
    type: "Key",
    source: { import: { jwk: ecKey().jwk } } as Arguments,
    restore: "restoreKey",
    look: "getKey",
    byHand: { method: "POST", path: `/keys/${NAME}/create`, body: { kty: "EC" } },
  },
  {
    collection: "secrets",
    provider: secret,
    type: "Secret",
    source: { value: "a value" } as Arguments,
    restore: "restoreSecret",
    look: "getSecret",
    byHand: { method: "PUT", path: `/secrets/${NAME}`, body: { value: "somebody else's" } },
  },
] as const)(
  "a restore of $collection from a bare blob whose answer was lost",
  ({ collection, provider, type, source, restore, look, byHand }) => {
    let vault: Emulator;
    let connection: LossyConnection;
    let orders: DrivenResource;

    beforeEach(async () => {
      vault = await startEmulator();
      connection = new LossyConnection(vault);
      wire.connect = () => connection.client;
      vi.spyOn(process.stdout, "write").mockReturnValue(true);
      orders = new DrivenResource(provider, vault, { vaultUrl: vault.url, name: NAME }, type);
    });
    afterEach(async () => {
      vi.restoreAllMocks();
      await vault.close();
    });

    const path = `/${collection}/${NAME}`;
    const version = async () => {
      const { value = [] } = (await call(vault, "GET", `${path}/versions`)) as { value?: unknown[] };
      return JSON.stringify(value);
    };
    const purged = async () => {
      await call(vault, "DELETE", path);
      await call(vault, "DELETE", `/deleted${collection}/${NAME}`);
      nextEngineRun();
    };
    const backedUp = async () => ((await call(vault, "POST", `${path}/backup`)) as { value: string }).value;

    it("does not take what somebody else has made under the name since", async () => {
      await call(vault, byHand.method, byHand.path, byHand.body);
      const blob = await backedUp();
      await purged();
      vault.faults.add({ kind: "drop", operation: restore, times: 1 });
      connection.before.set(restore, async () => {
        connection.before.set(look, () => call(vault, byHand.method, byHand.path, byHand.body));
      });
      const failure = await orders.created({ restoreFrom: { blob } }).catch((error: unknown) => error);
      expect(codeOf(failure)).toBe("KV_UNCERTAIN");
      expect(failure).not.toHaveProperty("properties");
      expect(await version()).not.toContain("pulumi-keyvault");
    });

    it("takes what bears the mark of this stack: nothing else can have brought it", async () => {
      await orders.created(source);
      const blob = await backedUp();
      await purged();
      vault.faults.add({ kind: "drop", commits: "first", operation: restore, times: 1 });
      const { outs } = await orders.created({ restoreFrom: { blob } });
      expect(await version()).toContain(String(outs.version));
    });
  },
);
