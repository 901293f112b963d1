import { type AccessTokens, tenant } from "./access-tokens.js";
import type { Outcome } from "./request-pipeline.js";
import type { Address } from "./vault-directory.js";

const cloudAudiences = ["https://vault.azure.net", "https://managedhsm.azure.net"];

/** The 401 that a request without a usable token gets, before anything else of it is looked at. */
export function challengeFor(
  tokens: AccessTokens,
  address: Address,
  authorization: string | undefined,
): Outcome | undefined {
  const given = /^(?:bearer|pop) +([^\s].*)$/i.exec(authorization?.trim() ?? "")?.[1];
  if (given === undefined) return challenge(address, "AKV10000: Request is missing a Bearer or PoP token.");
  const token = tokens.read(given);
  if (token.expired) return challenge(address, "AKV10034: Error validating token: the token is expired.");
  const audiences = [address.resource, ...cloudAudiences];
  if (token.audience !== undefined && !audiences.includes(token.audience)) {
    return challenge(address, `AKV10022: Invalid audience. Expected ${address.resource}, found: ${token.audience}.`);
  }
  return undefined;
}

/** One shape in 35,000 recorded answers; a Managed HSM says only OK. */
function challenge(address: Address, message: string): Outcome {
  const onVault = address.vault.plane === "vault";
  const authority = onVault ? "https://login.windows.net" : "https://login.microsoftonline.com";
  return {
    operation: "challenge",
    status: 401,
    headers: {
      "WWW-Authenticate": `Bearer authorization="${authority}/${tenant}", resource="${address.resource}"`,
    },
    ...(onVault ? { body: { error: { code: "Unauthorized", message } } } : { text: "OK" }),
  };
}
