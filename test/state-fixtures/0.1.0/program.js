const vaultUrl = "embedded:./dev.vault";
const signing = new keyvault.Key("signing", {
  vaultUrl,
  name: "signing",
  import: { file: "signing.pem" },
  tags: { team: "orders" },
  expiresOn: "2090-01-01T00:00:00Z",
});
const generated = new keyvault.Key("generated", {
  vaultUrl,
  name: "generated",
  generate: { keyType: "EC", curve: "P-256", keepers: { a: "1" } },
  rotationPolicy: { rotateAfter: "P90D" },
});
new keyvault.Key("adopted", { vaultUrl, name: "adopted", adopt: true, onDelete: "retain" });
new keyvault.Key("automatic", { vaultUrl, generate: { keyType: "EC" } });
const db = new keyvault.Secret("db", { vaultUrl, name: "db", value: "the value of 0.1", contentType: "text/plain" });
const backup = new keyvault.KeyBackup("signing", { key: signing });
new keyvault.SecretBackup("db", { secret: db });
new keyvault.Key("copy", { vaultUrl: "embedded:./copy.vault", restore: backup });
new keyvault.VaultBackup("all", { vaultUrl, keys: "*", secrets: "*" }, { dependsOn: [signing, generated, db] });
new keyvault.KeyInventory("vault", { vaultUrl, expect: [signing, generated] }, { dependsOn: [signing, generated] });
exports.version = signing.version;
