import { expect, test } from "vitest";
import { Deadline } from "../../provider/keyvault/deadline.js";
import type { VaultResponse } from "../../provider/keyvault/dispatch.js";
import { limitLayer } from "../../provider/keyvault/limit-layer.js";
import { ManualClock } from "./manual-clock.js";
import { requestOf, scriptedDispatch } from "./scripted-dispatch.js";

const turn = () => new Promise((resolve) => setImmediate(resolve));

/** A vault that answers when it is told to. */
function heldVault() {
  const waiting: ((status: number) => void)[] = [];
  const dispatch = scriptedDispatch(
    () =>
      new Promise<VaultResponse>((resolve) => {
        waiting.push((status) => resolve({ status, headers: {}, body: "" }));
      }),
  );
  const answer = async (status: number, count = waiting.length) => {
    for (const release of waiting.splice(0, count)) release(status);
    await turn();
  };
  return { send: limitLayer()(dispatch), waiting, answer };
}

test("creates have a narrow lane of their own", async () => {
  const clock = new ManualClock();
  const { send, waiting, answer } = heldVault();
  const creates = Array.from({ length: 10 }, () => send(requestOf(clock, "createKey")));
  await turn();
  expect(waiting).toHaveLength(2);
  const reads = Array.from({ length: 10 }, () => send(requestOf(clock, "getKey")));
  await turn();
  expect(waiting).toHaveLength(12);
  while (waiting.length > 0) await answer(200);
  await expect(Promise.all([...creates, ...reads])).resolves.toHaveLength(20);
});

test("the lane is halved by each 429 down to one call, and widens again with success", async () => {
  const clock = new ManualClock();
  const { send, waiting, answer } = heldVault();
  const calls = Array.from({ length: 400 }, () => send(requestOf(clock, "getKey")));
  await turn();
  expect(waiting).toHaveLength(24);
  await answer(429);
  expect(waiting).toHaveLength(1);
  await answer(200);
  const [afterOne] = [waiting.length];
  for (let round = 0; round < 5; round++) await answer(200);
  expect(waiting.length).toBeGreaterThan(afterOne);
  while (waiting.length > 0) await answer(200);
  await expect(Promise.all(calls)).resolves.toHaveLength(400);
});

test("a call that is aborted while it waits leaves the queue", async () => {
  const clock = new ManualClock();
  const { send, waiting, answer } = heldVault();
  const caller = new AbortController();
  const calls = [1, 2].map(() => send(requestOf(clock, "createKey")));
  const third = send(requestOf(clock, "createKey", { deadline: new Deadline(clock, 60_000, caller.signal) }));
  caller.abort(new Error("enough"));
  await expect(third).rejects.toThrow("enough");
  await turn();
  await answer(200);
  await Promise.all(calls);
  expect(waiting).toHaveLength(0);
});

test("a failure frees its place", async () => {
  const clock = new ManualClock();
  const send = limitLayer()(scriptedDispatch(new Error("gone")));
  const calls = Array.from({ length: 6 }, () => send(requestOf(clock, "createKey")));
  await expect(Promise.allSettled(calls)).resolves.toHaveLength(6);
});
