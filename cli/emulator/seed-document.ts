import { readFile } from "node:fs/promises";
import { z } from "zod";
import { shownPath } from "../../provider/material/shown-place.js";
import { CliError } from "../failure/cli-error.js";
import { homePath } from "../files/home-path.js";
import { printable } from "../text/terminal-text.js";

const moment = z.iso.datetime({ offset: true });
const tags = z.record(z.string(), z.string());
const name = z.string().regex(/^[0-9a-zA-Z-]{1,127}$/);

const described = {
  name,
  enabled: z.boolean().optional(),
  notBefore: moment.nullish(),
  expiresOn: moment.nullish(),
  tags: tags.nullish(),
  managed: z.boolean().optional(),
};

const key = z.looseObject({
  ...described,
  keyType: z.string().nullish(),
  keySize: z.number().nullish(),
  curve: z.string().nullish(),
  keyOps: z.array(z.string()).nullish(),
});

const secret = z.looseObject({ ...described, contentType: z.string().nullish(), value: z.string().optional() });

const document = z
  .looseObject({ keys: z.array(key).nullish(), secrets: z.array(secret).nullish() })
  .refine((given) => "keys" in given || "secrets" in given);

export type SeedKey = z.infer<typeof key>;
export type SeedSecret = z.infer<typeof secret>;

/** What a vault is filled with. */
export interface Seed {
  keys: SeedKey[];
  secrets: SeedSecret[];
}

/** Reads a seed from a JSON file. @throws CliError `KV_FILE` */
export async function readSeedFile(path: string): Promise<Seed> {
  const text = await readFile(homePath(path), "utf8").catch((error: NodeJS.ErrnoException) => {
    throw new CliError(
      "KV_FILE",
      `${shownPath(homePath(path))} cannot be read (${error.code ?? "unknown error"}): check its name and permissions`,
    );
  });
  const parsed = document.safeParse(parseJson(text));
  if (parsed.success) return { keys: parsed.data.keys ?? [], secrets: parsed.data.secrets ?? [] };
  const where = printable(parsed.error.issues[0]?.path.join(".") ?? "");
  throw new CliError(
    "KV_FILE",
    `${path} is no seed${where ? ` (${where} does not fit)` : ""}: expected JSON { "keys": [{ "name": … }], "secrets": [{ "name": … }] }`,
  );
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
