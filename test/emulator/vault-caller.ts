import { request as requestHttp } from "node:http";
import type { Emulator } from "../../emulator/index.js";

export interface Answered {
  status: number;
  body: { [member: string]: unknown } & Record<string, never | unknown>;
  headers: Record<string, string | string[] | undefined>;
  text: string;
}

export interface CallOptions {
  vault?: string;
  token?: string | null;
  apiVersion?: string | null;
  headers?: Record<string, string>;
  /** Sent as it is. */
  raw?: string | Buffer;
}

/** Speaks the wire to an emulator, with no client in between. */
export function callerOf(emulator: Emulator) {
  return (method: string, path: string, body?: unknown, options: CallOptions = {}): Promise<Answered> => {
    const version = options.apiVersion === undefined ? "7.4" : options.apiVersion;
    const query = version === null ? "" : `${path.includes("?") ? "&" : "?"}api-version=${version}`;
    const payload = options.raw ?? (body === undefined ? undefined : JSON.stringify(body));
    const token = options.token === undefined ? emulator.token : options.token;
    return new Promise((resolve, reject) => {
      const request = requestHttp(
        {
          host: "127.0.0.1",
          port: emulator.port,
          method,
          path: `${path}${query}`,
          headers: {
            ...(options.vault === undefined ? {} : { host: `${options.vault}.localhost:${emulator.port}` }),
            ...(token === null ? {} : { authorization: `Bearer ${token}` }),
            ...(payload === undefined ? {} : { "content-type": "application/json" }),
            ...(payload === undefined || options.headers?.["transfer-encoding"] !== undefined
              ? {}
              : { "content-length": String(Buffer.byteLength(payload)) }),
            ...options.headers,
          },
        },
        (response) => {
          const chunks: Buffer[] = [];
          response.on("data", (chunk: Buffer) => chunks.push(chunk));
          response.on("error", reject);
          response.on("end", () => {
            const text = Buffer.concat(chunks).toString("utf8");
            try {
              const body = text.startsWith("{") ? JSON.parse(text) : {};
              resolve({ status: response.statusCode ?? 0, headers: response.headers, text, body });
            } catch (error) {
              reject(error);
            }
          });
        },
      );
      request.on("error", reject);
      request.end(payload);
    });
  };
}
