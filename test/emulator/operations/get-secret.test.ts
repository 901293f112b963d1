import { describe, expect, it } from "vitest";
import { openVault, refusal } from "../open-vault.js";

describe("getSecret", () => {
  it("gives the value of the current version, or of the one that is named", async () => {
    const { call } = await openVault();
    const first = await call("PUT", "/secrets/a", { value: "1" });
    await call("PUT", "/secrets/a", { value: "2", attributes: { exp: 1 } });
    expect(await call("GET", "/secrets/A")).toMatchObject({ status: 200, body: { value: "2" } });
    const version = (first.body.id as string).split("/").at(-1);
    expect((await call("GET", `/secrets/a/${version}`)).body).toEqual(first.body);
  });

  it("refuses a disabled version and no other", async () => {
    const { call } = await openVault();
    const first = await call("PUT", "/secrets/a", { value: "1" });
    await call("PUT", "/secrets/a", { value: "2", attributes: { enabled: false } });
    expect(await call("GET", "/secrets/a")).toMatchObject(
      refusal(403, "Forbidden", "Operation get is not allowed on a disabled secret.", "SecretDisabled"),
    );
    expect((await call("GET", `/secrets/a/${(first.body.id as string).split("/").at(-1)}`)).status).toBe(200);
  });

  it("misses a version with name and version", async () => {
    const { call } = await openVault();
    await call("PUT", "/secrets/a", { value: "1" });
    expect(await call("GET", "/secrets/a/0000")).toMatchObject(
      refusal(404, "SecretNotFound", /^A secret with \(name\/id\) a\/0000 was not found in this key vault\./),
    );
  });

  it("marks a certificate's secret", async () => {
    const { call, emulator } = await openVault();
    await call("PUT", "/secrets/cert", { value: "pfx" });
    emulator.vault("emulator").giveToCertificate("secrets", "cert");
    const { body } = await call("GET", "/secrets/cert");
    expect(Object.keys(body)).toEqual(["value", "contentType", "id", "managed", "attributes", "kid"]);
  });

  it("turns nothing into another format, since there is outContentType", async () => {
    const { call, emulator } = await openVault();
    const refused = (kind: string) =>
      refusal(
        400,
        "BadParameter",
        `The 'Unsupported' to '${kind}' transformation is not supported. Only PFX to PEM transformation is supported.`,
      );
    const read = (outContentType: string, apiVersion = "2025-07-01") =>
      call("GET", `/secrets/a?outContentType=${encodeURIComponent(outContentType)}`, undefined, { apiVersion });
    await call("PUT", "/secrets/a", { value: "x", contentType: "application/x-pkcs12" });
    expect(await read("application/x-pem-file")).toMatchObject(refused("PEM"));
    expect(await read("application/x-pkcs12")).toMatchObject(refused("PFX"));
    expect(await read("text/plain")).toMatchObject(refused("Unsupported"));
    expect((await read("application/x-pem-file", "7.4")).body.value).toBe("x");
    expect((await read("")).body.value).toBe("x");
    emulator.vault("emulator").giveToCertificate("secrets", "a");
    expect((await read("application/x-pkcs12")).body.value).toBe("x");
  });
});
