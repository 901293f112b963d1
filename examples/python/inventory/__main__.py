from collections import Counter

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

# What the vault is to hold: the keys of this program, and keys that somebody else makes. What appears, vanishes or
# changes outside is drift with its name, in `pulumi preview --refresh --expect-no-changes`.
inventory = keyvault.KeyInventory(
    "vault",
    expect=["ledger"],
    expect_resources=[{"vault_url": signing.vault_url, "name": signing.name}],
    ignore=["temp-*"],
    on_unmanaged=config.require("onUnmanaged"),
    expires_within="30d",
)

# A function asks the vault while the program runs, in a preview too.
teams = Counter(
    (key.tags or {}).get("team", "nobody") for key in keyvault.list_keys().keys if not key.managed
)

pulumi.export("count", inventory.count)
pulumi.export("unmanaged", inventory.unmanaged)
pulumi.export("missing", inventory.missing)
pulumi.export("softDeleted", inventory.soft_deleted)
pulumi.export("expiring", inventory.expiring)
pulumi.export("teams", dict(teams))
