import { fileURLToPath } from "node:url";
import * as pulumi from "@pulumi/pulumi";
import { keysOf } from "./keys.js";
import { vaultsIn } from "./vaults.js";

// The program of one stack for the Pulumi command line, and with it for `pulumi-keyvault drift --stack eu uk …`.
// `node fleet.js up` runs the same for all of them, and `node fleet.js drift` says which file of vaults it was given.

const file = process.env.FLEET_VAULTS ?? fileURLToPath(new URL("vaults.json", import.meta.url));

function vaultOfStack() {
  try {
    const vaultUrl = vaultsIn(file).get(pulumi.getStack());
    if (vaultUrl !== undefined) return vaultUrl;
  } catch (error) {
    throw new pulumi.RunError(error instanceof Error ? error.message : String(error));
  }
  throw new pulumi.RunError(`${file} has no vault for the stack ${pulumi.getStack()}: name it there`);
}

export const { signing, wrapping, backup } = keysOf(vaultOfStack());
