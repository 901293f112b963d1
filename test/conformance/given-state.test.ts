import { describe, expect, it } from "vitest";
import { replayInEmulatorMode } from "../../conformance/emulator-mode.js";
import {
  deletionOf,
  keyBundle,
  refusal,
  type ScriptedExchange,
  type ScriptOptions,
  scriptedRecording,
  secretBundle,
  versionNamed,
} from "./scripted-recording.js";

const replay = (exchanges: ScriptedExchange[], options?: ScriptOptions) =>
  replayInEmulatorMode(scriptedRecording(exchanges, options));
const passed = { status: "passed" };

const notFound = (noun: "key" | "secret", id: string) =>
  refusal(
    noun === "key" ? "KeyNotFound" : "SecretNotFound",
    `A ${noun} with (name/id) ${id} was not found in this key vault. If you recently deleted this ${noun} you may be able to recover it using the correct recovery command. For help resolving this issue, please see https://go.microsoft.com/fwlink/?linkid=2125182`,
  );
const deletedNotFound = (noun: "Key" | "Secret", name: string) =>
  refusal(`${noun}NotFound`, `Deleted ${noun} not found: ${name}`);

describe("given state", () => {
  it("exists with the content that its first read shows", async () => {
    const shown = secretBundle("s", "one", { value: "v", contentType: "text/plain", tags: { a: "b" } });
    expect(await replay([{ method: "GET", path: "/secrets/s", status: 200, answer: shown }])).toEqual(passed);
  });

  it("keeps the versions that a recording shows and does not make", async () => {
    const [one, two] = [secretBundle("s", "one", { value: "1" }), secretBundle("s", "two", { value: "2" })];
    expect(
      await replay([
        { method: "PUT", path: "/secrets/s", status: 200, body: { value: "2" }, answer: two },
        { method: "GET", path: `/secrets/s/${versionNamed("one")}`, status: 200, answer: one },
        { method: "GET", path: "/secrets/s", status: 200, answer: two },
      ]),
    ).toEqual(passed);
  });

  it.each([
    [
      "SecretDisabled",
      {
        method: "GET",
        path: "/secrets/s",
        status: 403,
        answer: refusal("Forbidden", "Operation get is not allowed on a disabled secret.", "SecretDisabled"),
      },
    ],
    [
      "ObjectIsBeingDeleted on a write",
      {
        method: "PUT",
        path: "/secrets/s",
        status: 409,
        body: { value: "v" },
        answer: refusal(
          "Conflict",
          "Secret s is currently being deleted and cannot be re-created; retry later.",
          "ObjectIsBeingDeleted",
        ),
      },
    ],
    [
      "ObjectIsBeingDeleted on a recovery",
      {
        method: "POST",
        path: "/deletedkeys/k/recover",
        status: 409,
        answer: refusal("Conflict", "Key k is currently being deleted.", "ObjectIsBeingDeleted"),
      },
    ],
    [
      "ObjectIsBeingDeleted on a purge",
      {
        method: "DELETE",
        path: "/deletedkeys/k",
        status: 409,
        answer: refusal("Conflict", "Key is currently being deleted.", "ObjectIsBeingDeleted"),
      },
    ],
    [
      "ObjectIsDeletedButRecoverable",
      {
        method: "PUT",
        path: "/secrets/s",
        status: 409,
        body: { value: "v" },
        answer: refusal(
          "Conflict",
          "Secret s is currently in a deleted but recoverable state, and its name cannot be reused; in this state, the secret can only be recovered or purged.",
          "ObjectIsDeletedButRecoverable",
        ),
      },
    ],
    [
      "ObjectIsBeingRecovered",
      {
        method: "POST",
        path: "/keys/k/create",
        status: 409,
        body: { kty: "EC" },
        answer: refusal(
          "Conflict",
          "Key k is currently being recovered and cannot be re-created; retry later.",
          "ObjectIsBeingRecovered",
        ),
      },
    ],
    [
      "RequestNotAllowedOnNonDeletedObject",
      {
        method: "POST",
        path: "/deletedkeys/k/recover",
        status: 400,
        answer: refusal("MethodNotAllowed", "Key exists already: k", "RequestNotAllowedOnNonDeletedObject"),
      },
    ],
    [
      "KeyManagedByKeyVault",
      {
        method: "DELETE",
        path: "/keys/k",
        status: 403,
        answer: refusal(
          "Forbidden",
          'Operation "delete" is not allowed as this object\'s lifetime is managed by Key Vault.',
          "KeyManagedByKeyVault",
        ),
      },
    ],
    [
      "KeyManagedByKeyVault on a purge",
      {
        method: "DELETE",
        path: "/deletedkeys/k",
        status: 403,
        answer: refusal(
          "Forbidden",
          'Operation "purge" is not allowed as this object\'s lifetime is managed by Key Vault.',
          "KeyManagedByKeyVault",
        ),
      },
    ],
    [
      "KeyOperationForbidden",
      {
        method: "POST",
        path: `/keys/k/${versionNamed("one")}/decrypt`,
        status: 403,
        body: { alg: "RSA-OAEP", value: "AQAB" },
        answer: refusal("Forbidden", "Operation decrypt is not permitted on this key.", "KeyOperationForbidden"),
      },
    ],
    [
      "HardwareKeysNotSupported",
      {
        method: "POST",
        path: "/keys/k/create",
        status: 403,
        body: { kty: "EC-HSM" },
        answer: refusal(
          "Forbidden",
          "Hardware key operation not allowed on standard vault",
          "HardwareKeysNotSupported",
        ),
      },
    ],
    [
      "a disabled deleted secret",
      {
        method: "GET",
        path: "/deletedsecrets/s",
        status: 403,
        answer: refusal("Forbidden", "Operation get is not permitted on this object.", "AccessDenied"),
      },
    ],
    [
      "a purge without soft delete",
      {
        method: "DELETE",
        path: "/deletedkeys/k",
        status: 400,
        answer: refusal("NotSupported", 'Operation "purge" is not enabled for this vault.'),
      },
    ],
    [
      "an unreadable attestation",
      {
        method: "POST",
        path: "/keys/k/release",
        status: 403,
        body: { target: "anything" },
        answer: refusal("Forbidden", "Target environment attestation statement cannot be verified.", "AccessDenied"),
      },
    ],
  ] as [string, ScriptedExchange][])("is read from %s", async (_, exchange) => {
    expect(await replay([exchange])).toEqual(passed);
  });

  it("is deleted, and worked on by others, where a recovery is in conflict", async () => {
    const id = `https://scripted.vault.azure.net/keys/k/${versionNamed("one")}`;
    const message = `There was a conflict while recovering the soft-deleted key '${id}'. This can happen when multiple operations are performed in parallel against the soft-deleted key. To avoid this error, perform operations against the soft-deleted key in a sequential manner.`;
    const recover = { method: "POST", path: "/deletedkeys/k/recover" };
    expect(
      await replay([
        { ...recover, status: 409, answer: refusal("Conflict", message) },
        { ...recover, status: 200, answer: keyBundle("k", "one") },
      ]),
    ).toEqual(passed);
  });

  it("has a deletion in flight when a deleted object appears without anybody deleting it", async () => {
    const shown = { ...deletionOf("keys", "k"), ...keyBundle("k", "one") };
    expect(
      await replay([
        { method: "GET", path: "/deletedkeys/k", status: 404, answer: deletedNotFound("Key", "k") },
        { method: "GET", path: "/deletedkeys/k", status: 404, answer: deletedNotFound("Key", "k") },
        { method: "GET", path: "/deletedkeys/k", status: 200, answer: shown },
        { method: "DELETE", path: "/deletedkeys/k", status: 204 },
      ]),
    ).toEqual(passed);
  });

  it("has a recovery in flight when an object appears without anybody recovering it", async () => {
    const shown = secretBundle("s", "one", { value: "v" });
    expect(
      await replay([
        { method: "GET", path: "/secrets/s", status: 404, answer: notFound("secret", "s") },
        { method: "GET", path: "/secrets/s", status: 200, answer: shown },
      ]),
    ).toEqual(passed);
  });

  it("is deleted when a recovery follows a read that finds nothing", async () => {
    expect(
      await replay([
        { method: "GET", path: "/keys/k", status: 404, answer: notFound("key", "k") },
        { method: "POST", path: "/deletedkeys/k/recover", status: 200, answer: keyBundle("k", "one") },
        { method: "GET", path: "/keys/k", status: 200, answer: keyBundle("k", "one") },
      ]),
    ).toEqual(passed);
  });

  it("changes off stage where two answers cannot be explained otherwise", async () => {
    const shown = secretBundle("s", "one", { value: "v" });
    expect(
      await replay([
        { method: "GET", path: "/secrets/s", status: 200, answer: shown },
        {
          method: "PUT",
          path: "/secrets/s",
          status: 409,
          body: { value: "v" },
          answer: refusal(
            "Conflict",
            "Secret s is currently being deleted and cannot be re-created; retry later.",
            "ObjectIsBeingDeleted",
          ),
        },
        { method: "GET", path: "/secrets/s", status: 200, answer: shown },
      ]),
    ).toEqual(passed);
  });

  it("has no soft delete where deletions show no way back", async () => {
    const attributes = { recoveryLevel: "Purgeable", recoverableDays: 0 };
    expect(
      await replay([
        { method: "DELETE", path: "/keys/k", status: 200, answer: keyBundle("k", "one", { attributes }) },
        { method: "GET", path: "/keys/k", status: 404, answer: notFound("key", "k") },
      ]),
    ).toEqual(passed);
  });

  it("restores a backup that another vault made", async () => {
    const [one, two] = [keyBundle("k", "one"), keyBundle("k", "two")];
    const item = (version: string) => ({
      kid: `https://scripted.vault.azure.net/keys/k/${versionNamed(version)}`,
      attributes: {
        enabled: true,
        created: 1,
        updated: 1,
        recoveryLevel: "CustomizedRecoverable+Purgeable",
        recoverableDays: 7,
        exportable: false,
      },
    });
    expect(
      await replay([
        { method: "POST", path: "/keys/restore", status: 200, body: { value: "foreign-blob" }, answer: two },
        {
          method: "GET",
          path: "/keys/k/versions",
          status: 200,
          answer: { value: [item("one"), item("two")], nextLink: null },
        },
        { method: "GET", path: `/keys/k/${versionNamed("one")}`, status: 200, answer: one },
      ]),
    ).toEqual(passed);
  });
});

describe("a disabled secret", () => {
  const disabled = {
    method: "GET",
    path: "/secrets/s",
    status: 403,
    answer: refusal("Forbidden", "Operation get is not allowed on a disabled secret.", "SecretDisabled"),
  };
  const shown = (enabled: boolean, value?: string) =>
    secretBundle("s", "one", { ...(value === undefined ? {} : { value }), attributes: { enabled } });
  const patch = (enabled: boolean) => ({
    method: "PATCH",
    path: "/secrets/s",
    status: 200,
    body: { attributes: { enabled } },
    answer: shown(enabled),
  });
  const get = { method: "GET", path: "/secrets/s", status: 200, answer: shown(true, "v") };

  it("was enabled when it could be read before", async () => {
    expect(await replay([get, patch(false), disabled])).toEqual(passed);
  });

  it("was disabled when it could not be read before it was enabled", async () => {
    expect(await replay([disabled, patch(true), get])).toEqual(passed);
  });
});

describe("certificates' objects", () => {
  it("get new versions and go away with certificates that the replay does not play", async () => {
    const managed = (version: string) =>
      secretBundle("c", version, {
        value: version,
        managed: true,
        contentType: "application/x-pkcs12",
        kid: `https://scripted.vault.azure.net/keys/c/${versionNamed(version)}`,
      });
    expect(
      await replay([
        { method: "GET", path: "/secrets/c", status: 200, answer: managed("one") },
        { method: "POST", path: "/certificates/c/create", status: 202, answer: {} },
        { method: "GET", path: "/secrets/c", status: 200, answer: managed("two") },
        { method: "DELETE", path: "/certificates/c", status: 200, answer: {} },
        { method: "GET", path: "/secrets/c", status: 404, answer: notFound("secret", "c") },
      ]),
    ).toEqual(passed);
  });
});
