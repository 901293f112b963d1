import { z } from "zod";

/** What came of replaying one recording in one mode. */
export type Verdict =
  | { status: "passed" }
  | { status: "failed"; failures: string[] }
  | { status: "skipped"; reason: string };

const headersSchema = z
  .record(z.string(), z.unknown())
  .nullish()
  .transform((headers) => {
    const lowerCased: Record<string, string> = {};
    for (const [name, value] of Object.entries(headers ?? {})) lowerCased[name.toLowerCase()] = String(value);
    return lowerCased;
  });

const exchangeSchema = z.looseObject({
  request: z.looseObject({
    method: z.string(),
    host: z.string().nullish(),
    path: z.string(),
    query: z
      .record(z.string(), z.unknown())
      .nullish()
      .transform((query) => query ?? {}),
    headers: headersSchema,
    body: z.unknown(),
  }),
  response: z.looseObject({ status: z.number().int(), headers: headersSchema, body: z.unknown() }),
});

const recordingSchema = z.looseObject({
  source: z.string().optional(),
  scenario: z.string().optional(),
  provenance: z.string().optional(),
  plane: z.enum(["vault", "managedhsm"]),
  api_versions: z.array(z.string()).nullish(),
  first_date: z.string().nullish(),
  recorder_notes: z.array(z.string()).nullish(),
  exchanges: z.array(exchangeSchema),
});

/** One request and the answer that the service gave. Header names are in lower case. */
export type Exchange = z.output<typeof exchangeSchema>;

/** One scenario: a file of a folder of recordings. */
export interface Recording {
  file: string;
  provenance: string;
  plane: "vault" | "managedhsm";
  apiVersions: string[];
  firstDate: string | undefined;
  notes: string[];
  exchanges: Exchange[];
}

/** Reads a recording from its JSON text; `file` only names it in reports. */
export function parseRecording(file: string, text: string): Recording {
  const raw = recordingSchema.parse(JSON.parse(text));
  return {
    file,
    provenance: raw.provenance ?? "recording",
    plane: raw.plane,
    apiVersions: raw.api_versions ?? [],
    firstDate: raw.first_date ?? undefined,
    notes: raw.recorder_notes ?? [],
    exchanges: raw.exchanges,
  };
}
