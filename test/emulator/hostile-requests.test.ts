import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, it } from "vitest";
import { openVault } from "./open-vault.js";

const failed = (statuses: number[]) => statuses.filter((status) => status >= 500);

it("work of all kinds on one name at once ends in the service's own answers", async () => {
  const folder = mkdtempSync(join(tmpdir(), "hostile-"));
  try {
    const { call, emulator } = await openVault({ store: join(folder, "dev.vault") });
    const restore = async () => {
      const backup = await call("POST", "/secrets/a/backup");
      return backup.status === 200 ? call("POST", "/secrets/restore", { value: backup.body.value }) : backup;
    };
    const work = [
      () => call("PUT", "/secrets/a", { value: "x" }),
      () => call("DELETE", "/secrets/a"),
      () => call("POST", "/deletedsecrets/a/recover"),
      () => call("DELETE", "/deletedsecrets/a"),
      () => call("GET", "/secrets/a/versions"),
      restore,
    ];
    const answers = await Promise.all(Array.from({ length: 50 }, () => work.map((run) => run())).flat());
    expect(failed(answers.map(({ status }) => status))).toEqual([]);
    await emulator.close();
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
});

it.each([
  ["a byte order mark", "\ufeff{}"],
  ["a zero behind the end", '{"value":"x"}\0'],
  ["another encoding", Buffer.from([0xff, 0xfe, 0x7b, 0])],
  ["null", "null"],
  ["a list", "[]"],
  ["a number without end", '{"value":1e999}'],
  ["brackets without end", "{".repeat(100_000)],
  ["tags below tags", `{"value":"x","tags":${'{"a":'.repeat(5_000)}1${"}".repeat(5_000)}}`],
])("a body that is %s is refused", async (_, raw) => {
  const { call } = await openVault();
  expect((await call("PUT", "/secrets/a", undefined, { raw })).status).toBe(400);
});

it.each(["TRACE", "OPTIONS", "HEAD", "LINK", "PROPFIND"])("%s is not allowed", async (method) => {
  const { call } = await openVault();
  expect((await call(method, "/secrets/a")).status).toBe(405);
});

it.each([
  "/secrets/%2e%2e/keys",
  "/secrets/a%2Fb",
  "/secrets/a%00",
  "/secrets/a;x=1",
  "/./secrets/a",
  "/secrets/../keys",
  "/keys/a/b/c/d/e/f",
])("%s leads nowhere", async (path) => {
  const { call } = await openVault();
  const { status } = await call("GET", path);
  expect([400, 404, 405]).toContain(status);
});

it("a header cannot make a read a deletion", async () => {
  const { call } = await openVault();
  await call("PUT", "/secrets/a", { value: "x" });
  const headers = { "x-http-method-override": "DELETE", "x-http-method": "DELETE" };
  expect((await call("GET", "/secrets/a", undefined, { headers })).body.value).toBe("x");
  expect((await call("GET", "/secrets/a")).status).toBe(200);
});
