import { readFile } from "node:fs/promises";
import { z } from "zod";
import { shownPath } from "../../provider/material/shown-place.js";
import { CliError } from "../failure/cli-error.js";
import { homePath } from "../files/home-path.js";

const vault = z.union([
  z.string().min(1),
  z.strictObject({ url: z.string().min(1), credential: z.string().min(1).optional() }),
]);

/** What a fleet file holds. `docs/schemas/fleet.json` is made of it. */
export const fleetFile = z.strictObject({
  $schema: z.string().optional().describe("The address of this schema, by which editors find it."),
  vaults: z.array(vault).optional().describe("URLs of vaults, or a URL and the credential that asks it."),
  stacks: z.array(z.string().min(1)).optional().describe("Names of stacks of the project in the current folder."),
});

export interface FleetVault {
  url: string;
  credential?: string;
}

export interface Fleet {
  vaults: FleetVault[];
  stacks: string[];
}

/**
 * Reads the vaults and stacks of a fleet.
 *
 * @throws CliError `KV_FILE`
 */
export async function readFleet(file: string): Promise<Fleet> {
  const text = await readFile(homePath(file), "utf8").catch((error: NodeJS.ErrnoException) => {
    throw new CliError(
      "KV_FILE",
      `${shownPath(homePath(file))} cannot be read (${error.code ?? "unknown error"}): check its name`,
    );
  });
  const parsed = fleetFile.safeParse(parseJson(text));
  if (!parsed.success) {
    const where = parsed.error.issues[0]?.path.join(".");
    throw new CliError(
      "KV_FILE",
      `${shownPath(homePath(file))} is no fleet file${where ? ` (${where})` : ""}: it is JSON such as {"vaults": ["https://a.vault.azure.net"], "stacks": ["prod"]}`,
    );
  }
  const vaults = (parsed.data.vaults ?? []).map((each): FleetVault => {
    if (typeof each === "string") return { url: each };
    return each.credential === undefined ? { url: each.url } : { url: each.url, credential: each.credential };
  });
  return { vaults, stacks: parsed.data.stacks ?? [] };
}

function parseJson(text: string): unknown {
  try {
    // The byte order mark that some editors and shells write is none of JSON.
    return JSON.parse(text.replace(/^\ufeff/, ""));
  } catch {
    return undefined;
  }
}
