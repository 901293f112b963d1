import { expect, test } from "vitest";
import { Deadline } from "../../provider/keyvault/deadline.js";
import type { VaultResponse } from "../../provider/keyvault/dispatch.js";
import { limitLayer } from "../../provider/keyvault/limit-layer.js";
import { ManualClock } from "./manual-clock.js";
import { requestOf, scriptedDispatch } from "./scripted-dispatch.js";

const turn = () => new Promise((resolve) => setImmediate(resolve));

/** A vault that answers when it is told to. */
function heldVault(clock: ManualClock) {
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
  return { send: limitLayer(clock)(dispatch), waiting, answer };
}

test("creates have a narrow lane of their own", async () => {
  const clock = new ManualClock();
  const { send, waiting, answer } = heldVault(clock);
  const creates = Array.from({ length: 10 }, () => send(requestOf(clock, "createKey")));
  await turn();
  expect(waiting).toHaveLength(8);
  const reads = Array.from({ length: 10 }, () => send(requestOf(clock, "getKey")));
  await turn();
  expect(waiting).toHaveLength(18);
  while (waiting.length > 0) await answer(200);
  await expect(Promise.all([...creates, ...reads])).resolves.toHaveLength(20);
});

test("the lane is halved by each 429 down to one call, and widens again with success", async () => {
  const clock = new ManualClock();
  const { send, waiting, answer } = heldVault(clock);
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
  const { send, waiting, answer } = heldVault(clock);
  const caller = new AbortController();
  const calls = [1, 2, 3, 4, 5, 6, 7, 8].map(() => send(requestOf(clock, "createKey")));
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
  const send = limitLayer(clock)(scriptedDispatch(new Error("gone")));
  const calls = Array.from({ length: 6 }, () => send(requestOf(clock, "createKey")));
  await expect(Promise.allSettled(calls)).resolves.toHaveLength(6);
});

test("imports and sets do not stand in the way of looks", async () => {
  const clock = new ManualClock();
  const { send, waiting, answer } = heldVault(clock);
  const imports = Array.from({ length: 30 }, () => send(requestOf(clock, "importKey")));
  await turn();
  expect(waiting).toHaveLength(24);
  const look = send(requestOf(clock, "getKey"));
  await turn();
  expect(waiting).toHaveLength(25);
  while (waiting.length > 0) await answer(200);
  await expect(Promise.all([...imports, look])).resolves.toHaveLength(31);
});

test("a throttled lane of creates rests, asks after 1, 2 and 4 seconds, and bursts again ten seconds after the first of its burst", async () => {
  const clock = new ManualClock();
  const startedAt = clock.now();
  const passed: number[] = [];
  const refused: number[] = [];
  const send = limitLayer(clock)(async () => {
    const window = passed.filter((at) => clock.now() - startedAt - at < 10_000);
    await new Promise<void>((resolve) => clock.schedule(100, resolve));
    const isRefused = window.length >= 20;
    (isRefused ? refused : passed).push(clock.now() - startedAt - 100);
    return { status: isRefused ? 429 : 200, headers: {}, body: "" };
  });
  const create = async () => {
    while ((await send(requestOf(clock, "createKey"))).status === 429);
  };
  await clock.until(Promise.all(Array.from({ length: 60 }, create)));
  expect(passed).toHaveLength(60);
  expect(passed[59]).toBeLessThan(21_000);
  expect(refused.length).toBeLessThan(30);
});

test("a Retry-After says how long the lane of creates rests", async () => {
  const clock = new ManualClock();
  const dispatch = scriptedDispatch({ status: 429, headers: { "retry-after": "7" } }, { status: 200 });
  const send = limitLayer(clock)(dispatch);
  await send(requestOf(clock, "createKey"));
  expect(await clock.until(send(requestOf(clock, "createKey")))).toBe(7_000);
});

test("a Retry-After of a day does not close the lane to all others", async () => {
  const clock = new ManualClock();
  const dispatch = scriptedDispatch({ status: 429, headers: { "retry-after": "86400" } }, { status: 200 });
  const send = limitLayer(clock)(dispatch);
  await send(requestOf(clock, "createKey"));
  expect(await clock.until(send(requestOf(clock, "createKey")))).toBe(60_000);
});

test("limits are told once, where they last", async () => {
  const clock = new ManualClock();
  let told = 0;
  const send = limitLayer(clock, () => {
    told += 1;
  })(scriptedDispatch({ status: 429 }));
  for (let second = 0; second < 60; second++) {
    await send(requestOf(clock, "importKey"));
    expect(told).toBe(second < 5 ? 0 : 1);
    await clock.advance(1_000);
  }
});
