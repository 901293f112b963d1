import * as pulumi from "@pulumi/pulumi";
import * as keyvault from "pulumi-keyvault";

// A vault of the same geography and subscription as the one that the backup is of. Every key and secret comes with all
// its versions, under its own name.
export = async () => {
  const primary = new pulumi.StackReference(new pulumi.Config().require("primaryStack"));
  const backup: keyvault.RestorableVault = (await primary.getOutputDetails("backup")).secretValue;
  const keys = Object.entries(backup.keys).map(([name, restore]) => new keyvault.Key(name, { restore }));
  const secrets = Object.entries(backup.secrets).map(([name, restore]) => new keyvault.Secret(name, { restore }));
  return { keys: keys.map((key) => key.versionId), secrets: secrets.map((secret) => secret.versionId) };
};
