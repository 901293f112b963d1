import { afterEach, expect, test } from "vitest";
import { KeyVaultClient } from "../../provider/keyvault/client.js";
import {
  poll,
  type WaitProgress,
  waitUntilDeleted,
  waitUntilPurged,
  waitUntilRecovered,
  whileBusy,
} from "../../provider/keyvault/waiting.js";
import { ManualClock } from "./manual-clock.js";
import { type Step, scriptedDispatch } from "./scripted-dispatch.js";
import { countingSource } from "./vault-server.js";

const clients: KeyVaultClient[] = [];
afterEach(() => Promise.all(clients.splice(0).map((client) => client.close())));

const error = (status: number, code: string, innerCode?: string): Step => ({
  status,
  body: JSON.stringify({
    error: { code, message: "words", ...(innerCode ? { innererror: { code: innerCode } } : {}) },
  }),
});
const absent = error(404, "KeyNotFound");
const key: Step = { body: JSON.stringify({ key: { kid: "https://v/keys/n/0a", kty: "EC" } }) };
const secret: Step = { body: JSON.stringify({ id: "https://v/secrets/n/0a" }) };

function vault(...steps: Step[]) {
  const clock = new ManualClock();
  const dispatch = scriptedDispatch(...steps);
  const client = new KeyVaultClient({
    vaultUrl: "https://v.vault.azure.net",
    credential: countingSource(),
    clock,
    dispatch,
  });
  clients.push(client);
  return { clock, client, dispatch };
}

test("a delete is awaited until the deleted key shows, with progress", async () => {
  const { clock, client, dispatch } = vault(absent, absent, absent, key);
  const progress: WaitProgress[] = [];
  const waiting = waitUntilDeleted(client, "key", "n", { clock, onProgress: (each) => progress.push(each) });
  await clock.until(waiting);
  await waiting;
  expect(dispatch.requests.map(({ path }) => path)).toEqual(Array(4).fill("/deletedkeys/n?api-version=7.4"));
  expect(progress.map(({ looks, elapsedMs }) => [looks, elapsedMs])).toEqual([
    [1, 0],
    [2, 200],
    [3, 500],
  ]);
  expect(progress[0]?.awaited).toBe('key "n" in https://v.vault.azure.net to be deleted');
});

test("a deleted secret that is disabled cannot be read, and is there", async () => {
  for (const refusal of [
    error(403, "Forbidden", "AccessDenied"),
    error(403, "Forbidden", "SecretDisabled"),
    error(403, "Forbidden"),
  ]) {
    const { client } = vault(refusal);
    await expect(waitUntilDeleted(client, "secret", "n")).resolves.toBeUndefined();
  }
});

test("other refusals surface at once and are never read as absence", async () => {
  const firewall = error(403, "Forbidden", "ForbiddenByFirewall");
  const denied = error(403, "Forbidden", "AccessDenied");
  await expect(waitUntilDeleted(vault(firewall).client, "secret", "n")).rejects.toMatchObject({ code: "KV_FORBIDDEN" });
  await expect(waitUntilDeleted(vault(denied).client, "key", "n")).rejects.toMatchObject({ code: "KV_FORBIDDEN" });
  await expect(waitUntilPurged(vault(denied).client, "key", "n")).rejects.toMatchObject({ code: "KV_FORBIDDEN" });
  await expect(waitUntilRecovered(vault(denied).client, "secret", "n")).rejects.toMatchObject({ code: "KV_FORBIDDEN" });
});

test("a purge is awaited until the deleted key is gone", async () => {
  const { clock, client, dispatch } = vault(key, key, absent);
  const waiting = waitUntilPurged(client, "key", "n", { clock });
  await clock.until(waiting);
  await expect(waiting).resolves.toBeUndefined();
  expect(dispatch.requests).toHaveLength(3);
});

test("a recovery is awaited until the object can be read, a disabled secret too", async () => {
  const readable = vault(absent, key);
  const waiting = waitUntilRecovered(readable.client, "key", "n", { clock: readable.clock });
  await readable.clock.until(waiting);
  expect(readable.dispatch.requests).toHaveLength(2);
  await waitUntilRecovered(vault(secret).client, "secret", "n");
  await waitUntilRecovered(vault(error(403, "Forbidden", "SecretDisabled")).client, "secret", "n");
});

test("a write that is refused as busy is repeated until it is taken", async () => {
  const busy = error(409, "Conflict", "ObjectIsBeingRecovered");
  const { clock, client, dispatch } = vault(busy, busy, key);
  const waiting = whileBusy("the key to settle", () => client.updateKey("n", undefined, {}), { clock });
  await clock.until(waiting);
  await expect(waiting).resolves.toMatchObject({ name: "n" });
  expect(dispatch.requests.length).toBeGreaterThanOrEqual(3);
  await expect(
    whileBusy("x", () => vault(error(409, "Conflict")).client.deleteKey("n"), { clock }),
  ).rejects.toMatchObject({ code: "KV_CONFLICT" });
});

test("waiting ends at its deadline and with its signal", async () => {
  const clock = new ManualClock();
  const never = async () => ({ done: false }) as const;
  const late = poll("the end", never, { clock, timeoutMs: 60_000 });
  late.catch(() => {});
  expect(await clock.until(late)).toBeLessThanOrEqual(60_000);
  await expect(late).rejects.toMatchObject({ code: "KV_TIMEOUT", message: expect.stringContaining("the end") });
  const caller = new AbortController();
  const cancelled = poll("the end", never, { clock, signal: caller.signal });
  caller.abort();
  await expect(cancelled).rejects.toMatchObject({ code: "KV_TIMEOUT" });
});
