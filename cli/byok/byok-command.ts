import type { Command } from "commander";
import type { ByokOptions } from "./byok-options.js";

const HELP = `
The transfer blob is made as Microsoft's BYOK specification says, and the HSM of
that vault alone can open it. The key exchange key is of type RSA-HSM, with
"import" as its only operation; a vault lets it live for 48 hours:
  az keyvault key create --vault-name contoso --name kek --kty RSA-HSM \\
    --size 4096 --ops import

The public half of the exchange key is asked of the vault (needs keys/get). With
--kek-pem it is read from a file, as \`az keyvault key download\` writes it, and
nothing is asked; --kek is then the id of the version that the file is of.

The file is readable by its owner only, and one that is there is never
overwritten. It is no secret to anybody but who may import keys into that vault.

Exit codes:
  0  the file is written
  1  it is not; the code on standard error says why

Examples:
  pulumi-keyvault byok --key signing.pem --passphrase-env SIGNING_PASS \\
    --kek https://contoso.vault.azure.net/keys/kek --out signing.byok
  pulumi-keyvault byok --key tls.pfx --passphrase-file tls.pass \\
    --vault https://contoso.vault.azure.net --kek kek --out tls.byok
  az keyvault key import --vault-name contoso --name orders-signing \\
    --byok-file signing.byok`;

export function registerByok(program: Command): void {
  program
    .command("byok")
    .summary("wrap a local key into a .byok file")
    .description("Wraps a local private key for the key exchange key of a vault, into a file that az can import.")
    .requiredOption("--key <file>", "the private key: PEM, OpenSSH, DER, PFX or JWK")
    .option("--passphrase-env <name>", "environment variable with its passphrase")
    .option("--passphrase-file <file>", "file with its passphrase")
    .requiredOption("--kek <id>", "id of the key exchange key, or its name in --vault")
    .option("--vault <url>", "vault of --kek, where that is a name (default: AZURE_KEYVAULT_URL)")
    .option("--kek-pem <file>", "public half of the key exchange key, to ask no vault")
    .requiredOption("--out <file>", "where the transfer blob is written")
    .option("--credential <name>", "as keyvault:credential (default: KEYVAULT_CREDENTIAL, else default)")
    .option("-q, --quiet", "print nothing")
    .addHelpText("after", HELP)
    .action(async (options: ByokOptions) => {
      const { runByok } = await import("./run-byok.js");
      await runByok(options);
    });
}
