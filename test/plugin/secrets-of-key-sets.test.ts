import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { type Emulator, startEmulator } from "../../emulator/index.js";
import { readProperties, writeProperties } from "../../plugin/wire-properties.js";
import type { Properties } from "../../provider/engine/lifecycle.js";
import { SECRET_SIGNATURE, SIGNATURE_KEY } from "../../provider/engine/pulumi-secret.js";
import {
  type Grpc,
  messages,
  type ProviderMessages,
  type StructMessages,
  statusMessages,
} from "../../provider/engine/sdk-protocol.js";
import { unpackRecords } from "../../provider/key-set/packed-records.js";
import { call } from "../engine/vault-by-hand.js";
import { startEngineRun } from "../provider/engine-run.js";
import { answered, pluginClient } from "./wired-provider.js";

const CANARY = "hunter2-very-secret";
const URN = "urn:pulumi:prod::shop::keyvault:index:KeySet::fleet";
const secret = (value: unknown) => ({ [SIGNATURE_KEY]: SECRET_SIGNATURE, value });
const generate = { keyType: "EC" };

let vault: Emulator;
beforeEach(async () => {
  vault = await startEmulator({ timing: "instant" });
  startEngineRun(vault);
});
afterEach(() => vault.close());

type Struct = StructMessages.Struct;

/** What the engine has of a set: with the envelopes of its secrets. */
interface SetState {
  id: string;
  inputs: Struct;
  outputs: Struct;
}

/** All that state would hold in the clear of an answer. */
function inTheClear(...structs: Struct[]): string {
  const told = structs.map((struct) => {
    const { values, secrets } = readProperties(struct);
    const open = Object.entries(values).filter(([name]) => !secrets.has(name));
    const records = open.filter(([name]) => name === "records").map(([, text]) => [...unpackRecords(text)]);
    return JSON.stringify([open, records]);
  });
  return told.join("\n");
}

async function checked(news: Properties, olds?: Struct): Promise<Struct> {
  const request = new messages.CheckRequest();
  request.setUrn(URN);
  if (olds !== undefined) request.setOlds(olds);
  request.setNews(writeProperties({ vaultUrl: vault.url, ...news }));
  const client = await pluginClient();
  const response = await answered<ProviderMessages.CheckResponse>((answer) => client.check(request, answer));
  expect(response.getFailuresList().map((failure) => failure.getReason())).toEqual([]);
  return response.getInputs() as Struct;
}

async function created(news: Properties): Promise<SetState> {
  const inputs = await checked(news);
  const request = new messages.CreateRequest();
  request.setUrn(URN);
  request.setProperties(inputs);
  const client = await pluginClient();
  const response = await answered<ProviderMessages.CreateResponse>((answer) => client.create(request, answer));
  return { id: response.getId(), inputs, outputs: response.getProperties() as Struct };
}

function updateRequest(state: SetState, inputs: Struct): ProviderMessages.UpdateRequest {
  const request = new messages.UpdateRequest();
  request.setUrn(URN);
  request.setId(state.id);
  request.setOlds(state.outputs);
  request.setOldInputs(state.inputs);
  request.setNews(inputs);
  return request;
}

async function updated(state: SetState, news: Properties): Promise<SetState> {
  const inputs = await checked(news, state.inputs);
  const client = await pluginClient();
  const response = await answered<ProviderMessages.UpdateResponse>((answer) =>
    client.update(updateRequest(state, inputs), answer),
  );
  return { id: state.id, inputs, outputs: response.getProperties() as Struct };
}

async function recordedInPart(call: (answer: (error: Grpc.ServiceError | null) => void) => unknown) {
  const packed = await new Promise<Uint8Array>((done, fail) => {
    call((error) => {
      const [found] = error?.metadata.get("grpc-status-details-bin") ?? [];
      if (found instanceof Uint8Array) done(found);
      else fail(new Error("nothing was recorded in part"));
    });
  });
  const [detail] = statusMessages.Status.deserializeBinary(packed).getDetailsList();
  return messages.ErrorResourceInitFailed.deserializeBinary(detail?.getValue_asU8() ?? new Uint8Array());
}

/** An update that does not reach all keys, and what the engine is to record of it. */
async function updatedInPart(state: SetState, news: Properties): Promise<SetState> {
  const inputs = await checked(news, state.inputs);
  const client = await pluginClient();
  const failed = await recordedInPart((answer) => client.update(updateRequest(state, inputs), answer));
  return { id: state.id, inputs, outputs: failed.getProperties() as Struct };
}

function readRequest(state: SetState): ProviderMessages.ReadRequest {
  const request = new messages.ReadRequest();
  request.setUrn(URN);
  request.setId(state.id);
  request.setProperties(state.outputs);
  request.setInputs(state.inputs);
  return request;
}

/** A refresh that does not reach all keys, and what the engine is to record of it. */
async function refreshedInPart(state: SetState): Promise<SetState> {
  const client = await pluginClient();
  const failed = await recordedInPart((answer) => client.read(readRequest(state), answer));
  return { id: state.id, inputs: failed.getInputs() as Struct, outputs: failed.getProperties() as Struct };
}

async function refreshed(state: SetState): Promise<SetState> {
  const client = await pluginClient();
  const response = await answered<ProviderMessages.ReadResponse>((answer) => client.read(readRequest(state), answer));
  return { id: response.getId(), inputs: response.getInputs() as Struct, outputs: response.getProperties() as Struct };
}

/** As somebody does who sets one tag and keeps the others. */
async function tagged(name: string): Promise<void> {
  const { tags } = (await call(vault, "GET", `/keys/${name}`)) as { tags: Record<string, string> };
  await call(vault, "PATCH", `/keys/${name}`, { tags: { ...tags, found: "outside" } });
}

describe("what a program marks as a secret in a set of keys", () => {
  it.each<[string, Properties]>([
    ["a tag of a key", { keys: { a: { generate, tags: { t: secret(CANARY) } } } }],
    ["a keeper of a key", { keys: { a: { generate: { ...generate, keepers: { k: secret(CANARY) } } } } }],
    ["a whole key", { keys: { a: secret({ generate, tags: { t: CANARY } }) } }],
    ["all keys", { keys: secret({ a: { generate, tags: { t: CANARY } } }) }],
    ["a tag of the set", { tags: { t: secret(CANARY) }, keys: { a: { generate } } }],
    ["a keeper of the set", { generate: { ...generate, keepers: { k: secret(CANARY) } }, keys: { a: {} } }],
  ])("stands nowhere in the clear: %s", async (_place, news) => {
    const state = await created(news);
    expect(inTheClear(state.inputs, state.outputs)).not.toContain(CANARY);
    await tagged("a");
    const found = await refreshed(state);
    expect(JSON.stringify(readProperties(found.inputs).values)).toContain("outside");
    expect(inTheClear(found.inputs, found.outputs)).not.toContain(CANARY);
    const back = await updated(found, news);
    expect(inTheClear(back.inputs, back.outputs)).not.toContain(CANARY);
  });

  it.each<[string, (value: unknown) => unknown]>([
    ["of another secret", secret],
    ["of what is none any more", (value) => value],
  ])("stands nowhere in the clear after an update that fails in part, %s", async (_what, mark) => {
    const keys = { a: { generate }, b: { generate } };
    const state = await created({ tags: { t: secret(CANARY) }, keys });
    vault.faults.add({ kind: "status", operation: "updateKey", name: "b", status: 403, code: "Forbidden" });
    const partial = await updatedInPart(state, { tags: { t: mark("open") }, keys });
    vault.faults.clear();
    expect(JSON.stringify([...unpackRecords(readProperties(partial.outputs).values.records)])).toContain(CANARY);
    expect(inTheClear(partial.inputs, partial.outputs)).not.toContain(CANARY);
    const found = await refreshed(partial);
    expect(inTheClear(found.inputs, found.outputs)).not.toContain(CANARY);
  });

  it("stands nowhere in the clear after a refresh that fails in part", async () => {
    const keys = { a: { generate }, b: { generate, tags: { t: secret(CANARY) } } };
    const state = await created({ keys });
    await tagged("a");
    vault.faults.add({ kind: "status", operation: "getKey", name: "b", status: 403, code: "Forbidden" });
    const found = await refreshedInPart(state);
    expect(JSON.stringify(readProperties(found.inputs).values)).toContain("outside");
    expect(JSON.stringify([...unpackRecords(readProperties(found.outputs).values.records)])).toContain("KV_FORBIDDEN");
    expect(inTheClear(found.inputs, found.outputs)).not.toContain(CANARY);
  });

  it("stays hidden where ignoreChanges leaves the keys to what state has of them", async () => {
    const state = await created({ keys: { a: { generate, tags: { t: secret(CANARY) } } } });
    expect(inTheClear(await checked({}, state.inputs))).not.toContain(CANARY);
  });

  it("hides nothing else: what a key is made of leaves no more than a digest", async () => {
    const state = await created({ keys: { a: { generate }, b: { generate, tags: { t: "open" } } } });
    expect([...readProperties(state.inputs).secrets]).toEqual([]);
    expect([...readProperties(state.outputs).secrets]).toEqual([]);
    expect(inTheClear(state.inputs)).toContain("open");
  });
});
