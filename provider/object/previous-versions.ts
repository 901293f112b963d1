import { PartialFailure, type Properties } from "../engine/lifecycle.js";
import { KeyVaultError } from "../keyvault/errors.js";
import { ifPresent } from "./operation-deadline.js";
import type { ListedVersion, VaultObject } from "./vault-object.js";
import { writeOnce } from "./write-once.js";

/** What becomes of the version before when the program makes another. Default: `keep`. */
export const PREVIOUS_VERSIONS = ["keep", "disable"] as const;

/** What decides it: a program that gives no source of its own makes no version, and disables none. */
interface DecidingInputs {
  previousVersions?: "disable";
  generate?: unknown;
  thumbprint?: string;
  valueDigest?: string;
}

export function disablesPrevious({ previousVersions, generate, thumbprint, valueDigest }: DecidingInputs): boolean {
  return previousVersions === "disable" && (generate ?? thumbprint ?? valueDigest) !== undefined;
}

/**
 * The versions that a refresh leaves to the next update to disable: the recorded one, where another has taken its place.
 * A run that was cut off may have made it, and not come to disabling the one before.
 */
export function supersededBy(
  recorded: DecidingInputs & { version: string; superseded?: string[] },
  current: string,
): { superseded?: string[] } {
  if (!disablesPrevious(recorded)) return {};
  const left = new Set(recorded.superseded);
  if (recorded.version !== current) left.add(recorded.version);
  left.delete(current);
  return left.size > 0 ? { superseded: [...left] } : {};
}

export interface Superseded {
  id: string;
  /** What state is to hold. */
  outs: Properties;
  superseded: Iterable<string>;
  /** Whether the version in `outs` is of this very run. Else the vault is looked at: it may have been restored since. */
  isJustMade: boolean;
}

/**
 * Disables the versions that another has taken the place of, once that is there: at no moment is none enabled. What is
 * left where one cannot be disabled is recorded, and the next update goes on with it.
 *
 * @throws PartialFailure
 */
export async function disableSuperseded(
  object: VaultObject,
  { id, outs, superseded, isJustMade }: Superseded,
): Promise<Properties> {
  const left = new Set(superseded);
  left.delete(String(outs.version));
  try {
    if (left.size > 0 && !isJustMade) await unlessCurrent(object, left);
    for (const version of [...left]) {
      await disableVersion(object, version);
      left.delete(version);
    }
  } catch (error) {
    throw new PartialFailure(id, { ...outs, superseded: [...left] }, error);
  }
  return outs;
}

/** The current version is never disabled here, whatever state says. */
async function unlessCurrent(object: VaultObject, versions: ReadonlySet<string>): Promise<void> {
  const current = await object.current();
  if (current === undefined || !versions.has(current.version)) return;
  throw new KeyVaultError(
    "KV_CONFLICT",
    `version ${current.version} of ${object.label} was to be disabled, and is the current one by now`,
    { hint: "run `pulumi up --refresh`, which records the version that is there" },
  );
}

/** Disabling twice changes nothing; a version that is gone with its object has nothing left to disable. */
async function disableVersion(object: VaultObject, version: string): Promise<void> {
  const { deadline, label } = object;
  const lookAgain = () => unlessCurrent(object, new Set([version]));
  await deadline.whileBusy(`${label} to be free`, () =>
    ifPresent(
      writeOnce<unknown>({
        what: `the disabling of version ${version} of ${label}`,
        deadline,
        send: () => object.disable(version, lookAgain),
        look: async () => {
          const found = await listedVersion(object, version);
          return found?.enabled === true ? undefined : "disabled or gone";
        },
      }),
    ),
  );
}

async function listedVersion(object: VaultObject, version: string): Promise<ListedVersion | undefined> {
  for await (const item of object.versions()) if (item.version === version) return item;
  return undefined;
}

/**
 * The version before one that a run made which was cut off, where it is still enabled: nothing else knows it. Of
 * versions of the same second, which are in no order, none is taken.
 */
export async function enabledVersionBefore(object: VaultObject, version: string): Promise<string | undefined> {
  const versions: ListedVersion[] = [];
  for await (const item of object.versions()) versions.push(item);
  const current = versions.find((item) => item.version === version);
  if (current === undefined) return undefined;
  const before = versions.filter((item) => madeAt(item) < madeAt(current)).sort((a, b) => madeAt(b) - madeAt(a));
  const [last, other] = before;
  if (last === undefined || (other !== undefined && madeAt(other) === madeAt(last))) return undefined;
  return last.enabled ? last.version : undefined;
}

function madeAt({ createdOn }: ListedVersion): number {
  return createdOn?.getTime() ?? 0;
}
