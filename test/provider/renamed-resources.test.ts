import { KeyClient } from "@azure/keyvault-keys";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { z } from "zod";
import { type Emulator, startEmulator } from "../../emulator/index.js";
import { OWNER_TAG } from "../../provider/object/owner-tag.js";
import { ecKey } from "../engine/demo-keys.js";
import { type Arguments, DrivenResource, type State } from "./driven-resource.js";
import { identity, nextEngineRun } from "./engine-run.js";
import { key, secret } from "./providers.js";

const sources: [string, typeof key, Arguments][] = [
  ["an imported key", key, { import: { jwk: ecKey().jwk } }],
  ["a generated key", key, { generate: { keyType: "EC" } }],
  ["a secret", secret, { value: "a value 77d1" }],
];

describe.each(sources)("%s says who owns it", (_what, provider, source) => {
  let vault: Emulator;
  let resource: DrivenResource;
  let told: string[];

  beforeEach(async () => {
    vault = await startEmulator();
    resource = new DrivenResource(provider, vault, { vaultUrl: vault.url, name: "orders" });
    told = [];
    vi.spyOn(process.stdout, "write").mockImplementation((text) => told.push(String(text)) > 0);
  });
  afterEach(async () => {
    vi.restoreAllMocks();
    await vault.close();
  });

  const noun = provider === key ? "keys" : "secrets";
  const call = async (method: string, path: string, body?: unknown) => {
    const answer = await fetch(`${vault.url}/${path}?api-version=7.4`, {
      method,
      headers: { authorization: `Bearer ${vault.token}`, "content-type": "application/json" },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    });
    const json: unknown = await answer.json().catch(() => undefined);
    return {
      status: answer.status,
      body: z.looseObject({ tags: z.record(z.string(), z.string()).optional() }).parse(json ?? {}),
    };
  };
  const tags = async (): Promise<Record<string, string>> => (await call("GET", `${noun}/orders`)).body.tags ?? {};
  const isThere = async (): Promise<boolean> => (await call("GET", `${noun}/orders`)).status === 200;
  /** A resource of the same program under another logical name. */
  const named = (name: string, stack?: { project: string; stack: string }) => identity(name, "Key", stack);
  const renamed = async (name: string, args: Arguments = source): Promise<State> => {
    nextEngineRun();
    return resource.created({ ...args, ...named(name) });
  };

  it("to the resource that follows it in the stack, and stays where the former one goes", async () => {
    const before = await resource.created({ ...source, ...named("a") });
    const after = await renamed("b");
    expect(after.outs.version).toBe(before.outs.version);
    await provider.delete(before.id, before.outs);
    expect(await isThere()).toBe(true);
    expect(told.join("")).toMatch(/belonged to another resource of this stack.*stays: the program declares it/s);
  });

  it("and stays in state where the resource that follows it could not have it", async () => {
    const before = await resource.created({ ...source, ...named("a") });
    const { ownerToken: _, ...unmarked } = before.outs;
    await call("PATCH", `${noun}/orders/${before.outs.version}`, { tags: {} });
    await expect(renamed("b")).rejects.toThrow("KV_ALREADY_EXISTS");
    await expect(provider.delete(before.id, unmarked)).rejects.toThrow(
      /^KV_CONFLICT: .*"orders" in \S+ stays as it is, in the vault and in state: (?:Key|Secret) "b", which declares it, could not take it over/,
    );
    expect(await isThere()).toBe(true);

    nextEngineRun();
    await resource.created({ ...("generate" in source ? {} : source), adopt: true, ...named("b") });
    await provider.delete(before.id, unmarked);
    expect(await isThere()).toBe(true);
  });

  it("to a later run that only has the former resource in its state", async () => {
    const before = await resource.created({ ...source, ...named("a") });
    await renamed("b");
    await resource.deleted(before);
    expect(await isThere()).toBe(true);
    expect(told.join("")).toMatch(/is left alone: stack "shop\/prod" owns it/);
  });

  it("to the former resource again where the rename is taken back half-way", async () => {
    const before = await resource.created({ ...source, ...named("a") });
    const after = await renamed("b");
    nextEngineRun();
    const inputs = await resource.checked({ ...source, ...named("a") }, before.inputs);
    await provider.diff(before.id, before.outs, inputs);
    await provider.delete(after.id, after.outs);
    await resource.deleted(before);
    expect(await isThere()).toBe(false);
  });

  it("to another stack, which is refused and told by name", async () => {
    await resource.created(source);
    nextEngineRun();
    const other = resource.created({ ...source, ...named("orders", { project: "shop", stack: "test" }) });
    await expect(other).rejects.toThrow(/KV_ALREADY_EXISTS.*stack "shop\/prod" owns it.*adopt: true/s);
  });

  it("to another stack that adopts it: from then on the former owner leaves it alone", async () => {
    const before = await resource.created(source);
    nextEngineRun();
    await resource.created({ adopt: true, ...named("orders", { project: "shop", stack: "test" }) });
    expect((await tags())[OWNER_TAG]).toMatch(/^shop\/test /);
    await resource.deleted(before);
    expect(await isThere()).toBe(true);
  });

  it("and somebody else's without a tag is refused", async () => {
    const { import: jwk } = source as { import?: { jwk: object } };
    if (provider === secret) await call("PUT", "secrets/orders", { value: source.value });
    else if (jwk) await call("PUT", "keys/orders", { key: jwk.jwk });
    else await call("POST", "keys/orders/create", { kty: "EC" });
    await expect(resource.created(source)).rejects.toThrow(/KV_ALREADY_EXISTS.*no owner tag.*alias.*adopt: true/s);
  });

  it("and is kept where the engine replaces it under its own name, whatever onDelete says", async () => {
    const before = await resource.created({ ...source, onDelete: "purge" });
    const inputs = await resource.checked({ ...source, onDelete: "purge" }, before.inputs);
    await provider.delete(before.id, before.outs);
    expect(await isThere()).toBe(true);
    await provider.create(inputs);
    expect(await isThere()).toBe(true);
  });

  it("and is refused where another stack has marked it meanwhile, though the engine replaces it", async () => {
    const before = await resource.created(source);
    const inputs = await resource.checked(source, before.inputs);
    await provider.delete(before.id, before.outs);
    const theirs = { [OWNER_TAG]: "shop/test abcdefghijklmnop" };
    await call("PATCH", `${noun}/orders/${before.outs.version}`, { tags: theirs });
    await expect(provider.create(inputs)).rejects.toThrow(/KV_ALREADY_EXISTS.*stack "shop\/test" owns it/s);
    expect(await tags()).toEqual(theirs);
  });

  const otherSource = (): Arguments => {
    if (provider === secret) return { value: "another value 9c" };
    return "generate" in source
      ? { generate: { keyType: "EC", keepers: { a: "2" } } }
      : { import: { jwk: ecKey().jwk } };
  };

  it("and needs no other version where a run that replaced it under another name was cut off", async () => {
    const before = await resource.created({ ...source, ...named("a") });
    nextEngineRun();
    const wanted = { ...otherSource(), ...named("b") };
    await provider.diff(before.id, before.outs, await resource.checked(wanted, before.inputs));
    await provider.delete(before.id, before.outs);
    await provider.create(await resource.checked(wanted));
    nextEngineRun();
    await resource.updated(before, wanted);
    expect((await call("GET", `${noun}/orders/versions`)).body.value).toHaveLength(2);
  });

  it("and is taken as it is where a run that was cut off had made the version, and a refresh has found it", async () => {
    const other = otherSource();
    const before = await resource.created(source);
    nextEngineRun();
    const made = await resource.updated(before, other);
    nextEngineRun();
    const seen = await resource.refreshed(before);
    const { outs } = await resource.updated(seen, other);
    expect(outs.version).toBe(made.outs.version);
    expect(resource.operations().filter((operation) => /create|import|set/.test(operation))).toEqual([]);
  });

  it("and is changed in place where a run that was cut off had made the version, and the program went on", async () => {
    const other = otherSource();
    const before = await resource.created(source);
    nextEngineRun();
    const made = await resource.updated(before, other);
    nextEngineRun();
    const { outs } = await resource.updated(before, { ...other, tags: { a: "1" } });
    expect(outs.version).toBe(made.outs.version);
    expect(await tags()).toMatchObject({ a: "1" });
  });

  it("and is marked again with the next write where the tag was lost, which is no drift", async () => {
    const state = await resource.created({ ...source, tags: { a: "1" } });
    const { version } = state.outs;
    await call("PATCH", `${noun}/orders/${version}`, { tags: { a: "1" } });
    const seen = await resource.refreshed(state);
    expect(await resource.drift(state)).toEqual({});
    await resource.updated(seen, { ...source, tags: { a: "2" } });
    expect((await tags())[OWNER_TAG]).toMatch(/^shop\/prod /);
  });
});

it("takes the version of a run that was cut off where a refresh was not shown its value", async () => {
  const vault = await startEmulator();
  const written = vi.spyOn(process.stdout, "write").mockReturnValue(true);
  try {
    const resource = new DrivenResource(secret, vault, { vaultUrl: vault.url, name: "orders" });
    const before = await resource.created({ value: "a value" });
    nextEngineRun();
    const made = await resource.updated(before, { value: "another" });
    nextEngineRun();
    const hidden = { status: 403, code: "Forbidden", innerCode: "AccessDenied", operation: "getSecret", times: 1 };
    vault.faults.add({ kind: "status", ...hidden });
    const seen = await resource.refreshed(before);
    const { outs } = await resource.updated(seen, { value: "another" });
    expect(outs.version).toBe(made.outs.version);
  } finally {
    written.mockRestore();
    await vault.close();
  }
});

describe("two keys that swap their places", () => {
  it("are never purged where the engine deletes one before it shows the resource that goes on with it", async () => {
    const vault = await startEmulator();
    const told: string[] = [];
    const written = vi.spyOn(process.stdout, "write").mockImplementation((text) => told.push(String(text)) > 0);
    try {
      const generate = { generate: { keyType: "EC" }, onDelete: "purge" };
      const resource = new DrivenResource(key, vault, { vaultUrl: vault.url });
      const a = await resource.created({ ...generate, name: "x", ...identity("a") });
      const b = await resource.created({ ...generate, name: "y", ...identity("b") });
      nextEngineRun();
      const toZ = await resource.checked({ ...generate, name: "z", ...identity("a") }, a.inputs);
      await key.delete(a.id, a.outs);
      expect(told.join("")).toMatch(/key "x" .* was deleted and not purged: its resource is replaced before the rest/);
      await key.create(toZ);
      const toX = await resource.checked({ ...generate, name: "x", ...identity("b") }, b.inputs);
      expect((await key.create(toX)).outs.version).toBe(a.outs.version);
      told.length = 0;
      await key.delete(b.id, b.outs);
      expect(told.join("")).not.toMatch(/not purged/);
    } finally {
      written.mockRestore();
      await vault.close();
    }
  });

  it("are no other keys where they are generated and the engine deletes each before it makes the next", async () => {
    const vault = await startEmulator();
    const written = vi.spyOn(process.stdout, "write").mockReturnValue(true);
    try {
      const generate = { generate: { keyType: "EC" } };
      const resource = new DrivenResource(key, vault, { vaultUrl: vault.url });
      const a = await resource.created({ ...generate, name: "x", ...identity("a") });
      const b = await resource.created({ ...generate, name: "y", ...identity("b") });
      nextEngineRun();
      const toY = await resource.checked({ ...generate, name: "y", ...identity("a") }, a.inputs);
      const toX = await resource.checked({ ...generate, name: "x", ...identity("b") }, b.inputs);
      await key.delete(a.id, a.outs);
      await key.delete(b.id, b.outs);
      expect((await key.create(toY)).outs.version).toBe(b.outs.version);
      expect((await key.create(toX)).outs.version).toBe(a.outs.version);
    } finally {
      written.mockRestore();
      await vault.close();
    }
  });

  it("are both there afterwards, each in one version", async () => {
    const vault = await startEmulator();
    const written = vi.spyOn(process.stdout, "write").mockReturnValue(true);
    try {
      const [one, two] = [{ import: { jwk: ecKey().jwk } }, { import: { jwk: ecKey().jwk } }];
      const resource = new DrivenResource(key, vault, { vaultUrl: vault.url });
      const a = await resource.created({ ...one, name: "x", ...identity("a") });
      const b = await resource.created({ ...two, name: "y", ...identity("b") });
      nextEngineRun();
      const toY = await resource.checked({ ...two, name: "y", ...identity("a") }, a.inputs);
      await key.create(toY);
      const toX = await resource.checked({ ...one, name: "x", ...identity("b") }, b.inputs);
      await key.create(toX);
      await key.delete(a.id, a.outs);
      await key.delete(b.id, b.outs);
      const client = new KeyClient(vault.url, vault.credential, {
        disableChallengeResourceVerification: true,
        allowInsecureConnection: true,
      });
      for (const name of ["x", "y"]) {
        let versions = 0;
        for await (const _version of client.listPropertiesOfKeyVersions(name)) versions += 1;
        expect(versions).toBe(1);
      }
    } finally {
      written.mockRestore();
      await vault.close();
    }
  });
});

describe("a rename that takes an expiry out of the program", () => {
  let vault: Emulator;
  beforeEach(async () => {
    vault = await startEmulator();
    vi.spyOn(process.stdout, "write").mockImplementation(() => true);
  });
  afterEach(async () => {
    vi.restoreAllMocks();
    await vault.close();
  });

  const expiresOn = "2031-01-01T00:00:00Z";
  const renamedWithout = async (provider: typeof key, source: Arguments) => {
    const resource = new DrivenResource(provider, vault, { vaultUrl: vault.url, name: "orders" });
    const before = await resource.created({ ...source, expiresOn, ...identity("a") });
    nextEngineRun();
    return { before, after: await resource.created({ ...source, ...identity("b") }).catch((error: unknown) => error) };
  };

  it("never makes new material of a generated key: it is refused, with what to do", async () => {
    const { before, after } = await renamedWithout(key, { generate: { keyType: "EC" } });
    expect(String(after)).toMatch(/KV_INVALID_INPUT: expiresOn of key "orders".*cannot be removed/);
    const current = await new KeyClient(vault.url, vault.credential, {
      disableChallengeResourceVerification: true,
      allowInsecureConnection: true,
    }).getKey("orders");
    expect(current.properties.version).toBe(before.outs.version);
  });

  it("makes a version of the same material where the program has it", async () => {
    const { before, after } = await renamedWithout(key, { import: { jwk: ecKey().jwk } });
    expect(after).toMatchObject({ outs: { thumbprint: before.outs.thumbprint } });
    expect(after).not.toMatchObject({ outs: { version: before.outs.version } });
  });
});
