import { randomUUID } from "node:crypto";
import type { ServerResponse } from "node:http";
import type { Outcome } from "./outcome.js";

const serviceVersion = "1.9.3347.1";

/** Whose headers an answer has. */
export interface Sender {
  readonly location: string;
  readonly plane: "vault" | "managedhsm";
}

/** Sends the answer, with what its fault does to it on the way. */
export async function deliver(response: ServerResponse, outcome: Outcome, sender: Sender): Promise<void> {
  const { fault } = outcome;
  switch (fault?.kind) {
    case "dropBefore":
    case "dropAfter":
    case "drop":
      response.destroy();
      return;
    case "silence":
      return;
    case "cut":
      cut(response, outcome, sender);
      return;
    case "latency":
      await pause(fault.milliseconds ?? 1_000, response);
      break;
    case "slowBody":
      await trickle(response, outcome, sender, fault.milliseconds ?? 1_000);
      return;
    case "truncated": {
      const text = textOf(outcome);
      send(response, { ...outcome, text: text.slice(0, Math.floor(text.length / 2)) }, sender);
      return;
    }
    case "contentType":
      send(response, { ...outcome, headers: { ...outcome.headers, "Content-Type": "text/html" } }, sender);
      return;
    default:
  }
  if (!response.destroyed) send(response, outcome, sender);
}

/** Waits, and not for a client that has left. */
function pause(milliseconds: number, response: ServerResponse): Promise<void> {
  return new Promise((resolve) => {
    const end = () => {
      clearTimeout(timer);
      response.removeListener("close", end);
      resolve();
    };
    const timer = setTimeout(end, milliseconds);
    response.once("close", end);
  });
}

/** The first half arrives, and then the connection dies. */
function cut(response: ServerResponse, outcome: Outcome, sender: Sender): void {
  const bytes = Buffer.from(textOf(outcome));
  // An answer without a body has no middle.
  if (bytes.length === 0) {
    response.destroy();
    return;
  }
  response.writeHead(outcome.status, headersOf(outcome, bytes.length, sender));
  response.write(bytes.subarray(0, Math.floor(bytes.length / 2)), () => response.destroy());
}

async function trickle(
  response: ServerResponse,
  outcome: Outcome,
  sender: Sender,
  milliseconds: number,
): Promise<void> {
  const bytes = Buffer.from(textOf(outcome));
  const parts = 10;
  const size = Math.max(1, Math.ceil(bytes.length / parts));
  response.writeHead(outcome.status, headersOf(outcome, bytes.length, sender));
  for (let start = 0; start < bytes.length && !response.destroyed; start += size) {
    response.write(bytes.subarray(start, start + size));
    await pause(milliseconds / parts, response);
  }
  response.end();
}

const textOf = (outcome: Outcome) => outcome.text ?? (outcome.body === undefined ? "" : JSON.stringify(outcome.body));

export function send(response: ServerResponse, outcome: Outcome, sender: Sender): void {
  const text = textOf(outcome);
  response.writeHead(outcome.status, headersOf(outcome, Buffer.byteLength(text), sender));
  response.end(text);
}

/** As a flat list: node writes that as it is. */
function headersOf(outcome: Outcome, length: number, { location, plane }: Sender): string[] {
  const headers = [
    "Cache-Control",
    "no-cache",
    "Pragma",
    "no-cache",
    "Expires",
    "-1",
    "x-ms-keyvault-region",
    location,
    "x-ms-request-id",
    randomUUID(),
    "x-ms-keyvault-service-version",
    serviceVersion,
    "X-Content-Type-Options",
    "nosniff",
    "Strict-Transport-Security",
    "max-age=31536000;includeSubDomains",
  ];
  if (plane === "managedhsm") headers.push("x-ms-server-latency", "1", "x-ms-build-version", serviceVersion);
  for (const [name, value] of Object.entries(outcome.headers ?? {})) headers.push(name, value);
  if (outcome.status === 204) return headers;
  if (outcome.headers?.["Content-Type"] === undefined) headers.push("Content-Type", "application/json; charset=utf-8");
  headers.push("Content-Length", String(length));
  return headers;
}
