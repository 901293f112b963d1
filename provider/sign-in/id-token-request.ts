/** The address at which a pipeline gives its own token, and the token that asks for it. */
export interface IdTokenRequest {
  url: string;
  token: string;
}

/** As azurerm and azure-native find it; undefined where the environment has none. */
export function idTokenRequest(env: NodeJS.ProcessEnv): IdTokenRequest | undefined {
  const url = env.ARM_OIDC_REQUEST_URL || env.ACTIONS_ID_TOKEN_REQUEST_URL;
  const token = env.ARM_OIDC_REQUEST_TOKEN || env.ACTIONS_ID_TOKEN_REQUEST_TOKEN;
  return url && token ? { url, token } : undefined;
}
