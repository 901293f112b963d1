import { type KeyOperations, keyOperations } from "./key-operations.js";
import { type KeyUseOperations, keyUseOperations } from "./key-use-operations.js";
import { type SecretOperations, secretOperations } from "./secret-operations.js";
import { type KeyVaultClientOptions, VaultConnection } from "./vault-connection.js";

export type { CallOptions, KeyVaultClientOptions, PageOptions } from "./vault-connection.js";

/**
 * A client of one vault's data plane, REST API 7.4: a method per operation of keys, of their use, and of secrets.
 *
 * Every method throws {@link KeyVaultError} and nothing else. Reads are repeated on 429, 5xx and failures of the transport; a write only where the service cannot
 * have accepted it, and one that makes a version or an object not after 429 either. One client a vault: connections, challenge and limits are the client's, tokens
 * are the credential's.
 *
 * Loading this module loads zod (some 30 ms); undici and `@azure/identity` come with the first request. Import it where a vault is about to be called.
 */
// biome-ignore lint/suspicious/noUnsafeDeclarationMerging: the constructor puts in every operation
export class KeyVaultClient {
  readonly vaultUrl: string;
  readonly plane: "vault" | "managedhsm";
  /** What the operations are composed around, for operations that this client does not have. */
  readonly connection: VaultConnection;

  constructor(options: KeyVaultClientOptions) {
    this.connection = new VaultConnection(options);
    this.vaultUrl = this.connection.vaultUrl;
    this.plane = this.connection.plane;
    Object.assign(
      this,
      keyOperations(this.connection),
      keyUseOperations(this.connection),
      secretOperations(this.connection),
    );
  }

  /** Closes the connections. Idle ones do not keep the process alive, so this is seldom needed. */
  close(): Promise<void> {
    return this.connection.close();
  }
}

export interface KeyVaultClient extends KeyOperations, KeyUseOperations, SecretOperations {}
