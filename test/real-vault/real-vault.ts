import { livesIn } from "./vault-life.js";

// KEYVAULT_URL=https://NAME.vault.azure.net npm run test:vault, signed in as the provider signs in (KEYVAULT_CREDENTIAL).
const { KEYVAULT_URL = "" } = process.env;
if (KEYVAULT_URL === "")
  throw new Error("KEYVAULT_URL names no vault: the suite makes and removes keys and secrets in it");

livesIn(`in ${KEYVAULT_URL}`, () => KEYVAULT_URL);
