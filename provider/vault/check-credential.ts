import type { InputCheck } from "../engine/input-check.js";
import { isUnknown } from "../engine/unknown.js";
import { vaultSettings } from "../engine/vault-settings.js";
import { CREDENTIAL_NAMES } from "../sign-in/credential.js";

/**
 * The `credential` of a resource: one of the known names, or that of an entry in the stack's `keyvault:credentials`.
 * Reports what is wrong with these settings too.
 */
export async function checkCredential(check: InputCheck): Promise<string | undefined> {
  const { credentials } = vaultSettings();
  const { names, problems } = await credentialSettings();
  for (const problem of problems) check.failUnnamed(problem);
  if (names === undefined) return undefined;
  const credential = check.text("credential", { what: "the name of a credential" });
  if (credential === undefined || isUnknown(credential) || names.includes(credential)) return credential;
  check.failUnnamed(
    `credential must be ${credentials === undefined ? "the name of an entry in keyvault:credentials, or " : ""}one of ${names.join(", ")}`,
  );
  return undefined;
}

/** The names that a `credential` can have, unless the settings cannot be read, and what is wrong with these. */
export async function credentialSettings(): Promise<{ names: string[] | undefined; problems: string[] }> {
  const { credentials, credential } = vaultSettings();
  const names: string[] = [...CREDENTIAL_NAMES];
  if (credentials !== undefined) {
    const { readCredentialEntries } = await import("../sign-in/credential-entries.js");
    const { entries, problems } = readCredentialEntries(credentials, CREDENTIAL_NAMES);
    if (problems.length > 0) return { names: undefined, problems };
    names.push(...entries.keys());
  }
  return {
    names,
    problems: names.includes(credential) ? [] : [`keyvault:credential is none of ${names.join(", ")}`],
  };
}
