import { z } from "zod";
import { present } from "./json.js";

const wirePolicy = z.object({
  contentType: z.string().nullish(),
  data: z
    .string()
    .regex(/^[A-Za-z0-9_+/-]*={0,2}$/)
    .nullish(),
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
