import { formatMoment } from "../../provider/engine/moment.js";
import { isKeyVaultError, type KeyVaultError } from "../../provider/keyvault/errors.js";
import { chosenSignIn } from "../../provider/sign-in/credential.js";
import type { Check } from "./diagnosis.js";
import type { Observations, ObservedClient } from "./observed-client.js";
import { describeIdentity } from "./token-claims.js";

/** Tokens are good from five minutes before to five minutes after, and a write's answer is dated. */
const LARGE_DIFFERENCE_MS = 60_000;
const REFUSED_DIFFERENCE_MS = 300_000;

/** Asks the vault one thing that anybody may be refused, and tells by what went by how far it came. */
export async function lookAtVault({ client, observations }: ObservedClient, credential: string): Promise<Check[]> {
  const failure = await firstAnswer(client);
  return [
    credentialCheck(credential, observations, failure),
    tokenCheck(observations, failure),
    firewallCheck(client.vaultUrl, observations, failure),
    answerCheck(observations, failure),
    clockCheck(observations),
  ];
}

async function firstAnswer(client: ObservedClient["client"]): Promise<KeyVaultError | undefined> {
  try {
    for await (const _first of client.getKeys({ maxPageSize: 1 })) break;
    return undefined;
  } catch (error) {
    if (!isKeyVaultError(error)) throw error;
    return error;
  }
}

function credentialCheck(name: string, seen: Observations, failure: KeyVaultError | undefined): Check {
  const check = "credential";
  const chosen = chosenSignIn(name);
  const way = chosen === name ? name : `${name}, which is ${chosen} by the ARM_* variables`;
  const chain = seen.answeredBy === undefined ? "" : `, answered by ${seen.answeredBy}`;
  if (seen.hasToken) {
    const who = seen.claims === undefined ? "whose token does not tell who it is" : describeIdentity(seen.claims);
    return { check, result: "ok", found: `${way}${chain}: ${who}` };
  }
  const isAsked = seen.resource !== undefined || failure?.code === "KV_UNAUTHENTICATED";
  if (isAsked && failure !== undefined) {
    return { check, result: "failed", found: `${way}: ${failure.message}`, code: failure.code };
  }
  if (failure === undefined) return { check, result: "ok", found: `${way}: the server asks for no token` };
  return { check, result: "skipped", found: `${way}: the vault did not come to ask for a token` };
}

function tokenCheck({ hasToken, claims, resource, tenantId }: Observations, failure: KeyVaultError | undefined): Check {
  const check = "token";
  if (!hasToken) return { check, result: "skipped", found: "there is none" };
  const until = claims?.expiresOn === undefined ? "" : `, until ${formatMoment(claims.expiresOn)}`;
  const found = claims?.audience === undefined ? `of a form of its own${until}` : `for ${claims.audience}${until}`;
  const problem = (what: string, remedy: string): Check => ({
    check,
    result: "failed",
    found: `${found}: ${what}`,
    remedy,
    ...(failure === undefined ? {} : { code: failure.code }),
  });
  if (claims?.expiresOn !== undefined && claims.expiresOn.getTime() <= Date.now()) {
    return problem("it has expired", "get a new one; where it is fresh, look at the clock of this machine");
  }
  if (failure?.code !== "KV_UNAUTHENTICATED") return { check, result: "ok", found };
  if (claims?.tenant !== undefined && tenantId !== undefined && claims.tenant !== tenantId && isGuid(tenantId)) {
    return problem(
      `it is of tenant ${claims.tenant}, and the vault is of tenant ${tenantId}`,
      `sign in there: az login --tenant ${tenantId}`,
    );
  }
  return problem(
    `the vault refuses it: ${failure.message}`,
    resource === undefined ? "check the identity and the clock" : `get a token for ${resource}, of the vault's tenant`,
  );
}

function firewallCheck(vaultUrl: string, { answered }: Observations, failure: KeyVaultError | undefined): Check {
  const check = "firewall";
  const refusal = { check, result: "failed", code: "KV_FORBIDDEN" } as const;
  const [name] = new URL(vaultUrl).hostname.split(".");
  if (failure?.innerCode === "ForbiddenByConnection") {
    return {
      ...refusal,
      innerCode: failure.innerCode,
      found: "public access is off, and this connection came over the public network",
      remedy: "run where the vault's private endpoint is, and where its name resolves to it (docs/network.md)",
    };
  }
  if (failure?.innerCode === "ForbiddenByFirewall") {
    const address = /Client address: ([0-9a-f.:]{3,45})/i.exec(failure.message)?.[1];
    const isPerimeter = /\bNSP\b/.test(failure.message);
    return {
      ...refusal,
      innerCode: failure.innerCode,
      found: `this address${address === undefined ? "" : `, ${address},`} is not let in${isPerimeter ? " by the network security perimeter" : ""}`,
      remedy: isPerimeter
        ? "an inbound rule of the perimeter for this address, or run inside it"
        : `az keyvault network-rule add --name ${name} --ip-address ${address ?? "ADDRESS"}; or run inside an allowed network`,
    };
  }
  if (!answered) return { check, result: "skipped", found: "nothing answered" };
  if (failure !== undefined && failure.code !== "KV_FORBIDDEN") {
    return { check, result: "skipped", found: "not known: it is asked after the token" };
  }
  return { check, result: "ok", found: "lets this address in" };
}

function answerCheck({ answered, resource }: Observations, failure: KeyVaultError | undefined): Check {
  const check = "answer";
  const isOfVault =
    failure === undefined || failure.code === "KV_FORBIDDEN" || (failure.code === "KV_UNAUTHENTICATED" && resource);
  if (isOfVault) return { check, result: "ok", found: "a vault answers" };
  return {
    check,
    result: "failed",
    found: failure.message,
    code: failure.code,
    ...(answered ? {} : { remedy: "see name, connection and tls" }),
  };
}

function clockCheck({ clockDifferenceMs }: Observations): Check {
  const check = "clock";
  if (clockDifferenceMs === undefined) return { check, result: "skipped", found: "no answer told the time" };
  const apart = Math.abs(clockDifferenceMs);
  if (apart < LARGE_DIFFERENCE_MS) return { check, result: "ok", found: "within a minute of the vault's" };
  const found = `this machine is ${Math.round(apart / 1000)} seconds ${clockDifferenceMs > 0 ? "behind" : "ahead of"} the vault`;
  const remedy = "set the clock (on Linux: timedatectl set-ntp true); tokens are refused from five minutes on";
  return { check, result: apart < REFUSED_DIFFERENCE_MS ? "warning" : "failed", found, remedy };
}

function isGuid(text: string): boolean {
  return /^[0-9a-f-]{36}$/i.test(text);
}
