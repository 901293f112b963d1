import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { type Emulator, startEmulator } from "../../emulator/index.js";
import { readProperties, writeProperties } from "../../plugin/wire-properties.js";
import { isRecord } from "../../provider/engine/input-check.js";
import { messages, type ProviderMessages } from "../../provider/engine/sdk-protocol.js";
import { call } from "../engine/vault-by-hand.js";
import { DrivenResource } from "../provider/driven-resource.js";
import { startEngineRun } from "../provider/engine-run.js";
import { answered, pluginClient } from "./wired-provider.js";
import { vaultBackup } from "./wired-providers.js";

/** What gRPC takes by default. */
const DEFAULT_LIMIT = 4 * 1024 * 1024;

describe("messages larger than gRPC takes by default", { timeout: 120_000 }, () => {
  let vault: Emulator;

  beforeEach(async () => {
    vault = await startEmulator();
    startEngineRun(vault);
    vi.spyOn(process.stdout, "write").mockReturnValue(true);
  });
  afterEach(async () => {
    vi.restoreAllMocks();
    await vault.close();
  });

  it("carry blobs in state through the whole life of a backup", async () => {
    for (let version = 0; version < 160; version++) {
      await call(vault, "PUT", "/secrets/long", { value: String(version % 10).repeat(25_000) });
    }
    const resource = new DrivenResource(vaultBackup, vault, { vaultUrl: vault.url, secrets: ["*"] }, "VaultBackup");
    const state = await resource.created({});
    const blob = JSON.stringify(state.outs.blobs);
    expect(blob.length).toBeGreaterThan(DEFAULT_LIMIT);
    const refreshed = await resource.refreshed(state);
    expect(refreshed.outs).toEqual(state.outs);
    await call(vault, "PUT", "/secrets/short", { value: "a" });
    const updated = await resource.updated(state, { secrets: ["*", "!none"] });
    expect(Object.keys(Object(updated.outs.blobs).secrets)).toEqual(["long", "short"]);
    expect(JSON.stringify(updated.outs.blobs).length).toBeGreaterThan(DEFAULT_LIMIT);
    await resource.deleted(updated);
  });

  it("carry the inputs of a set of thousands of keys", async () => {
    const tags = Object.fromEntries(Array.from({ length: 14 }, (_, n) => [`tag-${n}`, "t".repeat(256)]));
    const names = Array.from({ length: 1200 }, (_, n) => `key-${n}`);
    const keys = Object.fromEntries(names.map((name) => [name, { tags }]));
    const request = new messages.CheckRequest();
    request.setUrn("urn:pulumi:prod::shop::keyvault:index:KeySet::many");
    request.setNews(writeProperties({ vaultUrl: vault.url, generate: { keyType: "EC" }, keys }));
    expect(request.serializeBinary().length).toBeGreaterThan(DEFAULT_LIMIT);
    const client = await pluginClient();
    const response = await answered<ProviderMessages.CheckResponse>((answer) => client.check(request, answer));
    expect(response.getFailuresList().map((failure) => failure.getReason())).toEqual([]);
    const { values } = readProperties(response.getInputs());
    expect(isRecord(values.keys) ? Object.keys(values.keys) : []).toHaveLength(names.length);
  });

  it("carry the answer of a function about all that a vault has", async () => {
    const tags = Object.fromEntries(Array.from({ length: 14 }, (_, n) => [`tag-${n}`, "t".repeat(256)]));
    for (let n = 0; n < 1200; n++) await call(vault, "PUT", `/secrets/listed-${n}`, { value: "a", tags });
    const request = new messages.InvokeRequest();
    request.setTok("keyvault:index:listSecrets");
    request.setArgs(writeProperties({ vaultUrl: vault.url }));
    const client = await pluginClient();
    const response = await answered<ProviderMessages.InvokeResponse>((answer) => client.invoke(request, answer));
    expect(response.serializeBinary().length).toBeGreaterThan(DEFAULT_LIMIT);
    const { secrets } = readProperties(response.getReturn()).values;
    expect(secrets).toHaveLength(1200);
  });
});
