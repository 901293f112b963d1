import pulumi
import pulumi_keyvault as keyvault

# The vault is that of the stack's configuration, keyvault:vaultUrl.
config = pulumi.Config()

signing = keyvault.Key(
    "signing",
    name="orders-signing",
    generate={"key_type": keyvault.KeyType.EC, "curve": keyvault.KeyCurve.P256},
    tags={"team": "orders"},
)
password = keyvault.Secret(
    "database", name="orders-database", value=config.require_secret("databasePassword")
)


def of(resource: keyvault.Key | keyvault.Secret) -> keyvault.BackedUpObjectArgs:
    """What tells a backup that the key or secret has changed."""
    return keyvault.BackedUpObjectArgs(
        vault_url=resource.vault_url,
        name=resource.name,
        version=resource.version,
        updated_on=resource.updated_on,
    )


# Everything in the vault, also what this program does not manage. What it does manage is given too: a change of it is
# backed up in the same update, and changes made by others when the stack is refreshed.
vault = keyvault.VaultBackup(
    "vault",
    keys=["*"],
    key_resources=[of(signing)],
    secrets=["*"],
    secret_resources=[of(password)],
)

# One key for the safe: a file that only its owner can read, and that state does not hold.
escrow = keyvault.KeyBackup(
    "escrow",
    vault_url=signing.vault_url,
    name=signing.name,
    version=signing.version,
    updated_on=signing.updated_on,
    to={"folder": "escrow"},
)

# All versions, under the same name and with the same version ids.
standby_url = config.require("standbyUrl")
standby_signing = keyvault.Key(
    "standby-signing",
    vault_url=standby_url,
    restore={
        "blob": vault.blobs["keys"]["orders-signing"],
        "source_name": signing.name,
        "version": vault.covered["keys"]["orders-signing"],
    },
)
standby_password = keyvault.Secret(
    "standby-database",
    vault_url=standby_url,
    restore={
        "blob": vault.blobs["secrets"]["orders-database"],
        "source_name": password.name,
        "version": vault.covered["secrets"]["orders-database"],
    },
)

pulumi.export("covered", vault.covered)
pulumi.export("takenOn", vault.taken_on)
pulumi.export("escrowFile", escrow.file)
pulumi.export("restoredKey", standby_signing.version_id)
pulumi.export("restoredSecret", standby_password.version_id)
