import { vaultSettings } from "../../provider/engine/vault-settings.js";
import { parseChallenge } from "../../provider/keyvault/challenge.js";
import { KeyVaultClient } from "../../provider/keyvault/client.js";
import { socketDispatch } from "../../provider/keyvault/socket-dispatch.js";
import type { TokenSource } from "../../provider/keyvault/token-source.js";
import { tokenSource } from "../../provider/sign-in/credential.js";
import { readTokenClaims, type TokenClaims } from "./token-claims.js";

/** What went by while a client worked. */
export interface Observations {
  /** Whether anything answered at all. */
  answered: boolean;
  /** The vault's clock less this machine's, in milliseconds; undefined where no answer told the time. */
  clockDifferenceMs?: number;
  /** What the vault's challenge asks for. */
  resource?: string;
  tenantId?: string;
  /** Whether a token was got. */
  hasToken: boolean;
  claims?: TokenClaims;
  /** Of DefaultAzureCredential, which of its chain answered. */
  answeredBy?: string;
}

export interface ObservedClient {
  client: KeyVaultClient;
  observations: Observations;
  close(): Promise<void>;
}

/** The client of the provider, watched from both sides: what the vault answers, and what token it is given. */
export async function observedClient(vaultUrl: string, credential: string, timeoutMs: number): Promise<ObservedClient> {
  const { credentials: entries, allowedDomains, apiVersion } = vaultSettings();
  const observations: Observations = { answered: false, hasToken: false };
  const socket = socketDispatch(vaultUrl);
  const source = await tokenSource(credential, { entries });
  const client = new KeyVaultClient({
    vaultUrl,
    credential: watched(source, observations),
    allowedDomains,
    apiVersion,
    timeoutMs,
    async dispatch(request) {
      const sentAt = Date.now();
      const response = await socket.dispatch(request);
      observations.answered = true;
      const told = Date.parse(response.headers.date ?? "");
      // The header has whole seconds, and was written at some time in between.
      if (!Number.isNaN(told)) observations.clockDifferenceMs = told + 500 - (sentAt + Date.now()) / 2;
      const challenge = response.status === 401 ? parseChallenge(response.headers["www-authenticate"]) : undefined;
      if (challenge?.resource !== undefined) observations.resource = challenge.resource;
      if (challenge?.tenantId !== undefined) observations.tenantId = challenge.tenantId;
      return response;
    },
  });
  return { client, observations, close: () => socket.close() };
}

function watched(source: TokenSource, observations: Observations): TokenSource {
  return {
    async getToken(scope, options) {
      const answer = await whoAnswers(observations, () => source.getToken(scope, options));
      observations.hasToken = true;
      const claims = readTokenClaims(answer.token);
      if (claims !== undefined) observations.claims = claims;
      return answer;
    },
  };
}

/** The SDK tells only its log which credential of the chain had the token. Nothing else of the log is kept. */
async function whoAnswers<T>(observations: Observations, act: () => Promise<T>): Promise<T> {
  const { logger } = await import("@azure/identity");
  const { enabled, log } = logger.info;
  logger.info.enabled = true;
  logger.info.log = (...parts: unknown[]) => {
    const name = /Result for (\w{1,60}): SUCCESS/.exec(parts.map(String).join(" "))?.[1];
    if (name !== undefined) observations.answeredBy = name;
  };
  try {
    return await act();
  } finally {
    logger.info.enabled = enabled;
    logger.info.log = log;
  }
}
