import { expect, test } from "vitest";
import { Deadline } from "../../provider/keyvault/deadline.js";
import { TransportFailure } from "../../provider/keyvault/dispatch.js";
import { OPERATIONS, type OperationName } from "../../provider/keyvault/operations.js";
import { retryLayer } from "../../provider/keyvault/retry-layer.js";
import { ManualClock } from "./manual-clock.js";
import { requestOf, type Step, scriptedDispatch } from "./scripted-dispatch.js";

const reset = (sent: boolean) => new TransportFailure(Object.assign(new Error("gone"), { code: "ECONNRESET" }), sent);
const refused = new TransportFailure(Object.assign(new Error("no"), { code: "ECONNREFUSED" }), false);
const untrusted = new TransportFailure(Object.assign(new Error("no"), { code: "SELF_SIGNED_CERT_IN_CHAIN" }), false);

async function send(operation: OperationName, ...steps: Step[]) {
  const clock = new ManualClock();
  const dispatch = scriptedDispatch(...steps);
  const answer = retryLayer(clock)(dispatch)(requestOf(clock, operation));
  answer.catch(() => {});
  const waited = await clock.until(answer);
  return { answer, waited, sent: dispatch.requests.length };
}

test("a throttled read backs off 1, 2, 4, 8, 16 seconds without a word from the service", async () => {
  const { answer, waited, sent } = await send("getKey", ...Array(5).fill({ status: 429 }), { status: 200 });
  await expect(answer).resolves.toMatchObject({ status: 200 });
  expect({ waited, sent }).toEqual({ waited: 31_000, sent: 6 });
});

test("jitter at least halves no delay below one half", async () => {
  const clock = new ManualClock();
  clock.chance = 0;
  const answer = retryLayer(clock)(scriptedDispatch({ status: 503 }, {}))(requestOf(clock, "getKey"));
  expect(await clock.until(answer)).toBe(500);
});

test("Retry-After is honoured in seconds and as a date, and 0 means the own backoff", async () => {
  const clock = new ManualClock();
  const date = new Date(clock.now() + 20_000).toUTCString();
  expect((await send("getKey", { status: 429, headers: { "retry-after": "7" } }, {})).waited).toBe(7_000);
  expect((await send("getKey", { status: 429, headers: { "retry-after": date } }, {})).waited).toBe(20_000);
  expect((await send("getKey", { status: 429, headers: { "retry-after": "0" } }, {})).waited).toBe(1_000);
  expect((await send("getKey", { status: 429, headers: { "retry-after": "soon" } }, {})).waited).toBe(1_000);
});

const operations = Object.keys(OPERATIONS) as OperationName[];
const MAKERS = ["createKey", "importKey", "rotateKey", "restoreKey", "setSecret", "restoreSecret"];

test.each(MAKERS as OperationName[])(
  "a throttled %s is not sent again: its caller has to look first",
  async (maker) => {
    for (const more of [{}, { headers: { "retry-after": "1" } }, { neverAccepted: true }]) {
      const { answer, sent, waited } = await send(maker, { status: 429, ...more }, { status: 200 });
      await expect(answer).resolves.toMatchObject({ status: 429 });
      expect({ sent, waited }).toEqual({ sent: 1, waited: 0 });
    }
  },
);

test.each(operations.filter((operation) => !MAKERS.includes(operation)))(
  "a throttled %s is sent again, since it was not carried out and makes nothing twice",
  async (operation) => {
    const { answer, sent } = await send(operation, { status: 429 }, { status: 200 });
    await expect(answer).resolves.toMatchObject({ status: 200 });
    expect(sent).toBe(2);
  },
);

test.each(operations.filter((operation) => OPERATIONS[operation].write))(
  "%s is never sent again once it may have happened",
  async (operation) => {
    for (const status of [408, 500, 502, 503, 504]) expect((await send(operation, { status }, {})).sent).toBe(1);
    expect((await send(operation, reset(true), {})).sent).toBe(1);
  },
);

test.each([500, 502, 503, 504, 408])("a read is repeated after %i, a write never", async (status) => {
  expect((await send("getKey", { status }, {})).sent).toBe(2);
  expect((await send("importKey", { status }, {})).sent).toBe(1);
});

test("a write that went out without its body is repeated after 503", async () => {
  expect((await send("importKey", { status: 503, neverAccepted: true }, {})).sent).toBe(2);
});

test("a read is repeated after a reset, a write only where nothing was sent", async () => {
  expect((await send("getKey", reset(true), {})).sent).toBe(2);
  const lost = await send("importKey", reset(true), {});
  await expect(lost.answer).rejects.toBeInstanceOf(TransportFailure);
  expect(lost.sent).toBe(1);
  expect((await send("importKey", reset(false), {})).sent).toBe(2);
});

test("where nobody listens three attempts are enough", async () => {
  for (const operation of ["getKey", "createKey"] as const) {
    const { answer, sent } = await send(operation, refused);
    await expect(answer).rejects.toMatchObject({ reason: "ECONNREFUSED" });
    expect(sent).toBe(3);
  }
});

test("a certificate that is not trusted does not become so by waiting", async () => {
  const { answer, sent } = await send("getKey", untrusted);
  await expect(answer).rejects.toMatchObject({ reason: "SELF_SIGNED_CERT_IN_CHAIN" });
  expect(sent).toBe(1);
});

test.each([400, 401, 403, 404, 409])("%i is an answer, not an accident", async (status) => {
  expect((await send("getKey", { status }, {})).sent).toBe(1);
});

test("the last answer stands when the next delay would use up the budget", async () => {
  const clock = new ManualClock();
  const dispatch = scriptedDispatch({ status: 429 });
  const request = requestOf(clock, "getKey", { deadline: new Deadline(clock, 5_000) });
  const answer = retryLayer(clock)(dispatch)(request);
  expect(await clock.until(answer)).toBe(3_000);
  await expect(answer).resolves.toMatchObject({ status: 429 });
  expect(dispatch.requests).toHaveLength(3);
});

test("a vault that stays throttled is given up after seven attempts", async () => {
  const { answer, sent } = await send("getKey", { status: 429 });
  await expect(answer).resolves.toMatchObject({ status: 429 });
  expect(sent).toBe(7);
});

test("an aborted call does not wait for its next attempt", async () => {
  const clock = new ManualClock();
  const caller = new AbortController();
  const request = requestOf(clock, "getKey", { deadline: new Deadline(clock, 60_000, caller.signal) });
  const answer = retryLayer(clock)(scriptedDispatch({ status: 503 }))(request);
  await clock.advance(100);
  caller.abort(new Error("enough"));
  await expect(answer).rejects.toThrow("enough");
});

/** A vault that has answered once, and then is away for a while. */
async function lost(awayMs: number, calls: number) {
  const clock = new ManualClock();
  const told: number[] = [];
  const startedAt = clock.now();
  let isAway = false;
  const send = retryLayer(clock, () => told.push(clock.now() - startedAt))(async () => {
    if (isAway && clock.now() - startedAt < awayMs) throw refused;
    return { status: 200, headers: {}, body: "{}" };
  });
  await send(requestOf(clock, "getKey"));
  isAway = true;
  const outcomes: string[] = [];
  for (let call = 0; call < calls; call++) {
    const answer = send(requestOf(clock, "getKey"));
    answer.catch(() => {});
    await clock.until(answer);
    outcomes.push(
      await answer.then(
        () => "answered",
        () => `gave up after ${Math.round((clock.now() - startedAt) / 1000)} s`,
      ),
    );
  }
  return { outcomes, told };
}

test("reads of a vault that has answered before ride out a minute, which is told once", async () => {
  expect(await lost(60_000, 3)).toEqual({ outcomes: ["answered", "answered", "answered"], told: [7_000] });
});

test("a vault that stays away is waited for once, and not by each call that follows", async () => {
  const { outcomes, told } = await lost(3_600_000, 3);
  expect(outcomes).toEqual(["gave up after 119 s", "gave up after 122 s", "gave up after 125 s"]);
  expect(told).toHaveLength(1);
});

test("an outage of its own is told again", async () => {
  const clock = new ManualClock();
  let told = 0;
  let isAway = false;
  const send = retryLayer(clock, () => {
    told += 1;
  })(async () => (isAway ? { status: 503, headers: {}, body: "" } : { status: 200, headers: {}, body: "{}" }));
  for (let time = 0; time < 2; time++) {
    isAway = false;
    await send(requestOf(clock, "getKey"));
    isAway = true;
    clock.schedule(30_000, () => {
      isAway = false;
    });
    await clock.until(send(requestOf(clock, "getKey")));
  }
  expect(told).toBe(2);
});
