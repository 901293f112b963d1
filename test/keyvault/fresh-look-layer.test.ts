import { expect, test, vi } from "vitest";
import { KeyVaultClient } from "../../provider/keyvault/client.js";
import { delay } from "../../provider/keyvault/clock.js";
import { TransportFailure, type VaultRequest, type VaultResponse } from "../../provider/keyvault/dispatch.js";
import { KeyVaultError } from "../../provider/keyvault/errors.js";
import { ManualClock } from "./manual-clock.js";
import { CHALLENGE } from "./vault-server.js";

const vaultUrl = "https://contoso.vault.azure.net";
const created = {
  key: { kid: `${vaultUrl}/keys/orders/0123456789abcdef0123456789abcdef`, kty: "EC", crv: "P-256" },
  attributes: { enabled: true, created: 1_700_000_000, updated: 1_700_000_000 },
};
const success = { status: 200, headers: { "content-type": "application/json" }, body: JSON.stringify(created) };

interface Way {
  clock: ManualClock;
  tokenMs?: number;
  answerMs?: number;
  answers?: (Partial<VaultResponse> | Error)[];
}

/** A client that knows its vault already, so that the next request is the write itself. */
async function known({ clock, tokenMs = 0, answerMs = 0, answers = [] }: Way) {
  let isKnown = false;
  const sent: VaultRequest[] = [];
  const credential = {
    getToken: async () => {
      if (isKnown) await delay(clock, tokenMs);
      return { token: crypto.randomUUID(), expiresOn: new Date(8.64e15) };
    },
  };
  const dispatch = async (request: VaultRequest): Promise<VaultResponse> => {
    if (request.headers.authorization === undefined) {
      return { status: 401, headers: { "www-authenticate": CHALLENGE }, body: "{}" };
    }
    if (!isKnown) return success;
    sent.push(request);
    if (answerMs > 0) await delay(clock, answerMs);
    const answer = answers.shift() ?? {};
    if (answer instanceof Error) throw answer;
    return { ...success, ...answer };
  };
  const client = new KeyVaultClient({ vaultUrl, credential, clock, dispatch });
  await clock.until(client.getKey("orders"));
  isKnown = true;
  return { client, sent };
}

const refused = new TransportFailure(Object.assign(new Error("no"), { code: "ECONNREFUSED" }), false);
const create = (client: KeyVaultClient, lookAgain: () => Promise<void>) =>
  client.createKey("orders", { keyType: "EC" }, { lookAgain });

test("a write that is sent at once rests on the look before it", async () => {
  const clock = new ManualClock();
  const { client, sent } = await known({ clock });
  const lookAgain = vi.fn(async () => {});
  await clock.until(create(client, lookAgain));
  expect(lookAgain).not.toHaveBeenCalled();
  expect(sent).toHaveLength(1);
});

test.each<[string, Omit<Way, "clock">]>([
  ["a new token", { tokenMs: 2_000, answers: [{ status: 401, headers: { "www-authenticate": CHALLENGE } }] }],
  ["somebody to listen", { answers: [refused, refused] }],
])(
  "a write that has waited for %s looks again, and is not sent if somebody was there meanwhile",
  async (_what, way) => {
    for (const isTaken of [false, true]) {
      const clock = new ManualClock();
      const { client, sent } = await known({ clock, ...way, answers: [...(way.answers ?? [])] });
      const lookAgain = vi.fn(async () => {
        if (isTaken) throw new KeyVaultError("KV_CONFLICT", "somebody was there");
      });
      const before = way.answers?.length ?? 0;
      const creating = create(client, lookAgain);
      creating.catch(() => {});
      await clock.until(creating);
      if (isTaken) await expect(creating).rejects.toMatchObject({ code: "KV_CONFLICT", mayHaveHappened: false });
      expect(lookAgain.mock.calls.length).toBeGreaterThan(0);
      if (!isTaken) expect(sent).toHaveLength(before + 1);
      else expect(sent.length).toBeLessThanOrEqual(before);
    }
  },
);

test("of many creates those that have waited for their turn look again", async () => {
  const clock = new ManualClock();
  const { client, sent } = await known({ clock, answerMs: 600 });
  const lookAgain = vi.fn(async () => {});
  await clock.until(Promise.all(Array.from({ length: 20 }, () => create(client, lookAgain))));
  expect(sent).toHaveLength(20);
  expect(lookAgain).toHaveBeenCalledTimes(4);
});
