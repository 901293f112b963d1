import type { InputCheck } from "../engine/input-check.js";
import { isUnknown } from "../engine/unknown.js";
import { vaultSettings } from "../engine/vault-settings.js";
import { CREDENTIAL_NAMES } from "../sign-in/credential.js";

/**
 * The `credential` of a resource: one of the known names, or that of an entry in the stack's `keyvault:credentials`.
 * Reports what is wrong with these settings too.
 */
export async function checkCredential(check: InputCheck): Promise<string | undefined> {
  const { credentials, credential: ofStack } = vaultSettings();
  const names: string[] = [...CREDENTIAL_NAMES];
  if (credentials !== undefined) {
    const { readCredentialEntries } = await import("../sign-in/credential-entries.js");
    const { entries, problems } = readCredentialEntries(credentials, CREDENTIAL_NAMES);
    for (const problem of problems) check.failUnnamed(problem);
    if (problems.length > 0) return undefined;
    names.push(...entries.keys());
  }
  if (!names.includes(ofStack)) check.failUnnamed(`keyvault:credential is none of ${names.join(", ")}`);
  const credential = check.text("credential", { what: "the name of a credential" });
  if (credential === undefined || isUnknown(credential) || names.includes(credential)) return credential;
  check.failUnnamed(
    `credential must be ${credentials === undefined ? "the name of an entry in keyvault:credentials, or " : ""}one of ${names.join(", ")}`,
  );
  return undefined;
}
