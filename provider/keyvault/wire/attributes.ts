import { z } from "zod";
import { epochSeconds, present } from "./json.js";
import { words } from "./word.js";

const wireAttributes = z.object({
  enabled: z.boolean().nullish(),
  nbf: epochSeconds.nullish(),
  exp: epochSeconds.nullish(),
  created: epochSeconds.nullish(),
  updated: epochSeconds.nullish(),
  // Some emulators write the number of their own enumeration, which says nothing to anybody else.
  recoveryLevel: z.union([words, z.number()]).nullish(),
  recoverableDays: z.number().nullish(),
  exportable: z.boolean().nullish(),
  hsmPlatform: words.nullish(),
  /** In bits, since 2026. Of a symmetric key nothing else tells it. */
  key_size: z.number().nullish(),
});

const attributes = z.object({
  enabled: z.boolean().exactOptional(),
  notBefore: z.date().exactOptional(),
  expiresOn: z.date().exactOptional(),
  createdOn: z.date().exactOptional(),
  updatedOn: z.date().exactOptional(),
  recoveryLevel: z.string().exactOptional(),
  recoverableDays: z.number().exactOptional(),
  exportable: z.boolean().exactOptional(),
  hsmPlatform: z.string().exactOptional(),
  keySize: z.number().exactOptional(),
});

/** The attributes of a key or secret, in both directions. What the service owns is left out on the way there by not being given. */
export const attributesCodec = z.codec(wireAttributes, attributes, {
  decode: toAttributes,
  encode: (known) =>
    present({
      enabled: known.enabled,
      nbf: known.notBefore,
      exp: known.expiresOn,
      created: known.createdOn,
      updated: known.updatedOn,
      recoveryLevel: known.recoveryLevel,
      recoverableDays: known.recoverableDays,
      exportable: known.exportable,
      hsmPlatform: known.hsmPlatform,
    }),
});

function toAttributes(wire: z.output<typeof wireAttributes>): z.input<typeof attributes> {
  return present({
    enabled: wire.enabled,
    notBefore: wire.nbf,
    expiresOn: wire.exp,
    createdOn: wire.created,
    updatedOn: wire.updated,
    recoveryLevel: typeof wire.recoveryLevel === "string" ? wire.recoveryLevel : undefined,
    recoverableDays: wire.recoverableDays,
    exportable: wire.exportable,
    hsmPlatform: wire.hsmPlatform,
    keySize: wire.key_size,
  });
}

/**
 * Attributes as an answer carries them: builds of 2016 and 2017 wrote some names in lower case. Read as the codec does,
 * without checking again what came of it: in a list of thousands that is felt.
 */
export const sentAttributes = z.preprocess(withKnownCase, wireAttributes.transform(toAttributes).nullish());

const MOST_ATTRIBUTES = 100;
const KNOWN_NAMES = new Map(Object.keys(wireAttributes.shape).map((name) => [name.toLowerCase(), name]));

function withKnownCase(sent: unknown): unknown {
  if (typeof sent !== "object" || sent === null) return sent;
  const names = Object.keys(sent);
  if (names.length > MOST_ATTRIBUTES || names.every((name) => name in wireAttributes.shape)) return sent;
  return Object.fromEntries(
    Object.entries(sent).map(([name, value]) => [KNOWN_NAMES.get(name.toLowerCase()) ?? name, value]),
  );
}

/** Keys have at most 15 tags, and emulators not many more. */
const MOST_TAGS = 1_000;

/** Tags as the service sends them; null and absence are the empty set. Any name is a name, `__proto__` too. */
export const tags = z
  .unknown()
  .optional()
  .transform((sent, context): Record<string, string> => {
    if (sent === undefined || sent === null) return {};
    const entries = typeof sent === "object" && !Array.isArray(sent) ? Object.entries(sent) : undefined;
    const isMap = entries?.every(([, value]) => value === null || typeof value === "string") ?? false;
    if (entries !== undefined && isMap && entries.length <= MOST_TAGS) {
      return Object.fromEntries(entries.map(([name, value]) => [name, value ?? ""]));
    }
    context.addIssue({ code: "custom", message: "not a map of texts" });
    return z.NEVER;
  });
