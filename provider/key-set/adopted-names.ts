import { isKeyVaultError } from "../keyvault/errors.js";
import { vaultClient } from "../vault/vault-access.js";

/** A page of the list holds so many: fewer keys are asked for one by one. */
const FEW = 25;

/**
 * Looks for the keys that a set is to adopt, in the vault's list where they are many. What it does not find there, and
 * what a certificate owns, is looked for as a Key of its own would be.
 */
export class AdoptedNames {
  readonly #count: number;
  #listed: Promise<ReadonlySet<string>> | undefined;

  /** @param count how many keys are to be adopted at most. */
  constructor(count: number) {
    this.#count = count;
  }

  async has(address: { vaultUrl: string; credential?: string | undefined; name: string }): Promise<boolean> {
    if (this.#count <= FEW) return false;
    this.#listed ??= namesIn(address);
    return (await this.#listed).has(address.name.toLowerCase());
  }
}

async function namesIn(vault: { vaultUrl: string; credential?: string | undefined }): Promise<ReadonlySet<string>> {
  const names = new Set<string>();
  const client = await vaultClient(vault);
  try {
    for await (const item of client.getKeys({ onOddLine: () => {} }))
      if (!item.managed) names.add(item.name.toLowerCase());
  } catch (error) {
    // Whoever may not list may get: each key is asked for by its name.
    if (!isKeyVaultError(error, "KV_FORBIDDEN")) throw error;
  }
  return names;
}
