import { randomUUID } from "node:crypto";
import type { Outcome } from "../server/outcome.js";
import type { Address } from "../server/vault-directory.js";
import { type AccessTokens, type Principal, tenant } from "./access-tokens.js";

const cloudAudiences = ["https://vault.azure.net", "https://managedhsm.azure.net"];
const missing = "AKV10000: Request is missing a Bearer, PoP, or MTLS_POP token.";
const unverified = "Unable to verify access token";
const expired = "AKV10034: Error validating token: the token is expired.";

/** Who calls, or the 401 for a request without a usable token, before anything else of it is looked at. */
export function challengeFor(
  tokens: AccessTokens,
  address: Address,
  authorization: string | undefined,
): Outcome | Principal {
  const given = /^(?:bearer|pop) +([^\s].*)$/i.exec(authorization?.trim() ?? "")?.[1];
  if (given === undefined) return challenge(address, missing);
  const token = tokens.read(given);
  if (token.expired) return challenge(address, expired);
  const audiences = [address.resource, ...cloudAudiences];
  if (token.audience !== undefined && !audiences.includes(token.audience)) {
    return challenge(
      address,
      address.vault.plane === "managedhsm"
        ? unverified
        : `AKV10022: Invalid audience. Expected ${address.resource}, found: ${token.audience}.`,
    );
  }
  const { trustedIssuers } = address.vault;
  if (trustedIssuers !== undefined && token.issuer !== undefined && !trustedIssuers.includes(token.issuer)) {
    return challenge(
      address,
      address.vault.plane === "managedhsm"
        ? unverified
        : `AKV10032: Invalid issuer. Expected one of ${trustedIssuers.join(", ")}, found ${token.issuer}.`,
    );
  }
  return { name: token.name };
}

export const expiredChallenge = (address: Address): Outcome => challenge(address, expired);

/** Continuous access evaluation: the token is good, and more is wanted of it. */
export function claimsChallenge(address: Address): Outcome {
  const claims = { access_token: { nbf: { essential: true, value: "1" } } };
  const encoded = Buffer.from(JSON.stringify(claims)).toString("base64");
  return {
    ...challenge(address, "AKV10000: The token does not meet the conditional access requirements."),
    headers: {
      "WWW-Authenticate": `Bearer realm="", authorization_uri="${authorityOf(address)}/oauth2/authorize", error="insufficient_claims", claims="${encoded}"`,
    },
  };
}

const authorityOf = ({ vault }: Address) =>
  `${vault.plane === "vault" ? "https://login.windows.net" : "https://login.microsoftonline.com"}/${tenant}`;

/** One shape in 35,000 recorded answers; a Managed HSM says only OK, unless it was given a token. */
function challenge(address: Address, message: string): Outcome {
  const onHsm = address.vault.plane === "managedhsm";
  const said = onHsm ? `${message} (Activity ID: ${randomUUID()})` : message;
  return {
    operation: "challenge",
    status: 401,
    headers: {
      "WWW-Authenticate": `Bearer authorization="${authorityOf(address)}", resource="${address.resource}"`,
    },
    ...(onHsm && message === missing ? { text: "OK" } : { body: { error: { code: "Unauthorized", message: said } } }),
  };
}
