import * as pulumi from "@pulumi/pulumi";
import * as keyvault from "pulumi-keyvault";

// The vault is that of the stack's configuration, keyvault:vaultUrl.
const config = new pulumi.Config();
const keyFolder = config.require("keyFolder");

// The files are read inside the provider: the private keys reach neither the engine nor the state.
const signing = new keyvault.Key("signing", {
  name: "orders-signing",
  import: { file: `${keyFolder}/signing.pem` },
  keyOps: ["sign", "verify"],
  tags: { team: "orders" },
});
const client = new keyvault.Key("client", {
  name: "orders-client",
  import: { file: `${keyFolder}/client.pem` },
  tags: { team: "orders" },
});
const tokens = new keyvault.Key("tokens", {
  name: "tokens",
  import: { file: `${keyFolder}/tokens.json` },
  tags: { team: "identity" },
});

// A backup follows its key: it is taken again in the same update that changes the key.
const signingBackup = new keyvault.KeyBackup("signing", { key: signing });

const password = new keyvault.Secret("database", {
  name: "orders-database",
  value: config.requireSecret("databasePassword"),
  contentType: "text/plain",
});
const passwordBackup = new keyvault.SecretBackup("database", { secret: password });

// The same key in a second vault: every version of it, with the same version ids.
const copyVaultUrl = config.get("copyVaultUrl");
const copy = copyVaultUrl
  ? new keyvault.Key("signing-copy", { vaultUrl: copyVaultUrl, restore: signingBackup })
  : undefined;

export const signingKey = signing.versionId;
export const signingThumbprint = signing.thumbprint;
export const signingPublicKey = signing.publicKeyPem;
export const signingBackupBlob = signingBackup.blob;
export const clientKey = client.versionId;
export const clientThumbprint = client.thumbprint;
export const tokensKey = tokens.versionId;
export const tokensThumbprint = tokens.thumbprint;
export const databaseBackupBlob = passwordBackup.blob;
export const copiedKey = copy ? copy.versionId : "none: copyVaultUrl is not set";
