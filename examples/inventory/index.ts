import * as pulumi from "@pulumi/pulumi";
import * as keyvault from "pulumi-keyvault";

// The vault is that of the stack's configuration, keyvault:vaultUrl.
const config = new pulumi.Config();

const signing = new keyvault.Key("signing", {
  name: "orders-signing",
  generate: { keyType: "EC", curve: "P-256" },
  tags: { team: "orders" },
});

// What the vault is to hold: the keys of this program, and keys that somebody else makes. What appears, vanishes or
// changes outside is drift with its name, in `pulumi preview --refresh --expect-no-changes`.
const inventory = new keyvault.KeyInventory("vault", {
  expect: [signing, ...(config.getObject<string[]>("expectedKeys") ?? [])],
  ignore: ["temp-*"],
  onUnmanaged: config.getBoolean("failOnUnmanaged") ? "fail" : "report",
  expiresWithin: "30d",
});

export const count = inventory.count;
export const unmanaged = inventory.unmanaged;
export const missing = inventory.missing;
export const softDeleted = inventory.softDeleted;
export const expiring = inventory.expiring;

// A list function asks the vault while the program runs, in a preview too. It goes through any number of keys without
// holding them.
async function keysByTeam(): Promise<Record<string, number>> {
  const teams: Record<string, number> = {};
  for await (const key of keyvault.listKeys()) {
    if (key.managed) continue;
    const team = key.tags.team ?? "nobody";
    teams[team] = (teams[team] ?? 0) + 1;
  }
  return teams;
}

export const teams = keysByTeam();
