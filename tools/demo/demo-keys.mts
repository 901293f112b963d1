import { generateKeyPairSync } from "node:crypto";
import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";

/** One key of each kind that people have lying about. Made on this machine, for the demo only. */
export async function makeDemoKeys(folder: string): Promise<string[]> {
  const rsa = generateKeyPairSync("rsa", { modulusLength: 2048 }).privateKey;
  const ec = generateKeyPairSync("ec", { namedCurve: "P-256" }).privateKey;
  const jwk = generateKeyPairSync("ec", { namedCurve: "P-384" }).privateKey.export({ format: "jwk" });
  const files = {
    "signing.pem": { text: rsa.export({ format: "pem", type: "pkcs8" }), kind: "RSA 2048, PEM with PKCS#8" },
    "client.pem": { text: ec.export({ format: "pem", type: "sec1" }), kind: "EC P-256, PEM with SEC1" },
    "tokens.json": { text: `${JSON.stringify(jwk, null, 2)}\n`, kind: "EC P-384, JWK" },
  };
  await mkdir(folder, { recursive: true, mode: 0o700 });
  for (const [name, { text }] of Object.entries(files)) await writeFile(join(folder, name), text, { mode: 0o600 });
  return Object.entries(files).map(([name, { kind }]) => `${name.padEnd(12)} ${kind}`);
}
