import { afterAll, beforeAll, expect, it } from "vitest";
import { type Emulator, startEmulator } from "../../emulator/index.js";
import { askedRequests } from "../emulator/asked-requests.js";
import { ecKey } from "./demo-keys.js";
import { Stack } from "./stack.js";

/** Long enough for a word about the wait, which comes after five seconds. */
const SLOW_DELETION_MS = 6_500;

let vault: Emulator;
let stack: Stack;

const program = (material: string, value: string): string => `
  const key = new keyvault.Key("orders", { name: "orders", import: { file: "${material}" }, onDelete: "purge" });
  new keyvault.KeyBackup("orders", { key });
  const secret = new keyvault.Secret("db", { name: "db", value: "${value}" });
  new keyvault.SecretBackup("db", { secret });`;
const asked = (): Record<string, string[]> => {
  const operations = askedRequests(vault);
  const of = (path: RegExp) => operations.filter((each) => path.test(each.path)).map(({ operation }) => operation);
  return { key: of(/keys\//), secret: of(/secrets\//) };
};

beforeAll(async () => {
  vault = await startEmulator({
    timing: {
      deleting: (collection) => (collection === "keys" ? SLOW_DELETION_MS : 0),
      recovering: () => 0,
      recoveringWrites: () => 0,
      purging: () => 0,
    },
  });
  stack = await Stack.create({
    program: program("first.pem", "a value"),
    config: { "keyvault:vaultUrl": vault.url, "keyvault:credential": "token" },
    env: { KEYVAULT_TOKEN: vault.token },
  });
  await stack.file("first.pem", ecKey().pkcs8);
  await stack.file("second.pem", ecKey().pkcs8);
});
afterAll(async () => {
  await stack?.remove();
  await vault?.close();
});

it("the engine's calls cost what docs/requests.md says: a look, a write and a backup for what is new", async () => {
  await stack.up();
  expect(asked()).toEqual({
    key: ["getKey", "importKey", "backupKey"],
    secret: ["getSecret", "setSecret", "backupSecret"],
  });
});

it("a look, a write and a backup for what changes, and nothing for what stays", async () => {
  await stack.program(program("second.pem", "another value"));
  vault.requests.clear();
  await stack.up();
  expect(asked()).toEqual({
    key: ["getKey", "importKey", "backupKey"],
    secret: ["getSecret", "setSecret", "backupSecret"],
  });
  vault.requests.clear();
  await stack.up();
  expect(asked()).toEqual({ key: [], secret: [] });
});

it("a slow end is waited for, and the wait is told with what is awaited and since when", async () => {
  vault.requests.clear();
  const { text } = await stack.destroy();
  // The engine prints it as it comes, and once more in its summary.
  const told = new Set(text.match(/waiting for the deletion of key "orders" in \S+ to end \(\d+ s\)/g));
  expect(told.size).toBe(1);
  expect(asked().secret).toEqual(["getSecret", "deleteSecret"]);
  expect(asked().key?.slice(0, 2)).toEqual(["getKey", "deleteKey"]);
  expect(new Set(asked().key?.slice(2))).toEqual(new Set(["purgeDeletedKey", "getDeletedKey"]));
});
