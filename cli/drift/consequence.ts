import type { PlannedAction, UpdatePlan } from "../../provider/object/update-plan.js";
import { propertiesTo } from "../../provider/object/update-plan.js";
import type { Properties } from "./property-values.js";

/** What comes next for a drifted resource, as far as the preview tells it. */
export interface NextStep {
  /** `Key`, `Secret`, `KeyBackup`, … */
  type: string;
  /** The engine's word: `update`, `create`, `same`, `delete`, `replace`; `none` or `unknown` without a step. */
  operation: string;
  /** The program's inputs; the recorded ones where the program could not be asked. */
  inputs: Properties;
  /** What the update does, by the function that the update asks; of a key or secret alone. */
  plan: UpdatePlan | undefined;
  /** What an inventory found and its program does not expect. */
  unmanaged: readonly string[];
}

/** Of what the program says by now, or ignores. */
export const SETTLED = "nothing: the program agrees or ignores it, and state takes it over";

/** What the next `pulumi up --refresh` does about one drifted property. */
export function consequenceOfChange(next: NextStep, path: string): string {
  const general = generalConsequence(next);
  if (general !== undefined) return general;
  const root = path.split(/[.[]/)[0] ?? path;
  if (next.type === "KeyBackup" || next.type === "SecretBackup" || next.type === "VaultBackup") {
    return "takes the backup again";
  }
  if (next.type === "KeyInventory" || next.type === "SecretInventory") return consequenceOfInventory(next);
  const action = next.plan?.get(root);
  return action === undefined || next.plan === undefined
    ? "sets it to what the program says"
    : CONSEQUENCES[action](root, next, next.plan);
}

/** The words for what the plan says: nothing is decided here. */
const CONSEQUENCES: Record<PlannedAction, (property: string, next: NextStep, plan: UpdatePlan) => string> = {
  patch: (property) => PATCHES[property] ?? "patches it back",
  newVersion: (property, { type, inputs }) => {
    if (type === "Secret") {
      const unless = property === "version" ? ", unless it proves the same" : "";
      return inputs.generate === undefined
        ? `sets the program's value as a new version${unless}`
        : `generates another value as a new version${unless}`;
    }
    if (inputs.generate !== undefined) return "generates a new version, which becomes the current one";
    return "imports a new version from the program's material, which has to be at hand";
  },
  versionWithout: (_property, { type, inputs }) =>
    type === "Secret"
      ? `sets a new version without it, from the ${inputs.generate === undefined ? "program's value" : "value in the vault"}`
      : "imports a new version without it, as the service cannot clear it; the material has to be at hand",
  withVersion: () => "sets it with the new version",
  policyMoment: () => "moves it back to the rotation policy's moment",
  policy: () => "sets the rotation policy back",
  take: (property) =>
    property === "version" ? "takes the version as it is" : "takes it as it is: the program does not say what it is",
  leave: () => "leaves it as it is: the service sets it by itself, or the program leaves it to the vault",
  refuse: (_property, { type, inputs }) => {
    if (type === "Secret") {
      return "fails for this secret: the vault does not show the generated value of a disabled version, which one without it would repeat; enable it, or change generate.keepers";
    }
    return inputs.generate !== undefined
      ? "fails for this key: only new key material would be without it; write it into the program, or change generate.keepers"
      : "fails for this key: the service cannot clear it; write it into the program, or move it";
  },
  blocked: (_property, { type }, plan) =>
    `nothing: the update of this ${type.toLowerCase()} fails because of ${propertiesTo(plan, "refuse").join(" and ")}`,
};

const PATCHES: Record<string, string> = {
  tags: "patches the tags back",
  keyOps: "patches the key operations back",
  releasePolicy: "patches the release policy back",
};

/** An inventory never changes the vault. It fails where the program says so and something is there that it does not expect. */
function consequenceOfInventory({ inputs, unmanaged }: NextStep): string {
  return inputs.onUnmanaged === "fail" && unmanaged.length > 0
    ? `fails: the program does not expect ${unmanaged.slice(0, 3).join(", ")}${unmanaged.length > 3 ? " and others" : ""}, and onUnmanaged is "fail"`
    : "records the vault as it is now";
}

/** What the next `pulumi up --refresh` does about an object that is gone. */
export function consequenceOfLoss(
  { type, inputs, operation }: Pick<NextStep, "type" | "inputs" | "operation">,
  isRecoverable: boolean,
): string {
  if (operation === "none" || operation === "delete") return "drops it from state: the program has it no more";
  const { thumbprint, generate, restore, adopt, valueDigest, ifSoftDeleted } = inputs;
  if (isRecoverable && ifSoftDeleted === "fail") {
    return 'fails: ifSoftDeleted is "fail"; recover or purge it first';
  }
  const noun = type === "Secret" ? "secret" : "key";
  if (isRecoverable && generate !== undefined && noun === "key") return "recovers the key with its attributes set back";
  if (isRecoverable) return `recovers the ${noun} and sets what the program says`;
  if (adopt !== undefined) return `fails: there is no ${noun} left to adopt`;
  if (thumbprint !== undefined) return "imports the key from the program's material, which has to be at hand";
  if (valueDigest !== undefined) return "sets the secret again, with the program's value";
  if (restore !== undefined) return `restores the ${noun} from its backup`;
  if (generate !== undefined && noun === "secret")
    return "generates another value: whoever has the lost one is left behind";
  if (generate !== undefined) return "generates another key: what the lost one encrypted stays unreadable";
  return "creates it again";
}

function generalConsequence({ type, operation, inputs }: NextStep): string | undefined {
  if (operation === "same") return SETTLED;
  if (operation === "none") return "nothing in this run: it is not among the targets, or the program has it no more";
  if (operation === "delete") {
    return /Backup$|Inventory$/.test(type)
      ? "removes the resource, and nothing of the vault"
      : `removes the resource; onDelete is "${inputs.onDelete ?? "delete"}"`;
  }
  if (/replace/.test(operation)) return "makes another one in its place, as the program changed its vault or name";
  return undefined;
}
