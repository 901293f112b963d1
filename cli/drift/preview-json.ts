import { stripVTControlCharacters } from "node:util";
import { z } from "zod";
import { isDeeperThan } from "../../provider/keyvault/json-depth.js";
import { CliError } from "../failure/cli-error.js";
import { throughEitherDoor } from "../stack/either-door.js";
import { printable } from "../text/terminal-text.js";

const properties = z.record(z.string(), z.unknown());

const state = z
  .looseObject({
    urn: z.string().optional(),
    type: z.string().optional(),
    id: z.string().optional(),
    inputs: properties.nullish(),
    outputs: properties.nullish(),
    additionalSecretOutputs: z.array(z.string()).nullish(),
  })
  .transform(throughEitherDoor);

const step = z.looseObject({
  op: z.string(),
  urn: z.string(),
  oldState: state.nullish(),
  newState: state.nullish(),
  detailedDiff: z.record(z.string(), z.looseObject({ kind: z.string() })).nullish(),
});

const diagnostic = z.looseObject({
  urn: z.string().optional(),
  message: z.string().default(""),
  severity: z.string().default("info"),
});

const preview = z.looseObject({
  steps: z.array(step).nullish(),
  diagnostics: z.array(diagnostic).nullish(),
  duration: z.number().optional(),
  changeSummary: z.record(z.string(), z.number()).nullish(),
});

export type PreviewStep = z.infer<typeof step>;
export type ResourceState = z.infer<typeof state>;

/** What `pulumi preview --json` or `pulumi refresh --preview-only --json` printed. */
export interface Preview {
  steps: PreviewStep[];
  diagnostics: { urn?: string | undefined; message: string; severity: string }[];
}

/**
 * Reads the JSON of a preview.
 *
 * @throws CliError `KV_NOT_A_PREVIEW` for anything else, told apart by what is wrong with it.
 */
export function parsePreview(text: string, source: string): Preview {
  const parsed = preview.safeParse(parseJson(text, source));
  // A preview that fails early has neither steps nor diagnostics.
  const isPreview = parsed.success && ["steps", "diagnostics", "duration"].some((member) => member in parsed.data);
  if (!isPreview) {
    const where = parsed.success ? "" : ` (${printable(parsed.error.issues[0]?.path.join(".") || "not an object")})`;
    throw notAPreview(source, `is JSON, but not that of a preview${where}`);
  }
  const { steps, diagnostics } = parsed.data;
  return {
    steps: steps ?? [],
    diagnostics: (diagnostics ?? []).map(({ urn, message, severity }) => ({ urn, message: plain(message), severity })),
  };
}

/** No state of a resource comes near it. */
const DEEPEST = 500;

function parseJson(text: string, source: string): unknown {
  const body = text.replace(/^\uFEFF/, "").trim();
  if (body === "") throw notAPreview(source, "is empty");
  if (isDeeperThan(DEEPEST, body)) throw notAPreview(source, `is nested more than ${DEEPEST} levels deep`);
  try {
    return JSON.parse(body);
  } catch {
    const isCutOff = /^[[{]/.test(body) && !/[\]}]$/.test(body);
    if (isCutOff) throw notAPreview(source, "is cut off: the JSON stops in the middle");
    if (/^\{[^\n]*"sequence"/.test(body)) throw notAPreview(source, "is an event stream, one JSON document a line");
    throw notAPreview(source, "is not JSON");
  }
}

function notAPreview(source: string, what: string): CliError {
  return new CliError(
    "KV_NOT_A_PREVIEW",
    `${source} ${what}: give it the whole output of \`pulumi preview --refresh --json --non-interactive\``,
  );
}

/** Diagnostics of a program may carry terminal colours. */
function plain(message: string): string {
  return stripVTControlCharacters(message).trim();
}
