import { SecretOperations } from "./secret-operations.js";
import { type KeyVaultClientOptions, VaultConnection } from "./vault-connection.js";

export type { CallOptions, KeyVaultClientOptions, ListOptions } from "./vault-connection.js";

/**
 * A client of one vault's data plane, REST API 7.4: a method per operation of keys and secrets.
 *
 * Every method throws {@link KeyVaultError} and nothing else. Reads are repeated on 429, 5xx and failures of the transport; a write only where the service cannot
 * have accepted it. One client a vault: connections, challenge and limits are the client's, tokens are the credential's.
 *
 * Loading this module loads zod (some 30 ms); undici and `@azure/identity` come with the first request. Import it where a vault is about to be called.
 */
export class KeyVaultClient extends SecretOperations {
  readonly vaultUrl: string;
  readonly plane: "vault" | "managedhsm";

  constructor(options: KeyVaultClientOptions) {
    const connection = new VaultConnection(options);
    super(connection);
    this.vaultUrl = connection.vaultUrl;
    this.plane = connection.plane;
  }

  /** Closes the connections. Idle ones do not keep the process alive, so this is seldom needed. */
  close(): Promise<void> {
    return this.connection.close();
  }
}
