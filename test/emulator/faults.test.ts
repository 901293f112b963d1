import { describe, expect, it, vi } from "vitest";
import { readFaultRule } from "../../emulator/index.js";
import { openVault, refusal } from "./open-vault.js";

describe("faults", () => {
  it("drop a request before it is handled", async () => {
    const { call, emulator } = await openVault();
    emulator.faults.add({ kind: "dropBefore", operation: "setSecret", times: 1 });
    await expect(call("PUT", "/secrets/a", { value: "x" })).rejects.toMatchObject({ code: "ECONNRESET" });
    expect((await call("GET", "/secrets/a")).status).toBe(404);
    expect((await call("PUT", "/secrets/a", { value: "x" })).status).toBe(200);
  });

  it("drop an answer after the write is committed", async () => {
    const { call, emulator } = await openVault();
    emulator.faults.add({ kind: "dropAfter", operation: "createKey", times: 1 });
    await expect(call("POST", "/keys/a/create", { kty: "EC" })).rejects.toMatchObject({ code: "ECONNRESET" });
    expect((await call("GET", "/keys/a/versions")).body.value).toHaveLength(1);
  });

  it("answer 5xx and 429 without handling", async () => {
    const { call, emulator } = await openVault();
    emulator.faults.add({ kind: "status", operation: "setSecret", times: 1 });
    emulator.faults.add({ kind: "status", status: 500, operation: "setSecret", times: 1 });
    emulator.faults.add({ kind: "throttled", operation: "setSecret", times: 1 });
    expect(await call("PUT", "/secrets/a", { value: "x" })).toMatchObject(refusal(503, "ServiceUnavailable"));
    expect(await call("PUT", "/secrets/a", { value: "x" })).toMatchObject(refusal(500, "InternalServerError"));
    expect(await call("PUT", "/secrets/a", { value: "x" })).toMatchObject(refusal(429, "Throttled"));
    expect((await call("GET", "/secrets/a/versions")).body.value).toEqual([]);
  });

  it("refuse parallel writes of one name, and of no other, for as long as the first one takes", async () => {
    const { call, emulator } = await openVault();
    emulator.clock.freeze();
    emulator.faults.add({ kind: "parallelWrites", milliseconds: 400 });
    const set = async (name: string) => (await call("PUT", `/secrets/${name}`, { value: "x" })).status;
    const statuses = await Promise.all(["a", "a", "b", "a"].map(set));
    expect(statuses.sort()).toEqual([200, 200, 409, 409]);
    expect((await call("GET", "/secrets/a/versions")).body.value).toHaveLength(1);
    emulator.clock.advance(400);
    expect(await set("a")).toBe(200);
  });

  it("answer a conflict as under parallel work, with no inner code", async () => {
    const { call, emulator } = await openVault();
    await call("PUT", "/secrets/a", { value: "1" });
    emulator.faults.add({ kind: "conflict", operation: "setSecret", times: 1 });
    const refused = await call("PUT", "/secrets/a", { value: "2" });
    expect(refused).toMatchObject(refusal(409, "Conflict", /^There was a conflict while updating the secret '/));
    expect(refused.body.error).not.toHaveProperty("innererror");
    expect((await call("GET", "/secrets/a")).body.value).toBe("1");
  });

  it.each(["dropAfter", "drop", "status", "throttled", "conflict", "expiredToken", "claims", "html"] as const)(
    "%s can come after the write",
    async (kind) => {
      const { call, emulator } = await openVault();
      emulator.faults.add({
        kind,
        operation: "setSecret",
        times: 1,
        ...(kind === "dropAfter" ? {} : { commits: "first" }),
      });
      const isSeen = await call("PUT", "/secrets/a", { value: "x" }).then(
        ({ status, text }) => status === 200 && text.startsWith("{"),
        () => false,
      );
      expect(isSeen).toBe(false);
      expect((await call("GET", "/secrets/a")).body.value).toBe("x");
    },
  );

  it.each(["drop", "status", "html"] as const)("%s can come before the write is made late", async (kind) => {
    const { call, emulator } = await openVault();
    emulator.clock.freeze();
    emulator.faults.add({ kind, operation: "setSecret", times: 1, commits: "late", milliseconds: 10_000 });
    const lost = { status: "lost" };
    const first = await call("PUT", "/secrets/a", { value: "x" }).catch(() => lost);
    expect(first.status).toBe({ drop: "lost", status: 503, html: 200 }[kind]);
    const madeAt = Math.floor((emulator.clock.now() + 10_000) / 1000);
    emulator.clock.advance(9_999);
    expect((await call("GET", "/secrets/a")).status).toBe(404);
    emulator.clock.advance(5_000);
    const found = await call("GET", "/secrets/a");
    expect(found.body).toMatchObject({ value: "x", attributes: { created: madeAt } });
    expect((await call("GET", "/secrets/a/versions")).body.value).toHaveLength(1);
  });

  it("make late writes in the order they are due, and each for itself", async () => {
    const { call, emulator } = await openVault();
    emulator.clock.freeze();
    emulator.faults.add({ kind: "status", status: 504, name: "A", times: 1, commits: "late", milliseconds: 2_000 });
    emulator.faults.add({ kind: "status", status: 504, name: "a", times: 1, commits: "late", milliseconds: 1_000 });
    await call("PUT", "/secrets/a", { value: "second" });
    await call("PUT", "/secrets/a", { value: "first" });
    await call("PUT", "/secrets/a", { value: "" });
    expect((await call("GET", "/secrets/a")).body.value).toBe("");
    emulator.clock.advance(60_000);
    expect((await call("GET", "/secrets/a")).body.value).toBe("second");
    expect((await call("GET", "/secrets/a/versions")).body.value).toHaveLength(3);
  });

  it("make a late write by themselves where the clock runs", async () => {
    const { emulator, call } = await openVault();
    emulator.faults.add({ kind: "drop", operation: "createKey", times: 1, commits: "late", milliseconds: 5 });
    await expect(call("POST", "/keys/a/create", { kty: "EC" })).rejects.toMatchObject({ code: "ECONNRESET" });
    await vi.waitFor(async () => expect((await call("GET", "/keys/a")).status).toBe(200));
  });

  it("refuse a late write to which the vault has changed its mind, and nobody sees it", async () => {
    const { call, emulator, failures } = await openVault();
    emulator.clock.freeze();
    await call("PUT", "/secrets/a", { value: "x" });
    emulator.faults.add({ kind: "drop", operation: "setSecret", commits: "late", times: 1 });
    await call("PUT", "/secrets/a", { value: "y" }).catch(() => undefined);
    await call("DELETE", "/secrets/a");
    emulator.clock.advance(1_000);
    expect((await call("GET", "/deletedsecrets/a")).status).toBe(200);
    expect(failures).toEqual([]);
  });

  it("never answer, with or without the write", async () => {
    for (const commits of ["never", "first"] as const) {
      const { emulator, call } = await openVault();
      emulator.faults.add({ kind: "silence", operation: "setSecret", times: 1, commits });
      let isAnswered = false;
      const waiting = call("PUT", "/secrets/a", { value: "x" }).finally(() => {
        isAnswered = true;
      });
      const status = commits === "first" ? 200 : 404;
      await vi.waitFor(() => expect(emulator.requests.log.map(({ operation }) => operation)).toContain("setSecret"));
      expect([(await call("GET", "/secrets/a")).status, isAnswered]).toEqual([status, false]);
      await Promise.all([emulator.close(), expect(waiting).rejects.toMatchObject({ code: "ECONNRESET" })]);
    }
  });

  it("cut the connection in the middle of an answer, and where it has no middle", async () => {
    const { call, emulator } = await openVault();
    emulator.faults.add({ kind: "cut", operation: "setSecret", times: 1 });
    await expect(call("PUT", "/secrets/a", { value: "x" })).rejects.toMatchObject({ code: "ECONNRESET" });
    expect((await call("GET", "/secrets/a")).body.value).toBe("x");
    await call("DELETE", "/secrets/a");
    emulator.faults.add({ kind: "cut", operation: "purgeDeletedSecret", times: 1 });
    await expect(call("DELETE", "/deletedsecrets/a")).rejects.toMatchObject({ code: "ECONNRESET" });
    expect((await call("GET", "/deletedsecrets/a")).status).toBe(404);
  });

  it("answer for another object", async () => {
    const { call, emulator } = await openVault();
    emulator.faults.add({ kind: "otherObject", times: 3 });
    const made = await call("POST", "/keys/a/create", { kty: "EC" });
    expect(made.body).toMatchObject({
      key: { kid: expect.stringMatching(/^http:\/\/127\.0\.0\.1:\d+\/keys\/another-object\/\w{32}$/) },
    });
    expect(JSON.stringify((await call("GET", "/keys")).body)).not.toMatch(/\/keys\/a\W/);
    expect((await call("DELETE", "/keys/a")).body.recoveryId).toMatch(/\/deletedkeys\/another-object$/);
    expect((await call("GET", "/deletedkeys/a")).status).toBe(200);
  });

  it("answer a page of HTML, with 200 or another status", async () => {
    const { call, emulator } = await openVault();
    emulator.faults.add({ kind: "html", times: 1 });
    emulator.faults.add({ kind: "html", times: 1, status: 404 });
    const page = {
      status: 200,
      text: expect.stringMatching(/^<!DOCTYPE html>/),
      headers: { "content-type": expect.stringMatching(/^text\/html/) },
    };
    expect(await call("DELETE", "/keys/a")).toMatchObject(page);
    expect(await call("GET", "/keys/a")).toMatchObject({ ...page, status: 404 });
  });

  it("answer 429 and 5xx with Retry-After where a rule says so, and in words of another server", async () => {
    const { call, emulator } = await openVault();
    emulator.faults.add({ kind: "throttled", times: 1 });
    emulator.faults.add({ kind: "throttled", times: 1, retryAfterSeconds: 7 });
    emulator.faults.add({
      kind: "status",
      times: 1,
      status: 404,
      code: "ResourceNotFound",
      message: "?",
      innerCode: "X",
    });
    expect((await call("GET", "/keys")).headers).not.toHaveProperty("retry-after");
    expect((await call("GET", "/keys")).headers["retry-after"]).toBe("7");
    expect(await call("GET", "/keys/a")).toMatchObject(refusal(404, "ResourceNotFound", "?", "X"));
  });

  it("can be aimed at one name and one vault", async () => {
    const { call, emulator } = await openVault({ vaults: ["one", "two"] });
    emulator.faults.add({ kind: "status", name: "Orders", vault: "TWO" });
    const statuses = [
      await call("GET", "/keys/orders", undefined, { vault: "one" }),
      await call("GET", "/keys/orders", undefined, { vault: "two" }),
      await call("GET", "/keys/order", undefined, { vault: "two" }),
    ].map(({ status }) => status);
    expect(statuses).toEqual([404, 503, 404]);
  });

  it.each([
    [{ kind: "fire" }, /^"fire" is no kind of fault: it is one of dropBefore, /],
    [{ kind: "drop", operation: "importkey" }, /^A fault's operation is the name of an operation/],
    [{ kind: "drop", tims: 1 }, /^A fault has no "tims": its members are kind, operation, /],
    [{ kind: "drop", times: 0.5 }, /^A fault's times is a whole number/],
    [{ kind: "drop", status: 500 }, /^A fault of kind drop takes no status\.$/],
    [{ kind: "drop", milliseconds: 5 }, /^A fault of kind drop takes milliseconds only with commits "late"\.$/],
    [{ kind: "dropAfter", commits: "late" }, /^A fault of kind dropAfter takes no commits\.$/],
    [{ kind: "status", status: 200 }, /^A fault's status is a whole number from 400/],
    [{ kind: "latency", commits: "first" }, /^A fault of kind latency takes no commits\.$/],
    [["drop"], /^A fault is an object with a kind\.$/],
  ])("%j is no rule", (rule, message) => {
    expect(() => readFaultRule(rule)).toThrow(message);
    expect(() => readFaultRule(rule)).toThrow(RangeError);
  });

  it("spoil answers: truncated JSON, another content type, a trickle", async () => {
    const { call, emulator } = await openVault();
    await call("PUT", "/secrets/a", { value: "x".repeat(500) });
    emulator.faults.add({ kind: "contentType", times: 1 });
    emulator.faults.add({ kind: "slowBody", milliseconds: 20, times: 1 });
    const html = await call("GET", "/secrets/a");
    expect([html.headers["content-type"], html.body.value]).toEqual(["text/html", "x".repeat(500)]);
    expect((await call("GET", "/secrets/a")).body.value).toBe("x".repeat(500));
    emulator.faults.add({ kind: "truncated", times: 1 });
    await expect(call("GET", "/secrets/a")).rejects.toThrow(SyntaxError);
  });

  it("let a token expire, and ask for claims", async () => {
    const { call, emulator } = await openVault();
    emulator.faults.add({ kind: "expiredToken", times: 1 });
    emulator.faults.add({ kind: "claims", times: 1 });
    const expired = await call("GET", "/keys");
    expect([expired.status, expired.headers["www-authenticate"]]).toEqual([401, expect.stringContaining("resource=")]);
    const claims = await call("GET", "/keys");
    expect(claims.headers["www-authenticate"]).toMatch(
      /^Bearer realm="", authorization_uri="https:\/\/[^"]+", error="insufficient_claims", claims="[A-Za-z0-9+/=]+"$/,
    );
    expect((await call("GET", "/keys")).status).toBe(200);
  });

  it("can be late, and can be aimed by path, method and count", async () => {
    const { call, emulator } = await openVault();
    emulator.faults.add({ kind: "latency", milliseconds: 30, path: "/slow", method: "get", after: 1, times: 1 });
    const took = async (path: string) => {
      const from = performance.now();
      await call("GET", path);
      return performance.now() - from;
    };
    await took("/secrets/slow");
    expect(await took("/secrets/slow")).toBeGreaterThanOrEqual(29);
    expect(emulator.faults.rules).toHaveLength(1);
    emulator.faults.clear();
    expect(emulator.faults.rules).toEqual([]);
  });

  it("are the same twice from one seed", async () => {
    const statuses = async (seed: number) => {
      const { call, emulator } = await openVault({ seed });
      emulator.faults.add({ kind: "status", probability: 0.5 });
      const out: number[] = [];
      for (let index = 0; index < 24; index += 1) out.push((await call("GET", "/keys")).status);
      return out.join();
    };
    expect(await statuses(1)).toBe(await statuses(1));
    expect(await statuses(1)).not.toBe(await statuses(2));
  });

  it("leave the challenge alone", async () => {
    const { call, emulator } = await openVault();
    emulator.faults.add({ kind: "dropBefore" });
    expect((await call("GET", "/keys", undefined, { token: null })).status).toBe(401);
  });
});

describe("the control endpoint", () => {
  const bare = { apiVersion: null, token: null };

  it("sets faults, moves the clock and tells of requests", async () => {
    const { call, emulator } = await openVault();
    expect(
      (await call("POST", "/_emulator/faults", { kind: "status", status: 502, times: 1 }, bare)).body.faults,
    ).toHaveLength(1);
    expect((await call("GET", "/keys")).status).toBe(502);
    expect((await call("DELETE", "/_emulator/faults", undefined, bare)).body).toEqual({ faults: [] });
    const frozen = await call("POST", "/_emulator/clock", { freeze: true, advance: 86_400_000 }, bare);
    expect(frozen.body).toEqual({ now: emulator.clock.now(), frozen: true });
    expect((await call("POST", "/_emulator/clock", { freeze: false }, bare)).body.frozen).toBe(false);
    const requests = await call("GET", "/_emulator/requests", undefined, bare);
    expect(requests.body.log).toEqual([
      { method: "GET", path: "/keys", operation: "getKeys", status: 502, vault: "emulator" },
    ]);
    await call("DELETE", "/_emulator/requests", undefined, bare);
    expect(emulator.requests.count).toBe(0);
  });

  it("refuses what it does not know, and what a web page could send", async () => {
    const { call } = await openVault();
    expect((await call("POST", "/_emulator/faults", { kind: "fire" }, bare)).body).toMatchObject(
      refusal(400, "BadParameter", /^"fire" is no kind of fault/).body,
    );
    expect((await call("POST", "/_emulator/clock", { advance: -1 }, bare)).status).toBe(400);
    expect(
      (await call("POST", "/_emulator/clock", { advance: 1 }, { ...bare, headers: { "content-type": "text/plain" } }))
        .status,
    ).toBe(400);
    expect((await call("GET", "/_emulator/secrets", undefined, bare)).status).toBe(404);
    expect((await call("PUT", "/_emulator/faults", {}, bare)).status).toBe(405);
  });
});
