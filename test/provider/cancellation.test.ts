import { channel } from "node:diagnostics_channel";
import { beforeEach, expect, it } from "vitest";
import { forgetCancellation, runCancellation, watchForCancellation } from "../../provider/engine/run-cancellation.js";
import { KeyVaultClient } from "../../provider/keyvault/client.js";
import { delay } from "../../provider/keyvault/clock.js";
import type { VaultRequest, VaultResponse } from "../../provider/keyvault/dispatch.js";
import { ManualClock } from "../keyvault/manual-clock.js";
import { CHALLENGE } from "../keyvault/vault-server.js";

const vaultUrl = "https://contoso.vault.azure.net";
const answer = {
  status: 200,
  headers: { "content-type": "application/json" },
  body: JSON.stringify({
    key: { kid: `${vaultUrl}/keys/orders/0123456789abcdef0123456789abcdef`, kty: "EC", crv: "P-256" },
    attributes: { enabled: true, created: 1_700_000_000, updated: 1_700_000_000 },
  }),
};

let clock: ManualClock;
beforeEach(() => {
  clock = new ManualClock();
  forgetCancellation();
  watchForCancellation();
});

/** What the HTTP/2 server of the provider host gets. */
const engineCalls = (path: string) =>
  channel("http2.server.stream.created").publish({ stream: {}, headers: { ":path": path } });

/** A client of a vault that takes its time. */
function clientOf(answerAfter: (request: VaultRequest) => number, answered: Partial<VaultResponse> = {}) {
  const dispatch = async (request: VaultRequest): Promise<VaultResponse> => {
    if (request.headers.authorization === undefined) {
      return { status: 401, headers: { "www-authenticate": CHALLENGE }, body: "{}" };
    }
    await delay(clock, answerAfter(request), request.deadline.signal);
    return { ...answer, ...answered };
  };
  const credential = { getToken: async () => ({ token: "token", expiresOn: new Date(8.64e15) }) };
  return new KeyVaultClient({ vaultUrl, credential, clock, dispatch, stop: runCancellation });
}

async function cancelledAfter(ms: number, call: Promise<unknown>) {
  clock.schedule(ms, () => engineCalls("/pulumirpc.ResourceProvider/Cancel"));
  const outcome = call.then(
    () => "answered",
    (error: { code: string; mayHaveHappened: boolean }) =>
      `${error.code}${error.mayHaveHappened ? ", perhaps done" : ""}`,
  );
  return { outcome: await clock.until(outcome).then(async (elapsed) => `${await outcome} after ${elapsed} ms`) };
}

it("is heard of where the engine tells the host, and nowhere else", () => {
  for (const path of ["/pulumirpc.ResourceProvider/Create", "/Cancel", ""]) engineCalls(path);
  channel("http2.server.stream.created").publish(undefined);
  expect(runCancellation().aborted).toBe(false);
  engineCalls("/pulumirpc.ResourceProvider/Cancel");
  expect(runCancellation().aborted).toBe(true);
});

it("ends a read at once", async () => {
  const reading = clientOf(() => 60_000).getKey("orders");
  expect(await cancelledAfter(1_000, reading)).toEqual({ outcome: "KV_TIMEOUT after 1000 ms" });
});

it("ends the wait for another try at once", async () => {
  const reading = clientOf(() => 0, { status: 503 }).getKey("orders");
  expect(await cancelledAfter(600, reading)).toEqual({ outcome: "KV_TIMEOUT after 600 ms" });
});

it("ends the wait of a throttled write for its turn at once, unsent", async () => {
  const client = clientOf(() => 0, { status: 429 });
  await clock.until(client.createKey("first", { keyType: "EC" }).catch(() => {}));
  const waiting = client.createKey("orders", { keyType: "EC" });
  expect(await cancelledAfter(100, waiting)).toEqual({ outcome: "KV_TIMEOUT after 100 ms" });
});

it("lets a write that is on its way have its answer for 5 seconds more", async () => {
  const quick = clientOf(() => 4_000).createKey("orders", { keyType: "EC" });
  expect(await cancelledAfter(1_000, quick)).toEqual({ outcome: "answered after 4000 ms" });
});

it("takes a write for perhaps done whose answer does not come in that time", async () => {
  const slow = clientOf(() => 60_000).createKey("orders", { keyType: "EC" });
  const { outcome } = await cancelledAfter(1_000, slow);
  expect(outcome).toMatch(/after 6000 ms$/);
});

it("lets no call begin", async () => {
  engineCalls("/pulumirpc.ResourceProvider/Cancel");
  const { outcome } = await cancelledAfter(0, clientOf(() => 0).createKey("orders", { keyType: "EC" }));
  expect(outcome).toBe("KV_TIMEOUT after 0 ms");
});
