import { Module } from "node:module";
import { sep } from "node:path";
import { describe, expect, it } from "vitest";
import { engineTimeout, watchEngineTimeouts } from "../../provider/engine/engine-timeout.js";
import { dynamicProvider, type ResourceLifecycle } from "../../provider/engine/lifecycle.js";

/** A request as the dynamic provider host has it. */
class Request {
  constructor(readonly seconds: number) {}
  getTimeout = () => this.seconds;
  getProperties() {
    return {};
  }
  getNews() {
    return {};
  }
}
class CreateRequest extends Request {}
class ReadRequest extends Request {}
class UpdateRequest extends Request {}
class DeleteRequest extends Request {}

const path = ["", "app", "node_modules", "@pulumi", "pulumi", "proto", "provider_pb.js"].join(sep);
const exports = { CreateRequest, ReadRequest, UpdateRequest, DeleteRequest };
watchEngineTimeouts({ [path]: Object.assign(new Module(path), { exports }) });

const seen: (number | undefined)[] = [];
const see = async () => {
  seen.push(engineTimeout());
  return { id: "a", outs: {}, props: {} };
};
const lifecycle: ResourceLifecycle = {
  check: async () => {
    await see();
    return { inputs: {}, failures: [] };
  },
  diff: async () => ({ changes: undefined, replaces: [], deleteBeforeReplace: false }),
  create: see,
  read: see,
  update: see,
  delete: async () => void (await see()),
};
const provider = dynamicProvider(async () => lifecycle);

describe("the customTimeouts of a call of the dynamic provider host", () => {
  it.each<[call: string, serve: (seconds: number) => Promise<unknown>]>([
    ["create", (seconds) => provider.create(new CreateRequest(seconds).getProperties())],
    ["read", (seconds) => provider.read("a", new ReadRequest(seconds).getProperties())],
    ["update", (seconds) => provider.update("a", {}, new UpdateRequest(seconds).getNews())],
    ["delete", (seconds) => provider.delete("a", new DeleteRequest(seconds).getProperties())],
  ])("limit a %s, and where there are none, those of the call before do not", async (_call, serve) => {
    seen.length = 0;
    await serve(90);
    await serve(0);
    expect(seen).toEqual([90_000, undefined]);
  });

  it("limit no check", async () => {
    seen.length = 0;
    new CreateRequest(90).getProperties();
    await provider.check({}, {});
    expect(seen).toEqual([undefined]);
  });
});
