import { z } from "zod";
import { present } from "./json.js";

const wirePolicy = z.looseObject({
  contentType: z.string().nullish(),
  data: z.string().nullish(),
  immutable: z.boolean().nullish(),
});

const policy = z.object({
  contentType: z.string().exactOptional(),
  data: z.string().exactOptional(),
  immutable: z.boolean().exactOptional(),
});

/** The policy under which a key may leave the HSM, in both directions. */
export const releasePolicyCodec = z.codec(wirePolicy, policy, {
  decode: ({ contentType, data, immutable }) => present({ contentType, data, immutable }),
  encode: ({ contentType, data, immutable }) => present({ contentType, data, immutable }),
});
