import { describeValue } from "../engine/described-value.js";
import { vaultSettings } from "../engine/vault-settings.js";
import type { KeyVaultClient, PageOptions } from "../keyvault/client.js";
import { KeyVaultError } from "../keyvault/errors.js";
import { parseVaultUrl } from "../keyvault/identifier.js";
import type { TokenSource } from "../keyvault/token-source.js";
import type { AccessTokenSource, ListedVault } from "./listed-vault.js";
import { vaultClient } from "./vault-access.js";
import { EMBEDDED, isEmbedded, isHomePath } from "./vault-identity.js";

/** Lists one vault. Nothing is asked before the first item is; each `for await` is a listing of its own. */
export function listing<T>(
  vault: ListedVault,
  list: (client: KeyVaultClient, options: PageOptions) => AsyncIterable<T>,
): AsyncIterable<T> {
  return {
    async *[Symbol.asyncIterator]() {
      const client = await listedClient(vault);
      yield* list(client, { signal: vault.signal });
    },
  };
}

/** @throws KeyVaultError `KV_INVALID_INPUT` where no vault is named, or what names it is no URL of one. */
export async function listedClient({ vaultUrl, credential }: ListedVault): Promise<KeyVaultClient> {
  const url = listedVaultUrl(vaultUrl);
  if (credential === undefined || credential === null) return vaultClient({ vaultUrl: url });
  if (typeof credential === "string") return vaultClient({ vaultUrl: url, credential });
  if (typeof (credential as { getToken?: unknown }).getToken !== "function") {
    throw new KeyVaultError("KV_INVALID_INPUT", `The credential is ${describeValue(credential)}`, {
      hint: "give the name of one, or a credential of @azure/identity (it has a method getToken).",
    });
  }
  return vaultClient({ vaultUrl: url, credential: await sourceOf(credential) });
}

/** The vault's URL in normal form. */
export function listedVaultUrl(given: unknown = vaultSettings().vaultUrl): string {
  if (given === undefined || given === null || given === "") {
    throw new KeyVaultError("KV_INVALID_INPUT", "No vault is named", {
      hint: "give its URL, or set keyvault:vaultUrl in the stack's configuration, or AZURE_KEYVAULT_URL.",
    });
  }
  if (typeof given !== "string") {
    throw new KeyVaultError("KV_INVALID_INPUT", "The vault's URL is not text", {
      hint: "an Output is known only later: list inside of its apply.",
    });
  }
  if (isHomePath(given)) {
    throw new KeyVaultError("KV_INVALID_INPUT", "A shell reads ~, a program does not", {
      hint: "give the path of the embedded vault without it.",
    });
  }
  return isEmbedded(given) && given.length > EMBEDDED.length ? given : parseVaultUrl(given);
}

const sources = new WeakMap<AccessTokenSource, TokenSource>();

/** One source for a credential, so that its clients and tokens are found again. */
async function sourceOf(credential: AccessTokenSource): Promise<TokenSource> {
  const known = sources.get(credential);
  if (known) return known;
  const { fromTokenCredential } = await import("../sign-in/credential.js");
  const source = fromTokenCredential(credential);
  sources.set(credential, source);
  return source;
}
