import { KeyVaultClient } from "../provider/keyvault/client.js";
import type { Clock } from "../provider/keyvault/clock.js";
import { type ClientCall, clientCallOf } from "./client-call.js";
import { compareRefusal } from "./client-refusal.js";
import { compareResult } from "./client-result.js";
import { isObject, stringAt } from "./json.js";
import { operationOf } from "./operation.js";
import type { Exchange, Recording, Verdict } from "./recording.js";
import { type Played, ReplayServer } from "./replay-server.js";

/** Backoff of seconds passes in milliseconds. */
const HASTE = 1_000;

const hastyClock: Clock = {
  now: () => Date.now() * HASTE,
  schedule(ms, callback) {
    const timer = setTimeout(callback, ms / HASTE);
    return () => clearTimeout(timer);
  },
  random: () => 0.5,
};
const PATIENCE_MS = 20_000 * HASTE;

/**
 * Has a local server give the recorded answers to the client's own operation for each recorded method and path, and compares what the client makes of them.
 */
export async function replayInClientMode(recording: Recording): Promise<Verdict> {
  const failures: string[] = [];
  const reasons = new Set<string>();
  let played = 0;
  const server = await ReplayServer.start();
  try {
    for (const [number, exchange] of recording.exchanges.entries()) {
      const reason = unplayable(exchange);
      const call = reason === undefined ? clientCallOf(exchange) : undefined;
      if (reason !== undefined || call === undefined) {
        reasons.add(reason ?? "operations outside keys and secrets");
        continue;
      }
      played++;
      const differences = await play(server, recording, exchange, call);
      if (exchange.response.status >= 400 && exchange.response.status !== 401) {
        const echoed = await play(server, recording, exchange, call, { echo: true });
        differences.push(...echoed.map((text) => `with the request repeated in the message: ${text}`));
      }
      failures.push(
        ...differences.map(
          (text) =>
            `exchange ${number} ${exchange.request.method} ${exchange.request.path} ${exchange.response.status}: ${text}`,
        ),
      );
    }
  } finally {
    await server.close();
  }
  if (failures.length > 0) return { status: "failed", failures };
  return played > 0
    ? { status: "passed" }
    : { status: "skipped", reason: [...reasons].sort().join(", ") || "no exchange" };
}

function unplayable({ request, response }: Exchange): string | undefined {
  if (/^\/+(deleted)?(certificates|storage)\b/i.test(request.path)) return "certificates and storage planes";
  const { kind } = operationOf(request.method, request.path);
  if (kind === "foreign" || kind === "random") return "operations outside keys and secrets";
  const success = response.status >= 200 && response.status < 300;
  if (success && kind !== "purge" && !isObject(response.body)) return "bodies that the recorder destroyed";
  return undefined;
}

async function play(
  server: ReplayServer,
  { plane }: Recording,
  exchange: Exchange,
  call: ClientCall,
  options: { echo?: boolean } = {},
): Promise<string[]> {
  const asked: { scope: string; tenantId?: string }[] = [];
  const token = `replayed-token-${server.nextRequestId()}`;
  const client = new KeyVaultClient({
    vaultUrl: server.url,
    plane,
    clock: hastyClock,
    timeoutMs: PATIENCE_MS,
    credential: {
      async getToken(scope, { tenantId }) {
        asked.push({ scope, ...(tenantId === undefined ? {} : { tenantId }) });
        return { token, expiresOn: new Date(hastyClock.now() + 3_600_000 * HASTE) };
      },
    },
  });
  const serving = server.serve(exchange, options);
  const outcome = await settle(call.run(client));
  await client.close();
  return [
    ...compareRequests(serving, exchange, token, asked),
    ...(exchange.response.status === 401
      ? compareChallenged(outcome)
      : compareOutcome(outcome, exchange, call, serving, token)),
  ];
}

type Outcome = { result: unknown } | { error: unknown };

async function settle(promise: Promise<unknown>): Promise<Outcome> {
  try {
    return { result: await promise };
  } catch (error) {
    return { error };
  }
}

function compareOutcome(
  outcome: Outcome,
  exchange: Exchange,
  call: ClientCall,
  serving: Played,
  token: string,
): string[] {
  const success = exchange.response.status >= 200 && exchange.response.status < 300;
  if ("error" in outcome) {
    if (!success) return compareRefusal(outcome.error, { exchange, requestId: serving.requestId, token });
    return [`an error for a success: ${outcome.error instanceof Error ? outcome.error.message : "unknown"}`];
  }
  if (!success) return ["a result for a refusal"];
  return [
    ...compareResult(call.result, outcome.result, exchange.response.body),
    ...compareNextLink(exchange, call, serving),
  ];
}

/** The request that was sent again with a token reached the server, which then says no more. */
function compareChallenged(outcome: Outcome): string[] {
  return "error" in outcome ? [] : ["a result for a request that was never answered"];
}

function compareRequests(
  serving: Played,
  exchange: Exchange,
  token: string,
  asked: { scope: string; tenantId?: string }[],
): string[] {
  const failures: string[] = [];
  const [first, second] = serving.requests;
  if (first === undefined || second === undefined) return ["the token flow did not run"];
  if (first.authorization !== undefined || first.body !== "")
    failures.push("the first request carries a token or a body");
  if (second.authorization !== `Bearer ${token}`) failures.push("the request was not sent again with the token");
  if (canonicalPath(second.path) !== canonicalPath(exchange.request.path) && !isPlaceholder(exchange.request.path)) {
    failures.push(`path ${second.path}`);
  }
  if (second.method !== exchange.request.method.toUpperCase()) failures.push(`method ${second.method}`);
  const challenge = exchange.response.status === 401 ? exchange.response.headers["www-authenticate"] : undefined;
  const resource = /resource="([^"]*)"/i.exec(challenge ?? "")?.[1];
  const tenant = /authorization(?:_uri)?="https:\/\/[^/"]+\/([^/"]+)/i.exec(challenge ?? "")?.[1];
  if (resource !== undefined && asked[0]?.scope !== `${resource.replace(/\/+$/, "")}/.default`)
    failures.push("scope of the token");
  if (tenant !== undefined && asked[0]?.tenantId !== tenant) failures.push("tenant of the token");
  return failures;
}

function compareNextLink(exchange: Exchange, call: ClientCall, serving: Played): string[] {
  if (call.result !== "list") return [];
  const link = stringAt(exchange.response.body, "nextLink");
  const followed = serving.requests[2];
  if (link === undefined || link === "") return followed === undefined ? [] : ["a page was asked for without a link"];
  const expected = link.replace(/^[a-z]+:\/\/[^/?#]*/i, "");
  // The client adds the version where a link lacks it.
  const asked = followed?.target.replace(/api-version=/i.test(expected) ? "" : /[?&]api-version=[^&]*$/, "");
  return asked !== undefined && readable(asked) === readable(expected) ? [] : ["the next link was not followed"];
}

/** Slashes at the end and in a row mean nothing to the service. */
function canonicalPath(path: string): string {
  return readable(path).replace(/\/+/g, "/").replace(/\/$/, "").toLowerCase();
}

function isPlaceholder(path: string): boolean {
  return /[<>]/.test(path);
}

function readable(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}
