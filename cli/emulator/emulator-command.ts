import { type Command, InvalidArgumentError, Option } from "commander";
import type { EmulatorCommandOptions } from "./emulator-options.js";

const HELP = `
Serves keys and secrets, in all api-versions from 7.4 to 2026-04-01, on loopback
until SIGTERM or Ctrl-C. It protects nothing: never put a real key into it.

Standard output is what a shell can read: comments, and a line for each
environment variable that other tools need. --write-env writes the same to a
file once the vault answers, and takes it away at the end, unless it has been
changed. A file that is there is not overwritten without --force.

  AZURE_KEYVAULT_URL       the first vault: https://NAME.localhost:PORT where
                           such names resolve, as Azure's own clients need it,
                           else https://localhost:PORT, and a comment says which
                           switch of theirs takes that
  KEYVAULT_CREDENTIAL,     for pulumi-keyvault. Any bearer token is accepted: in
  KEYVAULT_TOKEN           Azure's clients a credential that returns this one
  NODE_EXTRA_CA_CERTS,     the certificate authority, for Node.js, for Python,
  REQUESTS_CA_BUNDLE,      and for OpenSSL and Go; none of them with --no-tls
  SSL_CERT_FILE

Further vaults answer on https://NAME.localhost:PORT.

Faults are KIND[,member=value...], where KIND is one of
  dropBefore, dropAfter, drop, cut, silence    the connection dies, or is silent
  status, throttled, conflict, parallelWrites, expiredToken,
  claims, html                                          another answer
  latency, slowBody, truncated, contentType, otherObject         a spoilt answer
Members choose requests (operation, method, path, name, vault), how many of them
(times, after, probability) and what happens (commits, status, code, innerCode,
message, retryAfterSeconds, milliseconds). docs/emulator.md says more.

--seed-from takes a JSON file { "keys": [...], "secrets": [...] } as
\`pulumi-keyvault inventory --format json\` writes it, or the URL of a vault,
whose names, kinds, attributes and tags are copied. Keys are made anew (RSA
where the JSON names no keyType) and secrets get the value "seeded", as material
cannot be copied.

Exit codes:
  0  stopped by SIGTERM, SIGINT or SIGHUP
  1  not started; the code on standard error says why

Examples:
  pulumi-keyvault emulator --store dev.vault --port 8443
  pulumi-keyvault emulator --vault orders --vault billing --timing recorded
  pulumi-keyvault emulator --fault dropAfter,operation=importKey,times=1
  pulumi-keyvault emulator --write-env emulator.env & # then: . ./emulator.env`;

export function registerEmulator(program: Command): void {
  program
    .command("emulator")
    .summary("serve an embedded vault on loopback")
    .description("Serves the embedded vault over HTTPS on loopback, for any tool that speaks to Key Vault.")
    .addOption(repeated("--vault <name>", "name of a vault; may be repeated", "emulator"))
    .addOption(new Option("--plane <plane>", "kind of vault").choices(["vault", "managedhsm"]).default("vault"))
    .addOption(
      new Option("--sku <tier>", "standard refuses HSM keys").choices(["standard", "premium"]).default("premium"),
    )
    .option("--store <file>", "keep the vaults in a SQLite file (default: memory)")
    .option("--port <number>", "port (default: any free one)", port)
    .addOption(
      new Option("--timing <mode>", "how long deletions, recoveries and purges take")
        .choices(["instant", "short", "recorded"])
        .default("short"),
    )
    .addOption(repeated("--fault <rule>", "let requests fail; may be repeated", "none"))
    .option("--throttling [scale]", "the service's limits, times scale (default: none)", scale)
    .option("--seed <text>", "of recorded timings and faults")
    .option("--seed-from <source>", "fill the first vault from a JSON file or another vault")
    .option("--credential <name>", "for --seed-from URL, as keyvault:credential")
    .option("--no-tls", "plain HTTP")
    .option("--ca-file <file>", "where the certificate authority is written (default: a temporary file)")
    .option("--write-env <file>", "write the environment lines to a file too, until the end")
    .option("--force", "overwrite the files of --write-env and --ca-file")
    .option("-q, --quiet", "print the environment lines only")
    .addHelpText("after", HELP)
    .action(async (options: EmulatorCommandOptions) => {
      const { runEmulator } = await import("./run-emulator.js");
      await runEmulator(options);
    });
}

function repeated(flags: string, description: string, otherwise: string): Option {
  return new Option(flags, description)
    .argParser((value: string, previous: string[]) => [...previous, value])
    .default([], otherwise);
}

function port(text: string): number {
  const number = Number(text);
  if (/^\d+$/.test(text) && number <= 65_535) return number;
  throw new InvalidArgumentError("A port is a number from 0 to 65535.");
}

function scale(text: string): number {
  const number = Number(text);
  if (number > 0 && number < Number.POSITIVE_INFINITY) return number;
  throw new InvalidArgumentError("A scale is a number above 0, such as 0.01 for a hundredth of the service's limits.");
}
