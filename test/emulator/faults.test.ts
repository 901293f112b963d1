import { describe, expect, it } from "vitest";
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

  it("answer a conflict as under parallel work, with no inner code", async () => {
    const { call, emulator } = await openVault();
    await call("PUT", "/secrets/a", { value: "1" });
    emulator.faults.add({ kind: "conflict", operation: "setSecret", times: 1 });
    const refused = await call("PUT", "/secrets/a", { value: "2" });
    expect(refused).toMatchObject(refusal(409, "Conflict", /^There was a conflict while updating the secret '/));
    expect(refused.body.error).not.toHaveProperty("innererror");
    expect((await call("GET", "/secrets/a")).body.value).toBe("1");
  });

  it("spoil answers: truncated JSON, another content type, a trickle", async () => {
    const { call, emulator } = await openVault();
    await call("PUT", "/secrets/a", { value: "x".repeat(500) });
    emulator.faults.add({ kind: "contentType", times: 1 });
    emulator.faults.add({ kind: "slowBody", milliseconds: 20, times: 1 });
    expect((await call("GET", "/secrets/a")).headers["content-type"]).toBe("text/html");
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
    expect((await call("POST", "/_emulator/faults", { kind: "fire" }, bare)).status).toBe(400);
    expect((await call("POST", "/_emulator/clock", { advance: -1 }, bare)).status).toBe(400);
    expect(
      (await call("POST", "/_emulator/clock", { advance: 1 }, { ...bare, headers: { "content-type": "text/plain" } }))
        .status,
    ).toBe(400);
    expect((await call("GET", "/_emulator/secrets", undefined, bare)).status).toBe(404);
    expect((await call("PUT", "/_emulator/faults", {}, bare)).status).toBe(405);
  });
});
