import { z } from "zod";

/** The answer of a backup. */
export const backupAnswer = z.looseObject({ value: z.string().min(1) }).transform(({ value }) => value);
