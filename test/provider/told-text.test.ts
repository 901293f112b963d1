import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { type Emulator, startEmulator } from "../../emulator/index.js";
import { call } from "../engine/vault-by-hand.js";
import { DrivenResource } from "./driven-resource.js";
import { secret } from "./providers.js";

/** Clears the screen, orders an agent of Azure Pipelines, turns what follows around: somebody who may write tags wrote it. */
const HOSTILE = "\u001b[2J##vso[task.complete]\u202e";
const OWNERS = [`${HOSTILE}/x AAAAAAAAAAAAAAAA`, `${HOSTILE}\n::error::x`];

let vault: Emulator;
let resource: DrivenResource;
let told = "";

beforeEach(async () => {
  vault = await startEmulator({ timing: "instant" });
  resource = new DrivenResource(secret, vault, { vaultUrl: vault.url, name: "db" });
  told = "";
  vi.spyOn(process.stdout, "write").mockImplementation((text) => {
    told += text;
    return true;
  });
});
afterEach(async () => {
  vi.restoreAllMocks();
  await vault.close();
});

function expectInert(text: string): void {
  expect(text.trim()).not.toMatch(/(?!\n)[\p{Cc}\p{Cf}]|##vso\[|^\s*::/mu);
  expect(text).toContain("\\u001b[2J# #vso[task.complete]\\u202e");
}

describe.each(OWNERS)("an owner in a tag that speaks to terminals and build agents (%j)", (owner) => {
  const tags = { "pulumi-keyvault": owner };

  it("is told by a refresh as text", async () => {
    const state = await resource.created({ value: "v" });
    await call(vault, "PATCH", "/secrets/db", { tags });
    await resource.refreshed(state);
    expectInert(told);
  });

  it("is told by a refusal as text", async () => {
    await call(vault, "PUT", "/secrets/db", { value: "somebody's", tags });
    const refusal = await resource.created({ value: "v" }).catch((error: unknown) => error);
    expect((refusal as Error).message).toMatch(/^KV_ALREADY_EXISTS: /);
    expectInert((refusal as Error).message);
  });
});
