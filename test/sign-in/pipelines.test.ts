import { execFile } from "node:child_process";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { promisify } from "node:util";
import forge from "node-forge";
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { selfSignedCertificate } from "../keyvault/self-signed-certificate.js";
import { startEntraServer } from "./entra-server.js";

const TENANT = "11111111-1111-1111-1111-111111111111";
const CLIENT = "22222222-2222-2222-2222-222222222222";

/** A process of its own: whom Node trusts is read when it starts. */
const PROGRAM = `
const { tokenSource } = require("./dist/provider/sign-in/credential.js");
tokenSource(process.env.CREDENTIAL, { entries: process.env.ENTRIES })
  .then((source) => source.getToken("https://vault.azure.net/.default", { tenantId: "${TENANT}" }))
  .then(
    ({ token }) => process.stdout.write(token),
    (error) => process.stdout.write([error.code, error.message, error.hint].join("; ")),
  );
`;

describe("a pipeline signs in", () => {
  let entra: Awaited<ReturnType<typeof startEntraServer>>;
  beforeAll(async () => {
    entra = await startEntraServer();
  });
  afterAll(() => entra.close());
  beforeEach(() => {
    entra.asked.length = 0;
    entra.pipelineRequests.length = 0;
    entra.answering.refusesWithWhatItWasSent = false;
  });

  const tokenWith = async (env: NodeJS.ProcessEnv): Promise<string> => {
    const { PATH } = process.env;
    const { stdout } = await promisify(execFile)(process.execPath, ["-e", PROGRAM], {
      cwd: join(__dirname, "../.."),
      env: {
        PATH,
        NODE_EXTRA_CA_CERTS: entra.caFile,
        ARM_ACTIVE_DIRECTORY_AUTHORITY_HOST: entra.url,
        ARM_DISABLE_INSTANCE_DISCOVERY: "true",
        CREDENTIAL: "arm",
        ...env,
      },
    });
    return stdout;
  };
  const application = { ARM_TENANT_ID: TENANT, ARM_CLIENT_ID: CLIENT };

  it("with a client secret", async () => {
    expect(await tokenWith({ ...application, ARM_CLIENT_SECRET: "s3cret" })).toBe("token-of-entra");
    expect(entra.asked).toEqual([
      {
        path: expect.stringContaining(`/${TENANT}/oauth2/v2.0/token`),
        form: expect.objectContaining({
          client_id: CLIENT,
          client_secret: "s3cret",
          scope: "https://vault.azure.net/.default",
        }),
      },
    ]);
  });

  it("with the variables alone: nothing else names who it is", async () => {
    const env = { ...application, ARM_CLIENT_SECRET: "s3cret", CREDENTIAL: "default" };
    expect(await tokenWith(env)).toBe("token-of-entra");
    expect(entra.asked[0]?.form).toMatchObject({ client_secret: "s3cret" });
  });

  it.each(["pfx", "pem"])("with a certificate in a %s file", async (kind) => {
    const file = join(entra.folder, `app.${kind}`);
    const { certificate, privateKey } = selfSignedCertificate("app");
    const key = forge.pki.privateKeyFromPem(privateKey);
    const pfx = forge.pkcs12.toPkcs12Asn1(key, forge.pki.certificateFromPem(certificate), "open", {
      algorithm: "aes256",
    });
    const bytes = kind === "pfx" ? Buffer.from(forge.asn1.toDer(pfx).getBytes(), "latin1") : certificate + privateKey;
    writeFileSync(file, bytes);
    const env = {
      ARM_CLIENT_CERTIFICATE_PATH: file,
      ...(kind === "pfx" ? { ARM_CLIENT_CERTIFICATE_PASSWORD: "open" } : {}),
    };
    expect(await tokenWith({ ...application, ...env })).toBe("token-of-entra");
    const assertion = entra.asked[0]?.form.client_assertion ?? "";
    const [head = ""] = assertion.split(".");
    expect(JSON.parse(Buffer.from(head, "base64url").toString())).toHaveProperty("x5t#S256");
  });

  it("with a PFX that the passphrase does not open: it is refused, and nothing of it shown", async () => {
    const file = join(entra.folder, "broken.pfx");
    writeFileSync(file, "CANARY-bytes");
    const told = await tokenWith({
      ...application,
      ARM_CLIENT_CERTIFICATE_PATH: file,
      ARM_CLIENT_CERTIFICATE_PASSWORD: "CANARY-pass",
    });
    expect(told).toMatch(/^KV_UNAUTHENTICATED; No client certificate could be taken from ".*broken\.pfx"/);
    expect(told).not.toContain("CANARY");
  });

  it("with an OIDC token from the environment", async () => {
    expect(await tokenWith({ ...application, ARM_USE_OIDC: "true", ARM_OIDC_TOKEN: "my-id-token" })).toBe(
      "token-of-entra",
    );
    expect(entra.asked[0]?.form).toMatchObject({ client_assertion: "my-id-token" });
  });

  it("with an OIDC token from a file", async () => {
    const file = join(entra.folder, "token");
    writeFileSync(file, "id-token-of-a-file\n");
    expect(await tokenWith({ ...application, ARM_USE_OIDC: "true", ARM_OIDC_TOKEN_FILE_PATH: file })).toBe(
      "token-of-entra",
    );
    expect(entra.asked[0]?.form).toMatchObject({ client_assertion: "id-token-of-a-file" });
  });

  it.each([
    ["ACTIONS_ID_TOKEN_REQUEST_URL", "ACTIONS_ID_TOKEN_REQUEST_TOKEN"],
    ["ARM_OIDC_REQUEST_URL", "ARM_OIDC_REQUEST_TOKEN"],
  ])("with the token that %s gives", async (url, token) => {
    const env = {
      ...application,
      ARM_USE_OIDC: "true",
      [url]: `${entra.url}/pipeline?job=7`,
      [token]: "request-token",
    };
    expect(await tokenWith(env)).toBe("token-of-entra");
    expect(entra.pipelineRequests[0]).toEqual({
      url: "/pipeline?job=7&audience=api%3A%2F%2FAzureADTokenExchange",
      authorization: "Bearer request-token",
    });
    expect(entra.asked[0]?.form).toMatchObject({ client_assertion: "id-token-of-the-pipeline" });
  });

  it.each([
    ["a client secret", { ARM_CLIENT_SECRET: "CANARY/of+client" }],
    ["an OIDC token", { ARM_USE_OIDC: "true", ARM_OIDC_TOKEN: "CANARY-token" }],
  ])("with %s, which a refusal repeats: it is not shown", async (_what, env) => {
    entra.answering.refusesWithWhatItWasSent = true;
    const told = await tokenWith({ ...application, ...env });
    expect(told).toContain("AADSTS7000215: what was sent is [redacted]");
    expect(told).not.toContain("CANARY");
  });

  it("with a request that would go over plain HTTP: its token is not sent", async () => {
    const told = await tokenWith({
      ...application,
      ARM_USE_OIDC: "true",
      ARM_OIDC_REQUEST_URL: "http://pipelines.example/token",
      ARM_OIDC_REQUEST_TOKEN: "CANARY",
    });
    expect(told).toContain("is not an HTTPS URL");
    expect(told).not.toContain("CANARY");
  });

  it("as an entry of keyvault:credentials", async () => {
    const partner = { type: "client-secret", tenantId: TENANT, clientId: CLIENT, clientSecret: { env: "PARTNER" } };
    const env = { CREDENTIAL: "partner", ENTRIES: JSON.stringify({ partner }), PARTNER: "of-partner" };
    expect(await tokenWith(env)).toBe("token-of-entra");
    expect(entra.asked[0]?.form).toMatchObject({ client_secret: "of-partner" });
  });
});
