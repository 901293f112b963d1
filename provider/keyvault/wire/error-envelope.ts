import { z } from "zod";

const innerError = z.object({ code: z.string().nullish() }).nullish().catch(undefined);
const serviceError = z.object({
  code: z.string().nullish().catch(undefined),
  message: z.string().nullish().catch(undefined),
  innererror: innerError,
  /** Spelled so by gateways and some emulators. */
  innerError,
});

const envelope = z.object({ error: serviceError });

export interface ErrorEnvelope {
  code?: string;
  message?: string;
  innerCode?: string;
}

/** The service's error body; undefined where a body is none. Some emulators leave the outer `error` away. */
export function readErrorEnvelope(body: unknown): ErrorEnvelope | undefined {
  const wrapped = envelope.safeParse(body);
  const bare = wrapped.success ? undefined : serviceError.safeParse(body);
  const found = wrapped.success ? wrapped.data.error : bare?.data;
  if (found === undefined || (typeof found.code !== "string" && typeof found.message !== "string")) return undefined;
  const innerCode = found.innererror?.code ?? found.innerError?.code;
  return {
    ...(typeof found.code === "string" ? { code: found.code } : {}),
    ...(typeof found.message === "string" ? { message: found.message } : {}),
    ...(typeof innerCode === "string" ? { innerCode } : {}),
  };
}
