import { afterAll, beforeAll, expect, it } from "vitest";
import { type Emulator, startEmulator } from "../../emulator/index.js";
import { keyClient, secretClient } from "../engine/vault-by-hand.js";
import { livesIn } from "./vault-life.js";

// The suite for a real vault, shown on an embedded one: what it does, and that it leaves nothing behind but what it found.
let vault: Emulator;

beforeAll(async () => {
  vault = await startEmulator({ timing: "short" });
  await keyClient(vault).createEcKey("of-somebody-else");
  await keyClient(vault).createEcKey("pulumi-keyvault-suite-of-a-run-that-was-cut-off");
  Object.assign(process.env, { KEYVAULT_TOKEN: vault.token, KEYVAULT_CREDENTIAL: "token" });
});
afterAll(async () => {
  delete process.env.KEYVAULT_TOKEN;
  delete process.env.KEYVAULT_CREDENTIAL;
  await vault.close();
});

livesIn("in an embedded vault", () => vault.url);

it("nothing of the suite is left, and nothing else is touched", async () => {
  const left: string[] = [];
  for await (const { name } of keyClient(vault).listPropertiesOfKeys()) left.push(name);
  for await (const { name } of keyClient(vault).listDeletedKeys()) left.push(`deleted ${name}`);
  for await (const { name } of secretClient(vault).listPropertiesOfSecrets()) left.push(name);
  for await (const { name } of secretClient(vault).listDeletedSecrets()) left.push(`deleted ${name}`);
  expect(left).toEqual(["of-somebody-else"]);
});
