/** Where bearer tokens come from. */
export interface TokenSource {
  getToken(
    scope: string,
    options: {
      tenantId?: string;
      claims?: string;
      /** The resource that the token has to be for, where that can be told; a source that is given its tokens checks them. */
      audience?: string;
      signal?: AbortSignal;
    },
  ): Promise<{ token: string; expiresOn: Date }>;
}
