/** The shape of every credential of `@azure/identity`, so that one can be given without this package naming its types. */
export interface AccessTokenSource {
  getToken(
    scopes: string | string[],
    options?: { tenantId?: string; claims?: string; enableCae?: boolean; abortSignal?: AbortSignal },
  ): Promise<{ token: string; expiresOnTimestamp: number } | null>;
}

/** Which vault a listing is of, and who asks. */
export interface ListedVault {
  /** Default: `AZURE_KEYVAULT_URL`. */
  vaultUrl?: string | undefined;
  /** A name as `keyvault:credential` takes it, or a credential. Default: `KEYVAULT_CREDENTIAL`, else `default`. */
  credential?: string | AccessTokenSource | undefined;
  /** Ends the listing early, with `KV_TIMEOUT`. */
  signal?: AbortSignal | undefined;
}
