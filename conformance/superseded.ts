import type { ErrorAnswer } from "./json.js";
import type { RecordedOperation } from "./operation.js";

const recoverHelp = "https://go.microsoft.com/fwlink/?linkid=2125182";
const policyHelp = "https://go.microsoft.com/fwlink/?linkid=2125287";

const notFound = (noun: string, id: string) =>
  `A ${noun.toLowerCase()} with (name/id) ${id} was not found in this key vault. If you recently deleted this ${noun.toLowerCase()} you may be able to recover it using the correct recovery command. For help resolving this issue, please see ${recoverHelp}`;

interface Superseded {
  /** The old text, and what the service says in its place today. */
  old: RegExp;
  now(match: RegExpExecArray, operation: RecordedOperation): Partial<ErrorAnswer>;
  /** Only where the service that answered is a vault. */
  vaultOnly?: boolean;
}

/** Texts (and codes) that the service changed: the newest wording is the one to meet. */
const changes: Superseded[] = [
  {
    old: /^(?:AKV10000: )?Request is missing a Bearer or PoP token\.$/,
    now: () => ({ message: "AKV10000: Request is missing a Bearer, PoP, or MTLS_POP token." }),
  },
  {
    old: /^(Key|Secret) not found: (?!https?:)(.+)$/,
    vaultOnly: true,
    now: ([, noun = "", id = ""]) => ({ message: notFound(noun, id) }),
  },
  {
    old: /^(Key|Secret) (\S+) not found$/,
    vaultOnly: true,
    now: ([, noun = "", id = ""]) => ({ message: notFound(noun, id) }),
  },
  {
    old: /^Conflict while restoring (key|secret) (\S+) - (?:key|secret) already exists or concurrent access$/,
    now: ([, it = "", id = ""]) => ({
      message: `There was a conflict restoring the ${it} '${id}'. This can happen if either: a second ${it} with the same name was created after the first ${it} was deleted; thus trying to restore a ${it} whose name is already in use. To fix this, rename the second ${it} to something else so that the restore works. The second probable cause of this exception is when multiple operations are performed in parallel against the ${it}. To avoid this error, perform operations against a ${it} in a sequential manner.`,
    }),
  },
  {
    old: /^Operation "(\w+)" is not allowed as this object's lifetime is managed by Key Vault\.$/,
    now: ([text, verb = ""], { collection }) =>
      collection === "keys"
        ? { message: text }
        : {
            message: `Operation "${verb}" is not allowed on this secret, since it is associated with a certificate. Perform the operation on the corresponding certificate. For more information refer to https://docs.microsoft.com/en-us/azure/key-vault/certificates/about-certificates#composition-of-a-certificate`,
          },
  },
  {
    old: /^Operation is not allowed\.\s+Operation: "(\w+)"\s+Caller: (.*?)\s+Vault: (.*)$/s,
    now: ([, permission = "", caller = "", vault = ""], { collection }) => ({
      message: `The user, group or application '${caller}' does not have ${collection} ${permission} permission on key vault '${vault}'. For help resolving this issue, please see ${policyHelp}`,
    }),
  },
  {
    old: /^get operation not permitted$/,
    now: () => ({ message: "Operation get is not allowed on a disabled secret." }),
  },
  // A quotation that lost one of the two spaces: the name of the property is empty.
  {
    old: /^(?:Property has invalid value\s*)+$/,
    now: ([text]) => ({ message: "Property  has invalid value\n".repeat(text.split("Property").length - 1) }),
  },
];

/** Inner codes by the texts that they go with today. */
const innerCodes: { text: RegExp; innerCode: string }[] = [
  {
    text: /^The user, group or application '.*' does not have \w+ \w+ permission on key vault /s,
    innerCode: "AccessDenied",
  },
  { text: /^Operation \w+ is not permitted on this key\.$/, innerCode: "KeyOperationForbidden" },
  { text: /^Operation \w+ is not allowed on a disabled key\.$/, innerCode: "KeyDisabled" },
  { text: /^Operation get is not allowed on a disabled secret\.$/, innerCode: "SecretDisabled" },
];

/** The answer as today's service gives it. */
export function asToday(answer: ErrorAnswer, operation: RecordedOperation, plane: "vault" | "managedhsm"): ErrorAnswer {
  if (plane === "managedhsm" && operation.kind === "getDeleted" && answer.code === "KeyNotFound") {
    // No two builds of the HSM agree on this sentence.
    return { ...answer, message: `Deleted Key not found: ${operation.name} (Activity ID: any)` };
  }
  let today = operation.kind === "purge" || operation.kind === "recover" ? withoutDeleted(answer) : answer;
  for (const { old, now, vaultOnly } of changes) {
    if (vaultOnly === true && plane !== "vault") continue;
    const match = old.exec(today.message);
    if (match !== null) {
      today = { ...today, ...now(match, operation) };
      break;
    }
  }
  const known = innerCodes.find(({ text }) => text.test(today.message));
  return known === undefined ? today : { ...today, innerCode: known.innerCode };
}

/** A purge and a recovery of nothing speak of the object today, not of the deleted object. */
const withoutDeleted = (answer: ErrorAnswer): ErrorAnswer => ({
  ...answer,
  message: answer.message.replace(/^Deleted (Key|Secret) not found: /, "$1 not found: "),
});

/** What MHSM builds of 2021 refused and the ones since then do: their refusal says nothing about today. */
export function isSupersededRefusal(answer: ErrorAnswer | undefined, plane: "vault" | "managedhsm"): boolean {
  return (
    plane === "managedhsm" && answer?.code === "NotSupported" && /^action '\w+' not supported/.test(answer.message)
  );
}
