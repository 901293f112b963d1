import type { IncomingMessage, ServerResponse } from "node:http";
import { badParameter, ServiceError } from "../service-error.js";

const drainedBytes = 32 * 1024 * 1024;
const drainedMilliseconds = 10_000;

/** A refusal may come before the body: what is left of it is thrown away for a while, and a flood is cut off. */
export function drain(request: IncomingMessage, response: ServerResponse): void {
  if (request.complete) return;
  let left = drainedBytes;
  const timer = setTimeout(() => request.destroy(), drainedMilliseconds).unref();
  request.on("data", (chunk: Buffer) => {
    left -= chunk.length;
    if (left < 0) request.destroy();
  });
  request.on("close", () => clearTimeout(timer));
  request.on("error", () => response.destroy());
  request.resume();
}

const nothing = Buffer.alloc(0);

/** The body up to a limit. @throws ServiceError 413, or 400 when it ends too early. */
export async function readBody(request: IncomingMessage, limit: number): Promise<Buffer> {
  const { "content-length": announced, "transfer-encoding": encoding } = request.headers;
  if (encoding === undefined && (announced === undefined || announced === "0")) return nothing;
  if (Number(announced ?? 0) > limit) throw tooLarge(limit);
  const chunks: Buffer[] = [];
  let length = 0;
  return new Promise((resolve, reject) => {
    request.on("data", (chunk: Buffer) => {
      length += chunk.length;
      if (length > limit) {
        request.removeAllListeners("data");
        request.resume();
        reject(tooLarge(limit));
        return;
      }
      chunks.push(chunk);
    });
    request.on("end", () => resolve(Buffer.concat(chunks)));
    request.on("error", reject);
    request.on("close", () => {
      if (!request.complete) reject(badParameter("The request ended before its body did."));
    });
  });
}

const tooLarge = (limit: number) =>
  new ServiceError(413, "RequestEntityTooLarge", `The request body is larger than ${limit} bytes.`);
