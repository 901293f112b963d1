import { z } from "zod";
import type { SignIn } from "./sign-in.js";
import type { TextSource } from "./text-source.js";

/** What an entry of `keyvault:credentials` stands for: a way to sign in, or a bearer token of somebody else's making. */
export type CredentialEntry = SignIn | { type: "token"; token: TextSource };

const SETTING = "keyvault:credentials";

const text = z.string().regex(/^[\w.:/@-]{1,512}$/);
const place = z.union([
  z.strictObject({ env: z.string().regex(/^[A-Za-z_]\w{0,127}$/) }),
  z.strictObject({ file: z.string().min(1).max(1024) }),
]);
const application = { tenantId: text, clientId: text };

/** An entry without its type. */
const ENTRIES = {
  "azure-cli": z.strictObject({ tenantId: text.optional(), subscription: text.optional() }),
  "azure-developer-cli": z.strictObject({ tenantId: text.optional() }),
  "azure-powershell": z.strictObject({ tenantId: text.optional() }),
  "managed-identity": z.strictObject({ clientId: text.optional() }),
  "workload-identity": z.strictObject({ tenantId: text.optional(), clientId: text.optional() }),
  "client-secret": z.strictObject({ ...application, clientSecret: place }),
  "client-certificate": z.strictObject({ ...application, certificate: place, passphrase: place.optional() }),
  oidc: z.strictObject({ ...application, token: place.optional(), audience: text.optional() }),
  "azure-pipelines": z.strictObject({ ...application, serviceConnectionId: text, systemAccessToken: place.optional() }),
  token: z.strictObject({ token: place }),
};

const ENTRY_TYPES = Object.keys(ENTRIES).join(", ");

/** The members that name a place, and so may not hold the secret itself. */
const PLACES = new Set(["clientSecret", "certificate", "passphrase", "token", "systemAccessToken"]);

/**
 * Reads `keyvault:credentials`: a map of names to entries, such as
 * `{ "partner": { "type": "client-secret", "tenantId": "…", "clientId": "…", "clientSecret": { "env": "PARTNER_SECRET" } } }`.
 *
 * @param reserved names that mean something already
 * @returns the entries, and what is wrong with the others; problems name entries and members, and never what they hold
 */
export function readCredentialEntries(
  setting: string,
  reserved: readonly string[],
): { entries: Map<string, CredentialEntry>; problems: string[] } {
  const entries = new Map<string, CredentialEntry>();
  const problems: string[] = [];
  const given = parsed(setting);
  if (!isMap(given)) {
    problems.push(`${SETTING} must be a map of names to entries, each with a "type": ${ENTRY_TYPES}`);
    return { entries, problems };
  }
  for (const [name, entry] of Object.entries(given)) {
    if (!/^[A-Za-z][\w-]{0,63}$/.test(name)) {
      problems.push(`${SETTING} has an entry whose name is not 1 to 64 letters, digits, - and _, a letter first`);
    } else if (reserved.includes(name)) {
      problems.push(`${SETTING}.${name}: ${name} is a credential of its own; give the entry another name`);
    } else {
      const read = readEntry(entry);
      if ("problems" in read) problems.push(...read.problems.map((problem) => `${SETTING}.${name}: ${problem}`));
      else entries.set(name, read.entry);
    }
  }
  return { entries, problems };
}

function readEntry(given: unknown): { entry: CredentialEntry } | { problems: string[] } {
  if (!isMap(given) || !isEntryType(given.type)) return { problems: [`"type" must be one of ${ENTRY_TYPES}`] };
  const { type, ...members } = given;
  const issuesOf = (issues: readonly z.core.$ZodIssue[]) => ({
    problems: [...new Set(issues.map((issue) => problemOf(issue, type)))],
  });
  switch (type) {
    case "oidc": {
      const read = ENTRIES.oidc.safeParse(members);
      if (!read.success) return issuesOf(read.error.issues);
      const { token, audience, ...application } = read.data;
      // The pipeline's own request is looked for when a token is needed: a preview elsewhere may do without it.
      const idToken = token ?? { request: true as const, ...(audience === undefined ? {} : { audience }) };
      return { entry: { type, ...application, idToken } };
    }
    case "azure-pipelines": {
      const read = ENTRIES[type].safeParse(members);
      if (!read.success) return issuesOf(read.error.issues);
      const { systemAccessToken = { env: "SYSTEM_ACCESSTOKEN" }, ...rest } = read.data;
      return { entry: { type, ...rest, systemAccessToken } };
    }
    case "client-certificate": {
      const read = ENTRIES[type].safeParse(members);
      if (!read.success) return issuesOf(read.error.issues);
      const { certificate, passphrase, ...rest } = read.data;
      return {
        entry: {
          type,
          ...rest,
          certificate: "file" in certificate ? certificate : { base64: certificate },
          ...(passphrase === undefined ? {} : { passphrase }),
        },
      };
    }
    default: {
      const read = ENTRIES[type].safeParse(members);
      return read.success ? { entry: { type, ...read.data } as CredentialEntry } : issuesOf(read.error.issues);
    }
  }
}

function problemOf(issue: z.core.$ZodIssue, type: keyof typeof ENTRIES): string {
  const [member] = issue.path;
  if (member === undefined) {
    return `has a member that ${type} has not; known are ${Object.keys(ENTRIES[type].shape).join(", ")}`;
  }
  const name = String(member);
  return PLACES.has(name)
    ? `"${name}" must say where it stands, as { "env": NAME } or { "file": PATH }: a stack's configuration is no place for a secret, since Pulumi records it`
    : `"${name}" must be text of letters, digits and . : / @ - _`;
}

function isEntryType(type: unknown): type is keyof typeof ENTRIES {
  return typeof type === "string" && Object.hasOwn(ENTRIES, type);
}

function parsed(setting: string): unknown {
  try {
    return JSON.parse(setting);
  } catch {
    return undefined;
  }
}

function isMap(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
