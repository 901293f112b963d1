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
		password, err := keyvault.NewSecret(ctx, "database", &keyvault.SecretArgs{
			Name:  pulumi.String("orders-database"),
			Value: cfg.RequireSecret("databasePassword"),
		})
		if err != nil {
			return err
		}

		// Everything in the vault, also what this program does not manage. What it does manage is given too: a change
		// of it is backed up in the same update, and changes made by others when the stack is refreshed.
		vault, err := keyvault.NewVaultBackup(ctx, "vault", &keyvault.VaultBackupArgs{
			Keys: pulumi.StringArray{pulumi.String("*")},
			KeyResources: keyvault.BackedUpObjectArray{keyvault.BackedUpObjectArgs{
				VaultUrl:  signing.VaultUrl,
				Name:      signing.Name,
				Version:   signing.Version,
				UpdatedOn: signing.UpdatedOn,
			}},
			Secrets: pulumi.StringArray{pulumi.String("*")},
			SecretResources: keyvault.BackedUpObjectArray{keyvault.BackedUpObjectArgs{
				VaultUrl:  password.VaultUrl,
				Name:      password.Name,
				Version:   password.Version,
				UpdatedOn: password.UpdatedOn,
			}},
		})
		if err != nil {
			return err
		}

		// One key for the safe: a file that only its owner can read, and that state does not hold.
		escrow, err := keyvault.NewKeyBackup(ctx, "escrow", &keyvault.KeyBackupArgs{
			VaultUrl:  signing.VaultUrl,
			Name:      signing.Name,
			Version:   signing.Version,
			UpdatedOn: signing.UpdatedOn,
			To:        keyvault.BackupFolderArgs{Folder: pulumi.String("escrow")},
		})
		if err != nil {
			return err
		}

		// All versions, under the same name and with the same version ids.
		standbyUrl := pulumi.String(cfg.Require("standbyUrl"))
		standbySigning, err := keyvault.NewKey(ctx, "standby-signing", &keyvault.KeyArgs{
			VaultUrl: standbyUrl,
			Restore: keyvault.RestoreArgs{
				Blob:       vault.Blobs.Keys().MapIndex(pulumi.String("orders-signing")),
				SourceName: signing.Name,
				Version:    vault.Covered.Keys().MapIndex(pulumi.String("orders-signing")),
			},
		})
		if err != nil {
			return err
		}
		standbyPassword, err := keyvault.NewSecret(ctx, "standby-database", &keyvault.SecretArgs{
			VaultUrl: standbyUrl,
			Restore: keyvault.RestoreArgs{
				Blob:       vault.Blobs.Secrets().MapIndex(pulumi.String("orders-database")),
				SourceName: password.Name,
				Version:    vault.Covered.Secrets().MapIndex(pulumi.String("orders-database")),
			},
		})
		if err != nil {
			return err
		}

		ctx.Export("covered", vault.Covered)
		ctx.Export("takenOn", vault.TakenOn)
		ctx.Export("escrowFile", escrow.File)
		ctx.Export("restoredKey", standbySigning.VersionId)
		ctx.Export("restoredSecret", standbyPassword.VersionId)
		return nil
	})
}
