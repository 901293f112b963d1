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
		keyFolder := cfg.Require("keyFolder")

		// The files are read inside the provider: the private keys reach neither the engine nor the state.
		signing, err := keyvault.NewKey(ctx, "signing", &keyvault.KeyArgs{
			Name:   pulumi.String("orders-signing"),
			Import: keyvault.KeyImportArgs{File: pulumi.String(keyFolder + "/signing.pem")},
			KeyOps: keyvault.KeyOperationArray{keyvault.KeyOperationSign, keyvault.KeyOperationVerify},
			Tags:   pulumi.StringMap{"team": pulumi.String("orders")},
		})
		if err != nil {
			return err
		}
		client, err := keyvault.NewKey(ctx, "client", &keyvault.KeyArgs{
			Name:   pulumi.String("orders-client"),
			Import: keyvault.KeyImportArgs{File: pulumi.String(keyFolder + "/client.pem")},
			Tags:   pulumi.StringMap{"team": pulumi.String("orders")},
		})
		if err != nil {
			return err
		}
		tokens, err := keyvault.NewKey(ctx, "tokens", &keyvault.KeyArgs{
			Name:   pulumi.String("tokens"),
			Import: keyvault.KeyImportArgs{File: pulumi.String(keyFolder + "/tokens.json")},
			Tags:   pulumi.StringMap{"team": pulumi.String("identity")},
		})
		if err != nil {
			return err
		}

		// A backup follows its key: with its version it is taken again in the same update that changes the key.
		signingBackup, err := keyvault.NewKeyBackup(ctx, "signing", &keyvault.KeyBackupArgs{
			VaultUrl:  signing.VaultUrl,
			Name:      signing.Name,
			Version:   signing.Version,
			UpdatedOn: signing.UpdatedOn,
		})
		if err != nil {
			return err
		}

		password, err := keyvault.NewSecret(ctx, "database", &keyvault.SecretArgs{
			Name:        pulumi.String("orders-database"),
			Value:       cfg.RequireSecret("databasePassword"),
			ContentType: pulumi.String("text/plain"),
		})
		if err != nil {
			return err
		}
		passwordBackup, err := keyvault.NewSecretBackup(ctx, "database", &keyvault.SecretBackupArgs{
			VaultUrl:  password.VaultUrl,
			Name:      password.Name,
			Version:   password.Version,
			UpdatedOn: password.UpdatedOn,
		})
		if err != nil {
			return err
		}

		// The same key in a second vault: every version of it, with the same version ids.
		copiedKey := pulumi.String("none: copyVaultUrl is not set").ToStringOutput()
		if copyVaultUrl := cfg.Get("copyVaultUrl"); copyVaultUrl != "" {
			copied, err := keyvault.NewKey(ctx, "signing-copy", &keyvault.KeyArgs{
				VaultUrl: pulumi.String(copyVaultUrl),
				Restore: keyvault.RestoreArgs{
					Blob:       signingBackup.Blob,
					SourceName: signingBackup.Name,
					Version:    signingBackup.Version,
				},
			})
			if err != nil {
				return err
			}
			copiedKey = copied.VersionId
		}

		ctx.Export("signingKey", signing.VersionId)
		ctx.Export("signingThumbprint", signing.Thumbprint)
		ctx.Export("signingPublicKey", signing.PublicKeyPem)
		ctx.Export("signingBackupBlob", signingBackup.Blob)
		ctx.Export("clientKey", client.VersionId)
		ctx.Export("clientThumbprint", client.Thumbprint)
		ctx.Export("tokensKey", tokens.VersionId)
		ctx.Export("tokensThumbprint", tokens.Thumbprint)
		ctx.Export("databaseBackupBlob", passwordBackup.Blob)
		ctx.Export("copiedKey", copiedKey)
		return nil
	})
}
