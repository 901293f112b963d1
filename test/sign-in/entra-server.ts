import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { createServer } from "node:https";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { selfSignedCertificate } from "../keyvault/self-signed-certificate.js";

/** A stand-in for Microsoft Entra ID: gives tokens to whoever asks, and keeps what was asked. Also gives a pipeline's own. */
export async function startEntraServer() {
  const folder = mkdtempSync(join(tmpdir(), "entra-"));
  const { certificate, privateKey } = selfSignedCertificate("localhost");
  const caFile = join(folder, "ca.pem");
  writeFileSync(caFile, certificate);
  /** The forms that were posted to the token endpoint. */
  const asked: { path: string; form: Record<string, string> }[] = [];
  const answering = { refusesWithWhatItWasSent: false };
  const pipelineRequests: { url: string; authorization: string | undefined }[] = [];
  const server = createServer({ cert: certificate, key: privateKey }, (request, response) => {
    const path = request.url ?? "";
    const tenant = path.split("/")[1] ?? "";
    const answer = (body: object) => {
      response.setHeader("content-type", "application/json");
      response.end(JSON.stringify(body));
    };
    const parts: Buffer[] = [];
    request.on("data", (part: Buffer) => parts.push(part));
    request.on("end", () => {
      if (path.startsWith("/pipeline")) {
        pipelineRequests.push({ url: path, authorization: request.headers.authorization });
        answer({ value: "id-token-of-the-pipeline" });
      } else if (path.includes("openid-configuration")) {
        const base = `https://${request.headers.host}/${tenant}`;
        answer({
          token_endpoint: `${base}/oauth2/v2.0/token`,
          authorization_endpoint: `${base}/oauth2/v2.0/authorize`,
          issuer: `${base}/v2.0`,
          jwks_uri: `${base}/keys`,
        });
      } else {
        asked.push({ path, form: Object.fromEntries(new URLSearchParams(Buffer.concat(parts).toString())) });
        if (answering.refusesWithWhatItWasSent) {
          response.statusCode = 401;
          const { client_secret, client_assertion } = asked.at(-1)?.form ?? {};
          const said = `AADSTS7000215: what was sent is ${client_secret ?? client_assertion}`;
          return answer({ error: "invalid_client", error_description: said, error_codes: [7000215] });
        }
        answer({ token_type: "Bearer", expires_in: 3600, access_token: "token-of-entra" });
      }
    });
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as AddressInfo;
  return {
    url: `https://localhost:${port}`,
    folder,
    caFile,
    asked,
    pipelineRequests,
    answering,
    close: async () => {
      rmSync(folder, { recursive: true, force: true });
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}
