import type { Properties } from "../engine/lifecycle.js";
import { publicKeyJwk, publicKeyOpenSsh, publicKeyPem } from "../material/public-key.js";
import { recordedKeyOps, recordedKeySize, recordedPublicJwk, recordedThumbprint } from "./key-outputs.js";
import { readKeyOutputs } from "./recorded-key.js";

/** All that a program can read of a key, and that follows from what state records. */
export function shownKey(outputs: Properties): Properties {
  const facts = readKeyOutputs(outputs);
  const jwk = recordedPublicJwk(facts);
  return {
    curve: facts.publicKey.curve,
    keySize: recordedKeySize(facts),
    keyOps: recordedKeyOps(facts),
    hardwareProtected: facts.keyType.endsWith("-HSM"),
    thumbprint: recordedThumbprint(facts),
    publicKeyPem: publicKeyPem(jwk),
    publicKeyJwk: publicKeyJwk(jwk),
    publicKeyOpenSsh: publicKeyOpenSsh(jwk),
  };
}
