import { readFileSync } from "node:fs";
import * as pulumi from "@pulumi/pulumi";
import { keysOf } from "./keys.js";

// The program of one stack for the Pulumi command line, and with it for `pulumi-keyvault drift --stack eu uk …`.
// `node fleet.js up` runs the same for all of them.

/** @type {Record<string, string>} */
const vaults = JSON.parse(readFileSync(new URL("vaults.json", import.meta.url), "utf8"));
const vaultUrl = vaults[pulumi.getStack()];
if (vaultUrl === undefined) throw new Error(`vaults.json has no vault for the stack ${pulumi.getStack()}`);

export const { signing, wrapping, backup } = keysOf(vaultUrl);
