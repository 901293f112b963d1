package main

import (
	"github.com/pulumi-keyvault/pulumi-keyvault/sdk/go/keyvault"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi/config"
)

func main() {
	pulumi.Run(func(ctx *pulumi.Context) error {
		// The vault is that of the stack's configuration, keyvault:vaultUrl.
		cfg := config.New(ctx, "")

		signing, err := keyvault.NewKey(ctx, "signing", &keyvault.KeyArgs{
			Name:     pulumi.String("orders-signing"),
			Generate: keyvault.KeyGenerateArgs{KeyType: keyvault.KeyTypeEc, Curve: keyvault.KeyCurveP256},
			Tags:     pulumi.StringMap{"team": pulumi.String("orders")},
		})
		if err != nil {
			return err
		}

		// What the vault is to hold: the keys of this program, and keys that somebody else makes. What appears,
		// vanishes or changes outside is drift with its name, in `pulumi preview --refresh --expect-no-changes`.
		inventory, err := keyvault.NewKeyInventory(ctx, "vault", &keyvault.KeyInventoryArgs{
			Expect: pulumi.StringArray{pulumi.String("ledger")},
			ExpectResources: keyvault.ExpectedObjectArray{keyvault.ExpectedObjectArgs{
				VaultUrl: signing.VaultUrl,
				Name:     signing.Name,
			}},
			Ignore:        pulumi.StringArray{pulumi.String("temp-*")},
			OnUnmanaged:   keyvault.OnUnmanaged(cfg.Require("onUnmanaged")),
			ExpiresWithin: pulumi.String("30d"),
		})
		if err != nil {
			return err
		}

		// A function asks the vault while the program runs, in a preview too.
		listed, err := keyvault.ListKeys(ctx, &keyvault.ListKeysArgs{})
		if err != nil {
			return err
		}
		teams := map[string]int{}
		for _, key := range listed.Keys {
			if key.Managed {
				continue
			}
			team, ok := key.Tags["team"]
			if !ok {
				team = "nobody"
			}
			teams[team]++
		}

		ctx.Export("count", inventory.Count)
		ctx.Export("unmanaged", inventory.Unmanaged)
		ctx.Export("missing", inventory.Missing)
		ctx.Export("softDeleted", inventory.SoftDeleted)
		ctx.Export("expiring", inventory.Expiring)
		ctx.Export("teams", pulumi.ToIntMap(teams))
		return nil
	})
}
