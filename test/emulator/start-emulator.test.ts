import { spawnSync } from "node:child_process";
import { mkdtempSync, rmSync, statSync } from "node:fs";
import { get } from "node:https";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { EmulatorClock, startEmulator } from "../../emulator/index.js";
import { openVault, refusal } from "./open-vault.js";

let folder: string;
let store: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "kv-store-"));
  store = join(folder, "dev.vault");
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

describe("startEmulator", () => {
  it("serves several vaults on one port, by the host's name", async () => {
    const { call, emulator } = await openVault({ vaults: ["first", { name: "Second", sku: "standard" }] });
    await call("PUT", "/secrets/a", { value: "1" }, { vault: "first" });
    await call("PUT", "/secrets/a", { value: "2" }, { vault: "second" });
    expect((await call("GET", "/secrets/a", undefined, { vault: "SECOND" })).body.value).toBe("2");
    expect((await call("GET", "/secrets/a")).body.value).toBe("1");
    expect(
      (await call("GET", "/secrets/a", undefined, { headers: { host: "first.vault.azure.net" } })).body.id,
    ).toMatch(/^http:\/\/first\.vault\.azure\.net\/secrets\/a\//);
    expect(await call("GET", "/secrets/a", undefined, { vault: "third" })).toMatchObject(refusal(404, "NotFound"));
    expect(emulator.vault("Second").url).toBe(`http://second.localhost:${emulator.port}`);
    expect(() => emulator.vault("third")).toThrow(RangeError);
  });

  it("answers a single vault under any name that it is told", async () => {
    const { call } = await openVault({ hostNames: ["Vault.in.a.container"] });
    expect((await call("GET", "/keys", undefined, { headers: { host: "vault.in.a.container:8080" } })).status).toBe(
      200,
    );
  });

  it("serves HTTPS under its own authority, whose certificates a strict client accepts", async () => {
    const emulator = await startEmulator({ tls: true, vaults: ["secure"] });
    try {
      expect(emulator.url).toBe(`https://localhost:${emulator.port}`);
      expect(emulator.caCertificate).toMatch(/^-----BEGIN CERTIFICATE-----/);
      for (const host of ["localhost", "secure.localhost", "secure.vault.azure.net"]) {
        const status = await new Promise((resolve, reject) => {
          get(
            {
              host,
              port: emulator.port,
              path: "/keys?api-version=7.4",
              ca: emulator.caCertificate,
              lookup: emulator.lookup,
              headers: { authorization: `Bearer ${emulator.token}` },
            },
            (answer) => {
              answer.resume();
              resolve(answer.statusCode);
            },
          ).on("error", reject);
        });
        expect(status).toBe(200);
      }
      await expect(fetch(`${emulator.url}/keys`)).rejects.toThrow();
    } finally {
      await emulator.close();
    }
  });

  it("refuses settings that no vault has", async () => {
    for (const vault of [
      "x",
      { name: "retention", retentionDays: 6 },
      { name: "retention", retentionDays: 91 },
      "under_score",
    ]) {
      await expect(startEmulator({ vaults: [vault] })).rejects.toThrow(RangeError);
    }
    await expect(startEmulator({ vaults: ["orders", "Orders"] })).rejects.toThrow(RangeError);
  });

  it("says when its port is taken, and gives the store back", async () => {
    const { emulator } = await openVault();
    await expect(startEmulator({ port: emulator.port, store })).rejects.toMatchObject({ code: "EADDRINUSE" });
    rmSync(store);
  });

  it("can be closed twice, and stops answering", async () => {
    const { emulator, call } = await openVault();
    await Promise.all([emulator.close(), emulator.close()]);
    await expect(call("GET", "/keys")).rejects.toMatchObject({ code: "ECONNREFUSED" });
  });

  it("does not keep a process alive after unref, open connections included", () => {
    const script = `
      import { startEmulator } from ${JSON.stringify(pathToFileURL(join(__dirname, "../../emulator/index.ts")).href)};
      const emulator = await startEmulator();
      emulator.unref();
      const answer = await fetch(emulator.url + "/keys?api-version=7.4", { headers: { authorization: "Bearer x" } });
      console.log(answer.status);
    `;
    const hooks = pathToFileURL(join(__dirname, "typescript-hooks.mjs")).href;
    const ended = spawnSync(process.execPath, ["--import", hooks, "--input-type=module", "-e", script], {
      encoding: "utf8",
      timeout: 20_000,
    });
    expect([ended.status, ended.stdout.trim(), ended.stderr]).toEqual([0, "200", ""]);
  });

  it("logs what it was asked, and no bodies", async () => {
    const { call, emulator } = await openVault();
    await call("PUT", "/secrets/a", { value: "hidden" });
    await call("GET", "/keys/none");
    expect(emulator.requests.log).toEqual([
      { method: "PUT", path: "/secrets/a", operation: "setSecret", status: 200, vault: "emulator" },
      { method: "GET", path: "/keys/none", operation: "getKey", status: 404, vault: "emulator" },
    ]);
    emulator.requests.clear();
    expect([emulator.requests.count, emulator.requests.log.length]).toEqual([0, 0]);
  });
});

describe("a store on a file", () => {
  it("is seen by every emulator on it, at once", async () => {
    const [first, second] = [await openVault({ store }), await openVault({ store })];
    await first.call("PUT", "/secrets/a", { value: "1" });
    expect((await second.call("GET", "/secrets/a")).body.value).toBe("1");
    await second.call("PUT", "/secrets/a", { value: "2" });
    expect((await first.call("GET", "/secrets/a")).body.value).toBe("2");
    expect((await first.call("GET", "/secrets/a/versions")).body.value).toHaveLength(2);
    await second.call("DELETE", "/secrets/a");
    expect((await first.call("GET", "/secrets/a")).status).toBe(404);
  });

  it("takes writes from all sides and loses none", async () => {
    const sides = await Promise.all([openVault({ store }), openVault({ store }), openVault({ store })]);
    await Promise.all(
      sides.flatMap(({ call }, side) =>
        Array.from({ length: 20 }, (_, index) => call("PUT", `/secrets/s${index}`, { value: `${side}` })),
      ),
    );
    const counts = await Promise.all(
      Array.from({ length: 20 }, async (_, index) => {
        const { body } = await (sides[0]?.call("GET", `/secrets/s${index}/versions`) ?? Promise.reject());
        return (body.value as unknown[]).length;
      }),
    );
    expect(counts).toEqual(Array(20).fill(3));
  });

  it("outlives its emulator", async () => {
    const { emulator, call } = await openVault({ store });
    const made = await call("POST", "/keys/a/create", { kty: "EC" });
    await emulator.close();
    const next = await openVault({ store });
    expect((await next.call("GET", "/keys/a")).body).toMatchObject({ key: { x: (made.body.key as { x: string }).x } });
  });

  it("is for its owner's eyes only, journals included", async () => {
    const { call } = await openVault({ store });
    await call("PUT", "/secrets/a", { value: "x" });
    for (const file of [store, `${store}-wal`, `${store}-shm`]) expect(statSync(file).mode & 0o777, file).toBe(0o600);
  });

  it("is no file at all without a path", async () => {
    const [first, second] = [await openVault(), await openVault()];
    await first.call("PUT", "/secrets/a", { value: "1" });
    expect((await second.call("GET", "/secrets/a")).status).toBe(404);
  });
});

describe("the clock", () => {
  it("runs with the machine's, freezes, moves and runs on", () => {
    let machine = 1_000;
    const clock = new EmulatorClock(() => machine);
    expect(clock.now()).toBe(1_000);
    clock.advance(50);
    machine += 1;
    expect(clock.now()).toBe(1_051);
    clock.freeze();
    machine += 500;
    expect([clock.now(), clock.frozen]).toEqual([1_051, true]);
    clock.advance(9);
    clock.resume();
    machine += 1;
    expect([clock.now(), clock.frozen]).toEqual([1_061, false]);
    clock.freeze(new Date(5));
    expect(clock.now()).toBe(5);
    for (const bad of [-1, Number.NaN, Number.POSITIVE_INFINITY]) expect(() => clock.advance(bad)).toThrow(RangeError);
  });
});
