/** node make-keys.mts COUNT: writes keys of devices into the folder `keys`, encrypted with KEYS_PASS. */
import { generateKeyPairSync } from "node:crypto";
import { existsSync, mkdirSync, writeFileSync } from "node:fs";

const passphrase = process.env.KEYS_PASS;
if (!passphrase) throw new Error("set KEYS_PASS to the passphrase of the keys");
mkdirSync("keys", { recursive: true });
for (let number = 1; number <= Number(process.argv[2] ?? 3); number++) {
  const path = `keys/pump-${number}.pem`;
  if (existsSync(path)) continue;
  const { privateKey } = generateKeyPairSync("ec", {
    namedCurve: "prime256v1",
    publicKeyEncoding: { type: "spki", format: "pem" },
    privateKeyEncoding: { type: "pkcs8", format: "pem", cipher: "aes-256-cbc", passphrase },
  });
  writeFileSync(path, privateKey, { mode: 0o600 });
}
