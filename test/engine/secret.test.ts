import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { SecretClient } from "@azure/keyvault-secrets";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type Emulator, startEmulator } from "../../emulator/index.js";
import { askedRequests } from "../emulator/asked-requests.js";
import { decryptedState, stateFiles } from "./decrypted-state.js";
import { rsaKey } from "./demo-keys.js";
import { owned } from "./owned-tags.js";
import { DOORS, type Run, Stack } from "./stack.js";

const PASSWORD = "the password of the database: 88b1e2";
const NEW_PASSWORD = "the next password of the database: c07d41";
const BY_HAND = "a password that somebody typed: 5f3c90";
const LINES = "first line 3e2d\r\nsecond line 77aa\n\n\tlast line\n";
const values = [PASSWORD, NEW_PASSWORD, BY_HAND, "first line 3e2d", "second line 77aa", "derived from"];

/** Each row is a secret of one program; one up before and one after serve them all. */
const program = (password: string, changes: Record<string, string> = {}): string => {
  const secrets: Record<string, string> = {
    db: `name: "db", value: ${password}, contentType: "text/plain", tags: { a: "1" }`,
    empty: 'name: "empty", value: ""',
    lines: `name: "lines", value: ${JSON.stringify(LINES)}`,
    late: 'name: "late", value: made.db.version.apply((version) => "derived from " + version.slice(0, 0) + "another")',
    disabled: 'name: "disabled", value: "a disabled value", enabled: false',
    cleared: 'name: "cleared", value: "kept", contentType: "text/plain", expiresOn: "2037-01-01T00:00:00Z"',
    moved: 'name: "moved", value: "moving"',
    ...changes,
  };
  const made = Object.entries(secrets).map(
    ([name, args]) => `made.${name} = new keyvault.Secret("${name}", { ${args} });`,
  );
  return `const config = new pulumi.Config();\nconst made = {};\n${made.join("\n")}`;
};

describe.each(DOORS)("secrets on the real engine (%s)", (door) => {
  let vault: Emulator;
  let stack: Stack;
  const printed: string[] = [];
  const ran = (run: Run): Run => {
    printed.push(run.text);
    return run;
  };
  const official = () =>
    new SecretClient(vault.url, vault.credential, {
      disableChallengeResourceVerification: true,
      allowInsecureConnection: true,
    });
  const requests = (): string[] =>
    askedRequests(vault)
      .map(({ operation, path }) => `${operation} ${path.split("/")[2]?.split("?")[0]}`)
      .sort();
  const expectNoValue = (): void => {
    const texts = [...printed, decryptedState(stack), ...stateFiles(stack)];
    expect(values.filter((value) => texts.some((text) => text.includes(value)))).toEqual([]);
    // Nor a digest, in the clear: a short value can be guessed from it.
    expect(stateFiles(stack).filter((text) => text.includes("scrypt:"))).toEqual([]);
  };

  beforeAll(async () => {
    vault = await startEmulator();
    stack = await Stack.create({
      door,
      program: program('config.requireSecret("password")'),
      config: { "keyvault:vaultUrl": vault.url, "keyvault:credential": "token" },
      env: { KEYVAULT_TOKEN: vault.token, PULUMI_EXPERIMENTAL: "true" },
    });
    await stack.pulumi("config", "set", "--secret", "password", PASSWORD);
  });
  afterAll(async () => {
    await stack?.remove();
    await vault?.close();
  });

  it("are made as an earlier plan said, since a value has one digest", async () => {
    expect(ran(await stack.pulumi("preview", "--save-plan", "plan.json")).exitCode).toBe(0);
    printed.push(withoutConfig(await readFile(join(stack.folder, "plan.json"), "utf8")));
    ran(await stack.up("--plan", "plan.json"));
    const held = await Promise.all(["db", "empty", "lines", "late"].map((name) => official().getSecret(name)));
    expect(held.map(({ value }) => value)).toEqual([PASSWORD, "", LINES, "derived from another"]);
    expect(held[0]?.properties).toMatchObject({ contentType: "text/plain", tags: { a: "1" } });
  });

  it("leave no value in state, on disk or in what is printed, and their digests encrypted", async () => {
    expectNoValue();
    expect(decryptedState(stack).match(/\{"secret":"scrypt:[\w-]{43}"\}/g)?.length).toBeGreaterThanOrEqual(14);
    const exported = await stack.pulumi("stack", "export");
    expect(exported.stdout).not.toContain("scrypt:");
    expect(exported.stdout).toContain("ciphertext");
  });

  it("drift in nothing, for a pipeline that has the values and one that has not", async () => {
    vault.requests.clear();
    expect((await stack.drift()).properties).toEqual({});
    expect(requests()).toEqual(
      ["cleared", "db", "disabled", "empty", "late", "lines", "moved"]
        .flatMap((name) => [`getSecret ${name}`, ...(name === "disabled" ? [`getSecretVersions ${name}`] : [])])
        .sort(),
    );
    await stack.program(program("undefined", { lines: 'name: "lines", value: process.env.ABSENT' }));
    const { run, properties } = await stack.drift();
    expect(properties).toEqual({});
    expect(run.exitCode).toBe(0);
  });

  it("tell a value that was changed by its digest, to a pipeline without the value too, and take it back", async () => {
    await official().setSecret("db", BY_HAND);
    const sealed = await stack.drift();
    printed.push(withoutConfig(sealed.run.stdout));
    expect(sealed.run.exitCode).not.toBe(0);
    // What derives from the secret is unknown until it is repaired.
    expect(sealed.properties).toEqual({
      "Secret db": ["contentType", "tags", "valueDigest"],
      "Secret late": ["valueDigest"],
    });
    await stack.program(program('config.requireSecret("password")'));
    ran(await stack.up("--refresh"));
    const { value, properties } = await official().getSecret("db");
    expect([value, properties.contentType, properties.tags]).toEqual([PASSWORD, "text/plain", owned({ a: "1" })]);
    expectNoValue();
  });

  it("change as the preview says, each with one request, and a look before what cannot be undone", async () => {
    await stack.pulumi("config", "set", "--secret", "password", NEW_PASSWORD);
    await stack.program(
      program('config.requireSecret("password")', {
        empty: 'name: "empty", value: "", tags: { b: "2" }',
        cleared: 'name: "cleared", value: "kept"',
        disabled: 'name: "disabled", value: "a disabled value"',
        moved: 'name: "moved-on", value: "moving"',
        lines: `name: "lines", value: ${JSON.stringify(LINES)}, onDelete: "retain"`,
      }),
    );
    const { run, steps } = await stack.preview();
    printed.push(withoutConfig(run.stdout));
    const seen = Object.fromEntries(
      steps.map(({ urn, op, detailedDiff }) => [
        urn.split("::").at(-1),
        [op, ...Object.keys(detailedDiff ?? {}).sort()],
      ]),
    );
    expect(seen).toMatchObject({
      db: ["update", "valueDigest"],
      empty: ["update", "tags"],
      cleared: ["update", "contentType", "expiresOn"],
      disabled: ["update", "enabled"],
      moved: ["replace", "name", "valueDigest"],
      lines: ["update", "onDelete"],
    });
    vault.requests.clear();
    ran(await stack.up());
    expect(requests()).toEqual(
      [
        "getSecret db",
        "setSecret db",
        "getSecret empty",
        "updateSecret empty",
        "getSecret cleared",
        "setSecret cleared",
        "updateSecret disabled",
        "getSecret moved-on",
        "setSecret moved-on",
        "getSecret moved",
        "deleteSecret moved",
      ].sort(),
    );
    expect((await official().getSecret("db")).value).toBe(NEW_PASSWORD);
    expect((await official().getSecret("cleared")).properties.contentType).toBeUndefined();
    expectNoValue();
  });

  it("leave no value and no material behind where a run fails half-way, and are finished by the next", async () => {
    await official().setSecret("half", "a value that is there already 20fe31");
    await official()
      .beginDeleteSecret("half")
      .then((poller) => poller.pollUntilDone());
    values.push("a value that is there already 20fe31");
    vault.faults.add({ kind: "status", status: 400, operation: "updateSecret", path: "/half" });
    vault.faults.add({ kind: "status", status: 400, operation: "updateKeyRotationPolicy" });
    const material = rsaKey();
    values.push(...material.canaries);
    await stack.file("half.pem", material.pkcs8);
    const key = `new keyvault.Key("half", { name: "half", import: { file: "half.pem" }, rotationPolicy: { rotateAfter: "P90D" } });`;
    const half = { half: 'name: "half", value: "a value that is there already 20fe31", tags: { c: "3" }' };
    const secrets = program('config.requireSecret("password")', {
      ...half,
      moved: 'name: "moved-on", value: "moving"',
    });
    await stack.program(`${secrets}\n${key}`);
    const failed = ran(await stack.tryUp("--continue-on-error"));
    expect(failed.exitCode).not.toBe(0);
    expect(decryptedState(stack).match(/"initErrors":\[/g)).toHaveLength(2);
    expectNoValue();
    vault.faults.clear();
    ran(await stack.up());
    expect((await official().getSecret("half")).properties.tags).toEqual(owned({ c: "3" }));
    expect((await stack.drift()).properties).toEqual({});
    expect(decryptedState(stack)).not.toContain("initErrors");
    expectNoValue();
  });
});

/** The engine itself shows the stack's configuration in previews and plans, secrets included. */
function withoutConfig(json: string): string {
  const { config: _config, ...rest } = JSON.parse(json);
  return JSON.stringify(rest);
}
