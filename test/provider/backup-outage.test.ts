import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { cancelRun, forgetCancellation, runCancellation } from "../../provider/engine/run-cancellation.js";
import { KeyVaultClient } from "../../provider/keyvault/client.js";
import { delay } from "../../provider/keyvault/clock.js";
import { TransportFailure, type VaultRequest, type VaultResponse } from "../../provider/keyvault/dispatch.js";
import { tellOutage } from "../../provider/vault/tell-outage.js";
import { StateShelf } from "../../provider/vault-backup/blob-store.js";
import { takeBackups } from "../../provider/vault-backup/take-backups.js";
import { ManualClock } from "../keyvault/manual-clock.js";
import { CHALLENGE } from "../keyvault/vault-server.js";

const vaultUrl = "https://contoso.vault.azure.net";
const blob = Buffer.concat([
  Buffer.from([40]),
  Buffer.from("AzureKeyVaultKeyBackupV1.microsoft.com"),
  Buffer.alloc(60, 7),
]).toString("base64url");

let clock: ManualClock;
let told: string[];

beforeEach(() => {
  clock = new ManualClock();
  forgetCancellation();
  told = [];
  vi.spyOn(process.stdout, "write").mockImplementation((text) => told.push(String(text)) > 0);
});
afterEach(() => vi.restoreAllMocks());

/** A vault of the clock's time, where each request takes a quarter of a second and something may go wrong. */
function vault(faultAt: (second: number, request: VaultRequest) => Partial<VaultResponse> | Error | undefined) {
  const start = clock.now();
  const counts: Record<string, number> = {};
  const dispatch = async (request: VaultRequest): Promise<VaultResponse> => {
    if (request.headers.authorization === undefined) {
      return { status: 401, headers: { "www-authenticate": CHALLENGE }, body: "{}" };
    }
    await delay(clock, 250);
    counts[request.operation] = (counts[request.operation] ?? 0) + 1;
    const fault = faultAt((clock.now() - start) / 1000, request);
    if (fault instanceof Error) throw fault;
    if (fault) return { status: 500, headers: {}, body: "{}", ...fault };
    const name = request.path.split("/")[2]?.split("?")[0];
    const body =
      request.operation === "backupKey"
        ? { value: blob }
        : {
            key: { kid: `${vaultUrl}/keys/${name}/0123456789abcdef0123456789abcdef`, kty: "EC", crv: "P-256" },
            attributes: { enabled: true, created: 1_700_000_000, updated: 1_700_000_000 },
          };
    return { status: 200, headers: { "content-type": "application/json" }, body: JSON.stringify(body) };
  };
  const credential = { getToken: async () => ({ token: "token", expiresOn: new Date(8.64e15) }) };
  return {
    client: new KeyVaultClient({
      vaultUrl,
      credential,
      clock,
      dispatch,
      stop: runCancellation,
      onOutage: () => tellOutage(vaultUrl),
    }),
    counts,
  };
}

const jobs = (count: number) =>
  Array.from({ length: count }, (_, index) => ({ collection: "keys" as const, object: { name: `key-${index}` } }));

async function take(client: KeyVaultClient, count: number) {
  const taking = takeBackups(client, new StateShelf(), jobs(count), clock);
  const elapsed = await clock.until(taking);
  return { taken: await taking, seconds: elapsed / 1000 };
}

const outageLines = () => told.filter((line) => /does not answer any more/.test(line));

describe("a vault's backup of 500 keys", () => {
  it.each([
    ["503", { status: 503 }],
    ["429", { status: 429 }],
  ])(
    "rides out an outage of a minute in the middle, answered with %s, and tells it in one line",
    async (_what, fault) => {
      const { client } = vault((second) => (second >= 1 && second < 61 ? fault : undefined));
      const { taken, seconds } = await take(client, 500);
      expect(taken).toMatchObject({ count: 500, failed: { keys: {} } });
      expect(outageLines().length).toBeLessThanOrEqual(1);
      expect(seconds).toBeGreaterThan(60);
      expect(seconds).toBeLessThan(130);
    },
  );

  it.each([
    ["that nobody takes", false],
    ["that are cut", true],
  ])("rides out a minute of connections %s, and tells it in one line", async (_what, sent) => {
    const cut = new TransportFailure(Object.assign(new Error("cut"), { code: "ECONNRESET" }), sent);
    const { client } = vault((second) => (second >= 1 && second < 61 ? cut : undefined));
    const { taken, seconds } = await take(client, 500);
    expect(taken).toMatchObject({ count: 500, failed: { keys: {} } });
    expect(outageLines()).toHaveLength(1);
    expect(seconds).toBeLessThan(130);
  });

  it("ends where the vault does not come back, and keeps what it has", async () => {
    const { client, counts } = vault((second) => (second >= 1 ? { status: 503 } : undefined));
    const { taken, seconds } = await take(client, 500);
    expect(taken.count).toBeGreaterThan(0);
    expect(taken.count + Object.keys(taken.failed.keys).length).toBe(500);
    // The connection's own line, and after its two minutes that of the backup, which waits for longer.
    expect(outageLines()).toHaveLength(2);
    expect(seconds).toBeLessThan(600);
    expect(counts.backupKey).toBeLessThan(3_000);
  });

  it("ends at once where the run is cancelled, and keeps what it has", async () => {
    const { client } = vault((second) => (second >= 1 ? { status: 503 } : undefined));
    clock.schedule(10_000, cancelRun);
    const { taken, seconds } = await take(client, 500);
    expect(seconds).toBeLessThan(11);
    expect(taken.count).toBeGreaterThan(0);
    expect(taken.count + Object.keys(taken.failed.keys).length).toBe(500);
  });

  it("does not wait for a vault that never answered", async () => {
    const { client } = vault(() => ({ status: 503 }));
    const { taken, seconds } = await take(client, 500);
    expect(taken.count).toBe(0);
    expect(outageLines()).toHaveLength(0);
    expect(seconds).toBeLessThan(240);
  });

  it("is as fast as the vault where it is throttled a part of the time", async () => {
    const { client } = vault((second) => (second % 10 >= 8 ? { status: 429 } : undefined));
    const { taken, seconds } = await take(client, 500);
    expect(taken).toMatchObject({ count: 500, failed: { keys: {} } });
    expect(seconds).toBeLessThan(60);
  });
});

describe("an answer to a backup that is none", () => {
  const answered = async (value: string) => {
    const { client } = vault((_second, { operation }) =>
      operation === "backupKey"
        ? { status: 200, headers: { "content-type": "application/json" }, body: JSON.stringify({ value }) }
        : undefined,
    );
    return (await take(client, 1)).taken;
  };

  it.each([
    ["a word", "AAAA", "is not base64url text of the length of a backup"],
    ["50 MB", "A".repeat(50 * 1024 * 1024), "has 52428800 characters: more than a backup can have"],
    [
      "the backup of a secret",
      Buffer.concat([
        Buffer.from([42]),
        Buffer.from("AzureKeyVaultSecretBackupV1.microsoft.com"),
        Buffer.alloc(60),
      ]).toString("base64url"),
      "is the backup of a secret",
    ],
  ])("is a failure of its key, as %s", async (_what, value, reason) => {
    const { failed, covered } = await answered(value);
    expect(failed.keys).toEqual({
      "key-0": expect.stringContaining(`the answer to the backup of key "key-0" in ${vaultUrl} ${reason}`),
    });
    expect(JSON.stringify(failed)).not.toContain(value.slice(0, 40));
    expect(covered.keys).toEqual({});
  });

  it("is a failure of its key, as a page", async () => {
    const { failed, count } = await answered("<html>no</html>");
    expect(failed.keys).toEqual({ "key-0": expect.stringContaining('backupKey "key-0"') });
    expect({ count, told: JSON.stringify(failed) }).toEqual({ count: 0, told: expect.not.stringContaining("html") });
  });

  it("is kept up to the limit, as a key of hundreds of versions has it", async () => {
    expect(await answered("A".repeat(10 * 1024 * 1024))).toMatchObject({ count: 1, failed: { keys: {} } });
  });

  it("is kept where it is a container of another server", async () => {
    expect(
      (
        await answered(
          Buffer.from("a container of another server, which is nobody's to judge here").toString("base64url"),
        )
      ).count,
    ).toBe(1);
  });
});
