import { parseRecording, type Recording } from "../../conformance/recording.js";

/** One exchange in short: the request line, the status, the body of the answer and of the request. */
export interface ScriptedExchange {
  method: string;
  path: string;
  status: number;
  answer?: unknown;
  body?: unknown;
  query?: Record<string, string>;
  host?: string;
  headers?: Record<string, string>;
}

export interface ScriptOptions {
  plane?: "vault" | "managedhsm";
  apiVersion?: string;
  build?: string;
  provenance?: string;
  notes?: string[];
}

/** A recording written by hand, for the rules of the replay. */
export function scriptedRecording(exchanges: ScriptedExchange[], options: ScriptOptions = {}): Recording {
  const { plane = "vault", apiVersion = "7.4", build = "1.9.1054.1" } = options;
  const host = plane === "vault" ? "scripted.vault.azure.net" : "scripted.managedhsm.azure.net";
  return parseRecording(
    "scripted.json",
    JSON.stringify({
      provenance: options.provenance ?? "recording",
      plane,
      api_versions: [apiVersion],
      recorder_notes: options.notes ?? [],
      exchanges: exchanges.map((exchange) => ({
        request: {
          method: exchange.method,
          host: exchange.host ?? host,
          path: exchange.path,
          query: { "api-version": apiVersion, ...exchange.query },
          headers: {},
          body: exchange.body ?? null,
        },
        response: {
          status: exchange.status,
          headers: {
            ...(plane === "vault" ? { "x-ms-keyvault-service-version": build } : {}),
            ...exchange.headers,
          },
          body: exchange.answer ?? null,
        },
      })),
    }),
  );
}

/** 32 hex digits from a short word, so that scripts can name versions. */
export const versionNamed = (word: string) => Buffer.from(word.padEnd(16, "-")).toString("hex");

const seconds = 1_690_000_000;
const scripted = { created: seconds, updated: seconds };
export const recoverable = { recoveryLevel: "CustomizedRecoverable+Purgeable", recoverableDays: 7 };

/** What the service says of a secret. */
export function secretBundle(name: string, version: string, more: Record<string, unknown> = {}): object {
  const { attributes, ...rest } = more;
  return {
    ...rest,
    id: `https://scripted.vault.azure.net/secrets/${name}/${versionNamed(version)}`,
    attributes: { enabled: true, ...scripted, ...recoverable, ...(attributes as object | undefined) },
  };
}

/** What the service says of a key on the vault's P-256, unless told otherwise. */
export function keyBundle(name: string, version: string, more: Record<string, unknown> = {}): object {
  const { attributes, key, ...rest } = more;
  return {
    key: {
      kid: `https://scripted.vault.azure.net/keys/${name}/${versionNamed(version)}`,
      kty: "EC",
      key_ops: ["sign", "verify"],
      crv: "P-256",
      x: `x-${version}`.padEnd(43, "A"),
      y: `y-${version}`.padEnd(43, "A"),
      ...(key as object | undefined),
    },
    attributes: {
      enabled: true,
      ...scripted,
      ...recoverable,
      exportable: false,
      ...(attributes as object | undefined),
    },
    ...rest,
  };
}

/** What a deletion adds to a bundle. */
export function deletionOf(collection: "keys" | "secrets", name: string): object {
  return {
    recoveryId: `https://scripted.vault.azure.net/deleted${collection}/${name}`,
    deletedDate: seconds + 10,
    scheduledPurgeDate: seconds + 10 + 7 * 86_400,
  };
}

export function refusal(code: string, message: string, innerCode?: string): object {
  return { error: { code, message, ...(innerCode === undefined ? {} : { innererror: { code: innerCode } }) } };
}
