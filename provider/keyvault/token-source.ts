/** Where bearer tokens come from. */
export interface TokenSource {
  getToken(
    scope: string,
    options: { tenantId?: string; claims?: string; signal?: AbortSignal },
  ): Promise<{ token: string; expiresOn: Date }>;
}
