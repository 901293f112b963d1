import { isPublicThumbprint } from "../../provider/key/key-inputs.js";
import { type Difference, isObject, type Properties } from "./property-values.js";

/** What the program wants of a drifted resource, as far as the preview tells it. */
export interface NextStep {
  /** `Key`, `Secret`, `KeyBackup`, … */
  type: string;
  /** The engine's word: `update`, `create`, `same`, `delete`, `replace`; `none` or `unknown` without a step. */
  operation: string;
  /** The program's inputs; the recorded ones where the program could not be asked. */
  inputs: Properties;
  /** What an adoption found and the program leaves out. */
  found: unknown;
  /** A version was made outside whose value the refresh could not compare. */
  isUncompared?: boolean;
}

const PATCHED = new Set(["enabled", "notBefore", "expiresOn", "keyOps", "tags", "releasePolicy", "contentType"]);
const PATCHES: Record<string, string> = {
  tags: "patches the tags back",
  keyOps: "patches the key operations back",
  releasePolicy: "patches the release policy back",
};
const UNCLEARABLE = new Set(["expiresOn", "notBefore", "contentType"]);

/** What the next `pulumi up --refresh` does about one drifted property. */
export function consequenceOfChange(next: NextStep, { path }: Difference, all: readonly Difference[]): string {
  const root = path.split(/[.[]/)[0] ?? path;
  const general = generalConsequence(next);
  if (general !== undefined) return general;
  if (next.type === "KeyBackup" || next.type === "SecretBackup" || next.type === "VaultBackup") {
    return "takes the backup again";
  }
  if (next.type === "KeyInventory") {
    return next.inputs.onUnmanaged === "fail"
      ? 'fails where the key is unmanaged, as onUnmanaged is "fail"; else records the vault as it is'
      : "records the vault as it is now";
  }
  if (next.type !== "Key" && next.type !== "Secret") return "sets it to what the program says";
  if (root === "valueDigest" && next.inputs.generate !== undefined) return "generates another value as a new version";
  const isNoneOfProgram = (root === "thumbprint" || root === "valueDigest") && next.inputs[root] === undefined;
  if (isNoneOfProgram) return "takes it as it is: the program does not say what it is";
  if (root === "thumbprint") return "imports a new version from the program's material, which has to be at hand";
  if (root === "valueDigest") return "sets the program's value as a new version";
  if (root === "version") return consequenceOfVersion(next);
  if (root === "rotationPolicy") return "sets the rotation policy back";
  if (!PATCHED.has(root)) return "sets it to what the program says";
  const goesWithVersion = all.some(
    ({ path: other }) =>
      (other === "thumbprint" && next.inputs.thumbprint !== undefined) ||
      (other === "version" && next.isUncompared && (next.inputs.valueDigest ?? next.inputs.generate) !== undefined) ||
      (other === "valueDigest" && (next.inputs.valueDigest ?? next.inputs.generate) !== undefined),
  );
  if (goesWithVersion || (makesVersionOverForeign(next) && all.some((other) => other.path === "version"))) {
    return "sets it with the new version";
  }
  const target = next.inputs[root] ?? (isObject(next.found) ? next.found[root] : undefined);
  return UNCLEARABLE.has(root) && target === undefined ? clearing(next, root) : (PATCHES[root] ?? "patches it back");
}

function consequenceOfVersion(next: NextStep): string {
  if (next.type === "Secret" && next.isUncompared) {
    if (next.inputs.generate !== undefined)
      return "generates another value as a new version, unless it proves the same";
    if (next.inputs.valueDigest !== undefined)
      return "sets the program's value as a new version, unless it proves the same";
  }
  if (next.type === "Key" && next.inputs.generate !== undefined) {
    return "generates a new version, which becomes the current one";
  }
  if (makesVersionOverForeign(next))
    return "imports a new version from the program's material, which has to be at hand";
  return "takes the version as it is";
}

/** A generated key has no other material, and of a symmetric one nobody can see whether it is the same. */
function makesVersionOverForeign({ type, inputs: { generate, thumbprint } }: NextStep): boolean {
  if (type !== "Key") return false;
  return generate !== undefined || (typeof thumbprint === "string" && !isPublicThumbprint(thumbprint));
}

/** What the next `pulumi up --refresh` does about an object that is gone. */
export function consequenceOfLoss(next: NextStep, isRecoverable: boolean): string {
  const { type, inputs, operation } = next;
  if (operation === "none" || operation === "delete") return "drops it from state: the program has it no more";
  const { thumbprint, generate, restore, adopt, valueDigest, ifSoftDeleted } = inputs;
  if (isRecoverable && ifSoftDeleted === "fail" && restore === undefined) {
    return 'fails: ifSoftDeleted is "fail"; recover or purge it first';
  }
  const noun = type === "Secret" ? "secret" : "key";
  if (isRecoverable && generate !== undefined && noun === "key") return "recovers the key with its attributes set back";
  if (isRecoverable) return `recovers the ${noun} and sets what the program says`;
  if (thumbprint !== undefined) return "imports the key from the program's material, which has to be at hand";
  if (valueDigest !== undefined) return "sets the secret again, with the program's value";
  if (restore !== undefined) return `restores the ${noun} from its backup`;
  if (generate !== undefined && noun === "secret")
    return "generates another value: whoever has the lost one is left behind";
  if (generate !== undefined) return "generates another key: what the lost one encrypted stays unreadable";
  if (adopt !== undefined) return `fails: there is no ${noun} left to adopt`;
  return "creates it again";
}

function generalConsequence({ operation, inputs }: NextStep): string | undefined {
  if (operation === "same") return "nothing: the program agrees or ignores it, and state takes it over";
  if (operation === "none") return "nothing in this run: it is not among the targets, or the program has it no more";
  if (operation === "delete") return `removes the resource; onDelete is "${inputs.onDelete ?? "delete"}"`;
  if (/replace/.test(operation)) return "makes another one in its place, as the program changed its vault or name";
  return undefined;
}

/** The service can move these but not clear them. */
function clearing({ type, inputs }: NextStep, root: string): string {
  if (type === "Secret") {
    return `sets a new version without it, from the ${inputs.generate === undefined ? "program's value" : "value in the vault"}`;
  }
  if (inputs.rotationPolicy !== undefined && root === "expiresOn") {
    return isObject(inputs.rotationPolicy) && inputs.rotationPolicy.expireAfter !== undefined
      ? "moves it back to the rotation policy's moment"
      : "leaves it: the program has a rotation policy, and says no moment itself";
  }
  if (inputs.generate !== undefined) {
    return "fails for this key: only new key material would be without it; write it into the program, or change generate.keepers";
  }
  if (inputs.thumbprint !== undefined) {
    return "imports a new version without it, as the service cannot clear it; the material has to be at hand";
  }
  return "fails: the service cannot clear it; write it into the program, or move it";
}
