#!/usr/bin/env node
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { engineAddressIn } from "../provider/engine/engine-address.js";
import { endWithEngine } from "../provider/engine/engine-loss.js";

/** The engine starts this with its own address, and reads the port to speak to from the first line. */
async function main(engineAddress: string | undefined): Promise<void> {
  endWithEngine();
  const { connectEngine } = await import("./engine-log.js");
  const { startProviderServer } = await import("./provider-service.js");
  const { outliveStrayErrors } = await import("./stray-errors.js");
  const port = await startProviderServer(packageVersion());
  outliveStrayErrors();
  process.stdout.write(`${port}\n`);
  connectEngine(engineAddress);
}

function packageVersion(): string {
  const manifest: unknown = JSON.parse(readFileSync(join(__dirname, "../../package.json"), "utf8"));
  const version: unknown = Object(manifest).version;
  return typeof version === "string" ? version : "0.0.0";
}

main(engineAddressIn(process.argv.slice(2))).catch((error: unknown) => {
  const isWithoutSdk = error instanceof Error && "code" in error && error.code === "MODULE_NOT_FOUND";
  process.stderr.write(
    isWithoutSdk
      ? "KV_INVALID_INPUT: pulumi-resource-keyvault finds no @pulumi/pulumi beside it: install both, as in `npm install pulumi-keyvault @pulumi/pulumi`\n"
      : `pulumi-resource-keyvault could not start: ${error instanceof Error ? error.message : "for an unknown reason"}\n`,
  );
  process.exitCode = 1;
});
