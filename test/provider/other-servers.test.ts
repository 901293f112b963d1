import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { afterAll, beforeAll, beforeEach, describe, expect, it, vi } from "vitest";
import { type Emulator, startEmulator } from "../../emulator/index.js";
import { key, keyBackup } from "../../provider/dynamic-v1.js";
import { ecKey, rsaKey } from "../engine/demo-keys.js";
import { identity, nextEngineRun, startEngineRun } from "./engine-run.js";

type Body = Record<string, unknown> & { key?: Record<string, unknown> };

/** What other servers of the protocol do differently, each as a change of the emulator's answers. */
const habits: Record<string, (body: Body) => Body> = {
  "names another host and port in ids": (body) =>
    JSON.parse(JSON.stringify(body).replaceAll(/https?:\/\/[^/"]+/g, "https://internal.example:8443")),
  "leaves key_ops out": ({ key: bundle, ...rest }) => {
    const { key_ops: _ops, ...others } = bundle ?? {};
    return { ...rest, ...(bundle ? { key: others } : {}) };
  },
  "writes numbers with a leading zero byte": (body) =>
    withNumbers(body, (bytes) => Buffer.concat([Buffer.of(0), bytes])),
  "writes numbers without leading zero bytes": (body) =>
    withNumbers(body, (bytes) => {
      let start = 0;
      while (bytes[start] === 0) start += 1;
      return bytes.subarray(start);
    }),
  "says nothing of recovery": (body) => {
    const { recoveryLevel: _level, recoverableDays: _days, ...attributes } = (body.attributes ?? {}) as Body;
    return { ...body, ...(body.attributes ? { attributes } : {}) };
  },
  "numbers its recovery levels": (body) => ({
    ...body,
    ...(body.attributes ? { attributes: { ...body.attributes, recoveryLevel: 3 } } : {}),
  }),
  "writes SECP256K1": (body) => JSON.parse(JSON.stringify(body).replaceAll('"P-256K"', '"SECP256K1"')),
};

function withNumbers(body: Body, change: (bytes: Buffer) => Buffer): Body {
  const bundle = { ...body.key };
  for (const member of ["n", "x", "y"]) {
    const number = bundle[member];
    if (typeof number === "string") bundle[member] = change(Buffer.from(number, "base64url")).toString("base64url");
  }
  return { ...body, ...(body.key ? { key: bundle } : {}) };
}

describe("a key's life on a server that", () => {
  let vault: Emulator;
  beforeAll(async () => {
    vault = await startEmulator();
  });
  beforeEach(() => startEngineRun(vault));
  afterAll(() => vault.close());

  it.each(Object.entries(habits))("%s", async (_habit, change) => {
    const server = await proxy(vault, change);
    const vaultUrl = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
    for (const [index, pair] of [rsaKey(), ecKey(), ecKey("secp521r1"), ecKey("secp256k1")].entries()) {
      const name = `key-${index}-${Math.abs(_habit.length)}`;
      const args = {
        ...identity(name),
        vaultUrl,
        name,
        import: { pem: pair.pkcs8 },
        tags: { a: "1" },
        keyOps: ["sign", "verify"],
      };
      const { inputs, failures } = await key.check({}, args);
      expect(failures).toEqual([]);
      const { id, outs } = await key.create(inputs);
      expect(plain((await key.read(id, outs)).inputs)).toEqual(plain(inputs));
      const changed = (await key.check(inputs, { ...args, tags: { a: "2" } })).inputs;
      const updated = await key.update(id, outs, changed);
      expect(plain((await key.read(id, updated.outs)).inputs)).toEqual(plain(changed));
      const again = await key.create(inputs);
      expect(again.outs.version).toBe(outs.version);
      const backup = await keyBackup.create({ vaultUrl, name, version: outs.version });
      expect(backup.outs.digest).toMatch(/^sha256:/);
      nextEngineRun();
      await key.delete(id, outs);
      const told = vi.spyOn(process.stdout, "write").mockReturnValue(true);
      expect((await key.read(id, outs)).id).toBe("");
      told.mockRestore();
    }
    server.close();
    server.closeAllConnections();
  });
});

function plain(inputs: object | undefined): object {
  return JSON.parse(JSON.stringify(inputs));
}

/** The emulator behind a server that answers 401 with an empty body, and changes every other answer. */
async function proxy(vault: Emulator, change: (body: Body) => Body): Promise<Server> {
  const server = createServer(async (request, response) => {
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk as Buffer);
    const answer = await fetch(`${vault.url}${request.url}`, {
      method: request.method ?? "GET",
      headers: {
        "content-type": "application/json",
        ...(request.headers.authorization ? { authorization: request.headers.authorization } : {}),
      },
      ...(chunks.length > 0 ? { body: Buffer.concat(chunks) } : {}),
    });
    const text = await answer.text();
    if (answer.status === 401) {
      response.writeHead(401, { "www-authenticate": answer.headers.get("www-authenticate") ?? "" }).end();
      return;
    }
    const isJson = text.startsWith("{");
    const body = isJson && answer.status === 200 ? JSON.stringify(change(JSON.parse(text))) : text;
    response.writeHead(answer.status, { "content-type": "application/json" }).end(body);
  });
  await new Promise<void>((listening) => server.listen(0, "127.0.0.1", listening));
  return server;
}
