import { z } from "zod";

/** The answer of a backup: base64url, or on a Managed HSM a token with dots. */
export const backupAnswer = z
  .object({ value: z.string().regex(/^[A-Za-z0-9_+/=.-]+$/) })
  .transform(({ value }) => value);
