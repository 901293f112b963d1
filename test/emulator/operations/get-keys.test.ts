import { describe, expect, it } from "vitest";
import { openVault, refusal } from "../open-vault.js";

interface Page {
  value: { kid: string; attributes: object; tags: { of: string } }[];
  nextLink: string | null;
}

describe("getKeys", () => {
  it("lists current versions without their version, by upper-cased name", async () => {
    const { call } = await openVault();
    for (const name of ["b", "A", "a-1", "C"])
      await call("POST", `/keys/${name}/create`, { kty: "EC", tags: { of: name } });
    await call("POST", "/keys/b/create", { kty: "EC", tags: { of: "newer" } });
    const { body } = await call("GET", "/keys");
    const page = body as unknown as Page;
    expect(page.value.map((key) => key.kid.split("/").at(-1))).toEqual(["A", "a-1", "b", "C"]);
    expect(page.value.map((key) => key.tags.of)).toEqual(["A", "a-1", "newer", "C"]);
    expect(page.nextLink).toBeNull();
    expect(Object.keys(page.value[0] ?? {})).toEqual(["kid", "attributes", "tags"]);
  });

  it("pages with the service's links, and with empty pages on the way", async () => {
    const { call, emulator } = await openVault();
    const names = Array.from({ length: 53 }, (_, index) => `key-${index}`);
    for (const name of names) await call("POST", `/keys/${name}/create`, { kty: "EC" });
    const seen: string[] = [];
    const sizes: number[] = [];
    for (let path: string | null = "/keys?maxresults=7"; path !== null; ) {
      const { body } = await call("GET", path, undefined, path.includes("api-version") ? { apiVersion: null } : {});
      const page = body as unknown as Page;
      seen.push(...page.value.map((key) => key.kid.split("/").at(-1) ?? ""));
      sizes.push(page.value.length);
      if (page.nextLink !== null) {
        expect(page.nextLink).toMatch(
          new RegExp(
            `^http://127\\.0\\.0\\.1:${emulator.port}/keys\\?api-version=7\\.4&\\$skiptoken=[\\w-]+&maxresults=7$`,
          ),
        );
      }
      path = page.nextLink === null ? null : page.nextLink.replace(/^http:\/\/[^/]+/, "");
    }
    expect(seen).toEqual([...names].sort((left, right) => (left.toUpperCase() < right.toUpperCase() ? -1 : 1)));
    expect(sizes).toContain(0);
    expect(Math.max(...sizes)).toBe(7);
  });

  it("writes the token as the service does", async () => {
    const { call } = await openVault();
    for (const name of ["key0", "key1"]) await call("POST", `/keys/${name}/create`, { kty: "EC" });
    for (let link = "/keys?maxresults=1", round = 0; round < 3; round += 1) {
      const { nextLink } = (await call("GET", link)).body as unknown as Page;
      if (nextLink === null) break;
      const token = new URL(nextLink).searchParams.get("$skiptoken") ?? "";
      const { NextMarker } = JSON.parse(Buffer.from(token, "base64url").toString()) as { NextMarker: string };
      const [version, length, inner] = NextMarker.split("!");
      expect([version, length]).toEqual(["2", String(inner?.length)]);
      expect(Buffer.from(inner?.replaceAll("-", "=") ?? "", "base64").toString()).toMatch(
        /^000008!key\/KEY[01]!000028!9999-12-31T23:59:59\.9999999Z!$/,
      );
      link = `${link}&$skiptoken=${token}`;
    }
  });

  it("wants 1 to 25 entries a page and a token of its own", async () => {
    const { call } = await openVault();
    for (const bad of ["maxresults=0", "maxresults=26", "maxresults=x", "$skiptoken=AAAA"]) {
      expect(await call("GET", `/keys?${bad}`)).toMatchObject(refusal(400, "BadParameter"));
    }
    expect((await call("GET", "/keys?maxresults=25")).status).toBe(200);
  });

  it("leaves the link out at the end on a Managed HSM", async () => {
    const { call } = await openVault({ vaults: [{ name: "hsm", plane: "managedhsm" }] });
    expect((await call("GET", "/keys")).body).toEqual({ value: [] });
  });
});
