import { isObject, stringAt } from "./json.js";
import { operationOf, type RecordedOperation } from "./operation.js";
import type { Exchange, Recording } from "./recording.js";

/** One thing that the replay does: an exchange, or the pages of one listing. */
export interface Step {
  /** Number of the exchange in the file, for reports. */
  number: number;
  host: string;
  operation: RecordedOperation;
  apiVersion: string;
  /** The exchange; of a listing its first page. */
  exchange: Exchange;
  /** The recorded pages of a listing. */
  pages: Exchange[];
  /** The listing was recorded from its first page on. */
  fromStart: boolean;
}

/** A recording as the emulator can play it. */
export interface Scenario {
  steps: Step[];
  /** Plane of the service behind each host. */
  planes: Map<string, "vault" | "managedhsm">;
  /** Milliseconds since 1970 when the recording began. */
  startsAt: number;
  recording: Recording;
}

/** Why nothing of a recording can be played. */
export interface Unplayable {
  reason: string;
}

const certificatesAndStorage = /^\/+(deleted)?(certificates|storage)\b/i;

export function scenarioOf(recording: Recording): Scenario | Unplayable {
  const numbered = recording.exchanges.map((exchange, number) => ({ exchange: withoutPlaceholders(exchange), number }));
  const reasons = new Set<string>();
  const playable = chronological(numbered).filter(({ exchange }) => {
    const { method, path } = exchange.request;
    if (certificatesAndStorage.test(path)) reasons.add("certificates and storage planes");
    else if (operationOf(method, path).kind === "foreign") reasons.add("operations outside keys and secrets");
    else if (isDestroyed(exchange)) reasons.add("bodies that the recorder destroyed");
    else return true;
    return false;
  });
  if (playable.length === 0) return { reason: [...reasons].join(", ") || "no exchange" };
  const fallbackVersion = knownApiVersion(recording);
  const steps: Step[] = [];
  for (const { exchange, number } of playable) {
    const { method, path, host, query } = exchange.request;
    const operation = operationOf(method, path);
    const step: Step = {
      number,
      host: (host ?? "").toLowerCase(),
      operation,
      apiVersion: stringAt(query, "api-version") ?? fallbackVersion,
      exchange,
      pages: [exchange],
      fromStart: query.$skiptoken === undefined,
    };
    const previous = steps.at(-1);
    if (previous !== undefined && continues(previous, step)) previous.pages.push(exchange);
    else steps.push(step);
  }
  return { steps, planes: planesOf(recording), startsAt: startOf(recording), recording };
}

/** A page whose request carries a token goes on with the listing before it. */
function continues(previous: Step, page: Step): boolean {
  return (
    !page.fromStart &&
    page.exchange.response.status === 200 &&
    previous.exchange.response.status === 200 &&
    previous.host === page.host &&
    previous.exchange.request.path.replace(/\/+$/, "") === page.exchange.request.path.replace(/\/+$/, "")
  );
}

/**
 * Old .NET recordings are grouped by URL. Where the answers' dates run backwards, the exchanges are put in the order of
 * their dates; within one second writes come before reads, and reads before deletions.
 */
function chronological<T extends { exchange: Exchange }>(numbered: T[]): T[] {
  const dated = numbered.map((entry) => ({ entry, at: Date.parse(entry.exchange.response.headers.date ?? "") }));
  if (dated.some(({ at }) => Number.isNaN(at))) return numbered;
  if (dated.every(({ at }, index) => index === 0 || at >= (dated[index - 1]?.at ?? 0))) return numbered;
  const rank = ({ exchange }: T) => {
    if (exchange.response.status === 401) return 0;
    const { kind } = operationOf(exchange.request.method, exchange.request.path);
    return kind === "create" || kind === "import" || kind === "set"
      ? 1
      : kind === "delete"
        ? 3
        : kind === "purge" || kind === "recover"
          ? 4
          : 2;
  };
  return dated.sort((a, b) => a.at - b.at || rank(a.entry) - rank(b.entry)).map(({ entry }) => entry);
}

/** A statement that only its own attestation can answer; everything else that is missing gets a stand-in. */
function isDestroyed(exchange: Exchange): boolean {
  const { method, path, body } = exchange.request;
  if (operationOf(method, path).kind !== "release" || exchange.response.status !== 200) return false;
  return !isObject(body) || /redacted/i.test(stringAt(body, "target") ?? "redacted");
}

/** Documents and issue threads write `<name>` where a name was. */
function withoutPlaceholders(exchange: Exchange): Exchange {
  const local = exchange.request.path.replace(/^https?:\/\/[^/]*/i, "");
  const path = local.replace(/<([^>/]*)>/g, (_, word: string) => word.replace(/[^0-9a-zA-Z]+/g, "-"));
  return path === exchange.request.path ? exchange : { ...exchange, request: { ...exchange.request, path } };
}

function knownApiVersion(recording: Recording): string {
  for (const { request } of recording.exchanges) {
    const version = stringAt(request.query, "api-version");
    if (version !== undefined) return version;
  }
  return recording.apiVersions[0] ?? "7.4";
}

/** Recorders rewrite hosts, so the answers decide: only a vault names its service version. */
function planesOf(recording: Recording): Map<string, "vault" | "managedhsm"> {
  const planes = new Map<string, "vault" | "managedhsm">();
  for (const { request, response } of recording.exchanges) {
    const host = (request.host ?? "").toLowerCase();
    if (response.headers["x-ms-keyvault-service-version"] !== undefined) planes.set(host, "vault");
    else if (!planes.has(host)) planes.set(host, recording.plane);
  }
  return planes;
}

/** Documents and threads that give no date are read as written at the end of the recorded years. */
const undated = Date.UTC(2023, 10, 1);

function startOf(recording: Recording): number {
  const dates = recording.exchanges.map(({ response }) => Date.parse(response.headers.date ?? ""));
  const stamps = recording.exchanges.flatMap(({ response }) =>
    [...JSON.stringify(response.body ?? null).matchAll(/"(?:created|updated|deletedDate)":(\d{9,10})\b/g)].map(
      (match) => Number(match[1]) * 1000,
    ),
  );
  const known = dates.filter((date) => !Number.isNaN(date));
  if (known.length > 0) return Math.min(...known);
  if (stamps.length > 0) return Math.max(...stamps);
  const first = Date.parse(recording.firstDate ?? "");
  return Number.isNaN(first) ? undated : first;
}
