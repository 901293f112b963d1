import pulumi
import pulumi_keyvault as keyvault

# The vault is that of the stack's configuration, keyvault:vaultUrl.
config = pulumi.Config()
key_folder = config.require("keyFolder")

# The files are read inside the provider: the private keys reach neither the engine nor the state.
signing = keyvault.Key(
    "signing",
    name="orders-signing",
    import_={"file": f"{key_folder}/signing.pem"},
    key_ops=[keyvault.KeyOperation.SIGN, keyvault.KeyOperation.VERIFY],
    tags={"team": "orders"},
)
client = keyvault.Key(
    "client",
    name="orders-client",
    import_={"file": f"{key_folder}/client.pem"},
    tags={"team": "orders"},
)
tokens = keyvault.Key(
    "tokens",
    name="tokens",
    import_={"file": f"{key_folder}/tokens.json"},
    tags={"team": "identity"},
)

# A backup follows its key: with its version it is taken again in the same update that changes the key.
signing_backup = keyvault.KeyBackup(
    "signing",
    vault_url=signing.vault_url,
    name=signing.name,
    version=signing.version,
    updated_on=signing.updated_on,
)

password = keyvault.Secret(
    "database",
    name="orders-database",
    value=config.require_secret("databasePassword"),
    content_type="text/plain",
)
password_backup = keyvault.SecretBackup(
    "database",
    vault_url=password.vault_url,
    name=password.name,
    version=password.version,
    updated_on=password.updated_on,
)

# The same key in a second vault: every version of it, with the same version ids.
copied_key: pulumi.Input[str] = "none: copyVaultUrl is not set"
copy_vault_url = config.get("copyVaultUrl")
if copy_vault_url:
    copy = keyvault.Key(
        "signing-copy",
        vault_url=copy_vault_url,
        restore={
            "blob": signing_backup.blob,
            "source_name": signing_backup.name,
            "version": signing_backup.version,
        },
    )
    copied_key = copy.version_id

pulumi.export("signingKey", signing.version_id)
pulumi.export("signingThumbprint", signing.thumbprint)
pulumi.export("signingPublicKey", signing.public_key_pem)
pulumi.export("signingBackupBlob", signing_backup.blob)
pulumi.export("clientKey", client.version_id)
pulumi.export("clientThumbprint", client.thumbprint)
pulumi.export("tokensKey", tokens.version_id)
pulumi.export("tokensThumbprint", tokens.thumbprint)
pulumi.export("databaseBackupBlob", password_backup.blob)
pulumi.export("copiedKey", copied_key)
