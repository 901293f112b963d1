import { expect, test } from "vitest";
import { TokenCache } from "../../provider/keyvault/token-cache.js";
import type { TokenSource } from "../../provider/keyvault/token-source.js";
import { ManualClock } from "./manual-clock.js";
import { countingSource } from "./vault-server.js";

const signal = new AbortController().signal;
const request = { scope: "https://vault.azure.net/.default", tenantId: "t" };

test("a token is kept by tenant and resource", async () => {
  const clock = new ManualClock();
  const source = countingSource(3_600_000, () => clock.now());
  const cache = new TokenCache(source, clock);
  const asked = [request, { ...request, tenantId: "T" }, { ...request, tenantId: "u" }, { ...request, scope: "s" }];
  const tokens = await Promise.all(asked.map((each) => cache.get(each, signal)));
  expect(tokens).toEqual(["token-1", "token-1", "token-2", "token-3"]);
});

test("a token is renewed five minutes before it expires", async () => {
  const clock = new ManualClock();
  const cache = new TokenCache(
    countingSource(3_600_000, () => clock.now()),
    clock,
  );
  await cache.get(request, signal);
  await clock.advance(54 * 60_000);
  expect(await cache.get(request, signal)).toBe("token-1");
  await clock.advance(60_000);
  expect(await cache.get(request, signal)).toBe("token-2");
});

test("while a renewal fails, the old token serves until it expires", async () => {
  const clock = new ManualClock();
  let broken = false;
  const good = countingSource(3_600_000, () => clock.now());
  const source: TokenSource = {
    getToken: async (scope, options) => {
      if (broken) throw new Error("offline");
      return await good.getToken(scope, options);
    },
  };
  const cache = new TokenCache(source, clock);
  await cache.get(request, signal);
  broken = true;
  await clock.advance(57 * 60_000);
  expect(await cache.get(request, signal)).toBe("token-1");
  await clock.advance(3 * 60_000);
  await expect(cache.get(request, signal)).rejects.toThrow("offline");
  broken = false;
  expect(await cache.get(request, signal)).toBe("token-2");
});

test("one call's abort leaves the acquisition to the others", async () => {
  const clock = new ManualClock();
  let give: (() => void) | undefined;
  const source: TokenSource = {
    getToken: () =>
      new Promise((resolve) => {
        give = () => resolve({ token: "late", expiresOn: new Date(clock.now() + 3_600_000) });
      }),
  };
  const cache = new TokenCache(source, clock);
  const caller = new AbortController();
  const [first, second] = [cache.get(request, caller.signal), cache.get(request, signal)];
  caller.abort(new Error("enough"));
  await expect(first).rejects.toThrow("enough");
  give?.();
  await expect(second).resolves.toBe("late");
});

test("an acquisition that hangs is told to stop", async () => {
  const clock = new ManualClock();
  const source: TokenSource = {
    getToken: (_scope, options) =>
      new Promise((_resolve, reject) =>
        options.signal?.addEventListener("abort", () => reject(options.signal?.reason)),
      ),
  };
  const token = new TokenCache(source, clock).get(request, signal);
  token.catch(() => {});
  await clock.advance(90_000);
  await expect(token).rejects.toThrow("no token within 90 s");
});
