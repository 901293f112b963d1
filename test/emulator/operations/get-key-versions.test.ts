import { describe, expect, it } from "vitest";
import { openVault } from "../open-vault.js";

describe("getKeyVersions", () => {
  it("lists by version id, not by time, and pages without empty pages", async () => {
    const { call } = await openVault();
    const made: string[] = [];
    for (let index = 0; index < 12; index += 1) {
      const { body } = await call("POST", "/keys/a/create", { kty: "EC" });
      made.push((body.key as { kid: string }).kid);
    }
    const listed: string[] = [];
    for (let path: string | undefined = "/keys/a/versions?maxresults=5"; path !== undefined; ) {
      const answered = await call("GET", path, undefined, path.includes("api-version") ? { apiVersion: null } : {});
      const page = answered.body as unknown as { value: { kid: string }[]; nextLink: string | null };
      expect(page.value.length).toBeGreaterThan(0);
      listed.push(...page.value.map((version) => version.kid));
      path = page.nextLink?.replace(/^http:\/\/[^/]+/, "");
    }
    expect(listed).toEqual([...made].sort());
  });

  it("has none for a name that is not there or is deleted", async () => {
    const { call } = await openVault();
    const empty = { status: 200, body: { value: [], nextLink: null } };
    expect(await call("GET", "/keys/none/versions")).toMatchObject(empty);
    await call("POST", "/keys/a/create", { kty: "EC" });
    await call("DELETE", "/keys/a");
    expect(await call("GET", "/keys/a/versions")).toMatchObject(empty);
  });
});
