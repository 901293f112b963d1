import { expect, it } from "vitest";
import { nameFilter } from "../../cli/vault/name-filter.js";
import { readVault } from "../../cli/vault/read-vault.js";
import { KeyVaultClient } from "../../provider/keyvault/client.js";
import { ManualClock } from "../keyvault/manual-clock.js";

const NAMES = Array.from({ length: 40 }, (_, index) => `key-${index}`);
const KID = "http://127.0.0.1:1/keys";

it("waits no longer than 40 seconds for the rotation policies that a server never shows", async () => {
  const clock = new ManualClock();
  const asked = new Set<string>();
  const client = new KeyVaultClient({
    vaultUrl: "http://127.0.0.1:1",
    credential: { getToken: async () => ({ token: "token", expiresOn: new Date(8e15) }) },
    clock,
    dispatch: async ({ path }) => {
      const [, collection, name = ""] = path.replace(/\?.*/, "").split("/");
      if (path.includes("rotationpolicy")) {
        asked.add(name);
        return { status: 500, headers: {}, body: "" };
      }
      const list = collection === "keys" ? NAMES.map((each) => ({ kid: `${KID}/${each}` })) : [];
      const bundle = {
        key: { kid: `${KID}/${name}/${"0".repeat(32)}`, kty: "oct-HSM" },
        attributes: { enabled: true },
      };
      return { status: 200, headers: {}, body: JSON.stringify(name === "" ? { value: list } : bundle) };
    },
  });
  const reading = readVault(client, nameFilter(), () => false);
  expect(await clock.until(reading)).toBeLessThan(40_000);
  const { keys, unread } = await reading;
  expect(keys.map(({ bundle }) => bundle.name).sort()).toEqual(NAMES.toSorted());
  expect(unread.map(({ name, part, code }) => `${part} of ${name}: ${code}`).sort()).toEqual(
    NAMES.map((name) => `rotation policy of ${name}: KV_UNAVAILABLE`).sort(),
  );
  expect(asked.size).toBeLessThan(NAMES.length / 2);
});
