import { generateKeyPairSync, type KeyObject } from "node:crypto";
import { KeyClient } from "@azure/keyvault-keys";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type Emulator, startEmulator } from "../../emulator/index.js";
import { askedOperations } from "../emulator/asked-requests.js";
import { owned } from "./owned-tags.js";
import { type Door, type ProjectKind, Stack } from "./stack.js";

/**
 * A vault in this process, so that its requests can be counted and its keys changed behind Pulumi's back. How a project is
 * laid out decides what a provider's process loads, and nothing of what it does then: those have a short life, of each
 * call of the engine.
 */
const programs: [kind: ProjectKind, sdk: "newest" | "oldest", door: Door, life: "whole" | "short"][] = [
  ["commonjs", "newest", "dynamic", "whole"],
  ["typescript", "newest", "dynamic", "short"],
  ["typescript-esm", "newest", "dynamic", "short"],
  ["pnpm", "newest", "dynamic", "short"],
  ["typescript", "oldest", "dynamic", "whole"],
  ["commonjs", "newest", "plugin", "whole"],
  ["pnpm", "oldest", "plugin", "short"],
];

describe.each(programs)(
  "a key's life on the real engine, in a program as %s with the %s SDK (%s, %s)",
  (kind, sdk, door, life) => {
    const isWhole = life === "whole";
    let vault: Emulator;
    let stack: Stack;

    const program = (name: string, extra = ""): string => `
    const signing = new keyvault.Key("signing", {
      name: "${name}",
      import: { file: "signing.pem" },
      tags: { team: "orders" },
      expiresOn: "2090-06-30T00:00:00Z",
      ${extra}
    });
    const backup = new keyvault.KeyBackup("signing", { key: signing });
    ${exporting("id", "signing.id")}
    ${exporting("thumbprint", "signing.thumbprint")}
    ${exporting("blob", "backup.blob")}`;
    const exporting = (name: string, value: string): string =>
      kind === "commonjs" || kind === "pnpm" ? `exports.${name} = ${value};` : `export const ${name} = ${value};`;

    beforeAll(async () => {
      vault = await startEmulator();
      stack = await Stack.create({
        kind,
        sdk,
        door,
        program: program("orders"),
        config: { "keyvault:vaultUrl": vault.url, "keyvault:credential": "token" },
        env: { KEYVAULT_TOKEN: vault.token },
      });
      await stack.file("signing.pem", pem(rsa()));
    });

    afterAll(async () => {
      await stack?.remove();
      await vault?.close();
    });

    const requests = (): string[] => askedOperations(vault);

    it("up imports the key with a look, an import and a backup", async () => {
      vault.requests.clear();
      await stack.up();
      expect(requests()).toEqual(["getKey", "importKey", "backupKey"]);
    });

    if (isWhole) {
      it("a second up asks the vault nothing", async () => {
        vault.requests.clear();
        const run = await stack.up();
        expect(run.text).toContain("3 unchanged");
        expect(requests()).toEqual([]);
      });

      it("a refresh costs one request for the key", async () => {
        vault.requests.clear();
        const { run, steps } = await stack.drift();
        expect(run.exitCode).toBe(0);
        expect(steps.filter(({ op }) => op !== "refresh")).toEqual([]);
        expect(requests()).toEqual(["getKey"]);
      });
    }

    it("a tag changed outside is told by name with exit code 7, and repaired by up --refresh", async () => {
      await call("PATCH", "/keys/orders", { tags: { team: "orders", added: "outside" } });
      const { run, properties } = await stack.drift();
      expect(run.exitCode).toBe(7);
      expect(properties["Key signing"]).toEqual(["tags.added"]);

      vault.requests.clear();
      await stack.up("--refresh");
      expect(requests().sort()).toEqual(["backupKey", "getKey", "updateKey"]);
      if (!isWhole) expect((await stack.drift()).run.exitCode).toBe(0);
    });

    if (isWhole) {
      it("a key swapped outside is told by its thumbprint, and the program's material comes back", async () => {
        const before = (await stack.outputs()).thumbprint;
        const { kty, n, e, d, p, q, dp, dq, qi } = rsa().export({ format: "jwk" });
        await call("PUT", "/keys/orders", { key: { kty, n, e, d, p, q, dp, dq, qi } });
        const { run, properties } = await stack.drift();
        expect(run.exitCode).toBe(7);
        expect(properties["Key signing"]).toEqual(expect.arrayContaining(["thumbprint", "tags", "expiresOn"]));

        await stack.up("--refresh");
        expect((await stack.drift()).run.exitCode).toBe(0);
        expect((await stack.outputs()).thumbprint).toBe(before);
      });
    }

    it("new material is a new version in place, shown in the preview, and its backup is taken again", async () => {
      const { id, blob } = await stack.outputs();
      await stack.file("signing.pem", pem(rsa()));
      const { steps } = await stack.preview();
      expect(steps.find(({ urn }) => urn.includes(":Key::"))).toMatchObject({
        op: "update",
        detailedDiff: { thumbprint: { kind: "update" } },
      });

      vault.requests.clear();
      await stack.up();
      expect(requests()).toEqual(["getKey", "importKey", "backupKey"]);
      const after = await stack.outputs();
      expect(after.id).toBe(id);
      expect(after.blob).not.toBe(blob);
    });

    if (isWhole) {
      it("another name is another key, and the old one is deleted after it", async () => {
        await stack.program(program("invoices"));
        const { steps } = await stack.preview();
        expect(steps.map(({ op, urn }) => [op, urn.split("::").at(-1)])).toContainEqual(["replace", "signing"]);
        await stack.up();
        await expect(client().getKey("orders")).rejects.toMatchObject({ code: "KeyNotFound" });
        expect((await client().getKey("invoices")).name).toBe("invoices");
      });

      it("a key deleted outside is told as gone with the date until which it can be recovered, and up brings it back", async () => {
        await call("DELETE", "/keys/invoices");
        const run = await stack.pulumi("preview", "--refresh", "--expect-no-changes");
        expect(run.exitCode).toBe(7);
        expect(run.text).toMatch(/key "invoices" in \S+ is soft-deleted since \S+ and can be recovered until \S+Z/);
        await stack.up("--refresh");
        expect((await client().getKey("invoices")).properties.tags).toEqual(owned({ team: "orders" }));
      });
    }

    it("destroy deletes the key so that it can be recovered", async () => {
      await stack.destroy();
      const name = isWhole ? "invoices" : "orders";
      await expect(client().getKey(name)).rejects.toMatchObject({ code: "KeyNotFound" });
      expect((await client().getDeletedKey(name)).name).toBe(name);
    });

    const client = (): KeyClient =>
      new KeyClient(vault.url, vault.credential, {
        disableChallengeResourceVerification: true,
        allowInsecureConnection: true,
      });

    const call = async (method: string, path: string, body?: unknown): Promise<void> => {
      const answer = await fetch(`${vault.url}${path}?api-version=7.4`, {
        method,
        headers: { authorization: `Bearer ${vault.token}`, "content-type": "application/json" },
        ...(body === undefined ? {} : { body: JSON.stringify(body) }),
      });
      expect(answer.status).toBe(200);
    };
  },
);

function rsa(): KeyObject {
  return generateKeyPairSync("rsa", { modulusLength: 2048 }).privateKey;
}

function pem(key: KeyObject): string {
  return key.export({ type: "pkcs8", format: "pem" }).toString();
}
