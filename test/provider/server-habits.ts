import type { Exchange, ServerHabit } from "./other-server.js";

type Body = Record<string, unknown> & { key?: Record<string, unknown>; attributes?: Record<string, unknown> };

const error = (code: string, message: string) => ({ error: { code, message } });

/** A habit that writes a thing otherwise, in every answer that is no refusal. */
function writes(change: (body: Body, exchange: Exchange) => Body): ServerHabit {
  return () => ({
    answer: (exchange) =>
      exchange.body && exchange.status === 200 ? { status: 200, body: change(exchange.body, exchange) } : exchange,
  });
}

function withNumbers(body: Body, change: (bytes: Buffer) => Buffer): Body {
  const bundle = { ...body.key };
  for (const member of ["n", "x", "y"]) {
    const number = bundle[member];
    if (typeof number === "string") bundle[member] = change(Buffer.from(number, "base64url")).toString("base64url");
  }
  return { ...body, ...(body.key ? { key: bundle } : {}) };
}

/** Of a key that was made without operations: what a program states is kept. */
function gives(keyOps: string[] | undefined): ServerHabit {
  return () => {
    const stating = new Set<string>();
    return {
      answer(exchange) {
        const { method, path, sent, status, body } = exchange;
        const name = path.split("/")[2] ?? "";
        if (method !== "GET" && sent.includes('"key_ops":')) stating.add(name);
        const bundle = (body as Body | undefined)?.key;
        if (status !== 200 || bundle === undefined || stating.has(name)) return exchange;
        const { key_ops: _given, ...rest } = bundle;
        return { status, body: { ...body, key: { ...rest, ...(keyOps ? { key_ops: keyOps } : {}) } } };
      },
    };
  };
}

/** Reads of an object by its name or by a version, and not its list of versions. */
const isRead = ({ method, path }: Exchange): boolean =>
  method === "GET" && /^\/(keys|secrets)\/[^/]+(\/(?!versions|rotationpolicy)[^/]*)?$/.test(path);
const isDisabled = ({ status, body }: Exchange): boolean =>
  status === 403 || (body as Body | undefined)?.attributes?.enabled === false;

/** Refuses what the service answers, or refuses otherwise. */
function says(
  applies: (exchange: Exchange) => boolean,
  refusal: { status: number; body: Record<string, unknown> },
): ServerHabit {
  return () => ({ answer: (exchange) => (applies(exchange) ? refusal : exchange) });
}

const isPolicy = ({ path }: { path: string }): boolean => path.endsWith("/rotationpolicy");

/** What other servers of the protocol do otherwise, each by itself. */
export const HABITS: Record<string, ServerHabit> = {
  "names another host and port in ids": writes(
    (body) =>
      JSON.parse(JSON.stringify(body).replaceAll(/https?:\/\/[^/"]+/g, "https://internal.example:8443")) as Body,
  ),
  "puts a path before its identifiers": writes(
    (body) =>
      JSON.parse(
        JSON.stringify(body).replaceAll(
          /https?:\/\/[^/"]+(?=\/(keys|secrets|deleted))/g,
          "https://internal.example/vaults/a",
        ),
      ) as Body,
  ),
  "leaves key_ops out": gives(undefined),
  "gives six operations to every key": gives(["encrypt", "decrypt", "sign", "verify", "wrapKey", "unwrapKey"]),
  "writes numbers with a leading zero byte": writes((body) =>
    withNumbers(body, (bytes) => Buffer.concat([Buffer.of(0), bytes])),
  ),
  "writes numbers without leading zero bytes": writes((body) =>
    withNumbers(body, (bytes) => {
      let start = 0;
      while (bytes[start] === 0) start += 1;
      return bytes.subarray(start);
    }),
  ),
  "says nothing of recovery": writes((body) => {
    const { recoveryLevel: _level, recoverableDays: _days, ...attributes } = body.attributes ?? {};
    return { ...body, ...(body.attributes ? { attributes } : {}) };
  }),
  "numbers its recovery levels": writes((body) => ({
    ...body,
    ...(body.attributes ? { attributes: { ...body.attributes, recoveryLevel: 3 } } : {}),
  })),
  "writes SECP256K1": writes((body) => JSON.parse(JSON.stringify(body).replaceAll('"P-256K"', '"SECP256K1"')) as Body),
  "says 409 and no more over a soft-deleted object": says(({ status }) => status === 409, {
    status: 409,
    body: error("Conflict", "The name is taken."),
  }),
  "says 400 and no more over a soft-deleted object": says(
    ({ status, method, path }) => status === 409 && method !== "DELETE" && !path.endsWith("/restore"),
    { status: 400, body: error("BadRequest", "Cannot do that.") },
  ),
  "hides what is disabled behind a 403 without an inner code": says(
    (exchange) => isRead(exchange) && isDisabled(exchange),
    { status: 403, body: error("Forbidden", "The object is disabled.") },
  ),
  "hides what is disabled behind a 404": says((exchange) => isRead(exchange) && isDisabled(exchange), {
    status: 404,
    body: error("NotFound", "No such object."),
  }),
  "has a code of its own for what is not there, its list of versions included": says(
    ({ status, body, path }) =>
      status === 404 || (path.endsWith("/versions") && Array.isArray(body?.value) && body.value.length === 0),
    { status: 404, body: error("NotFound", "No such object.") },
  ),
  "says 400 where a backup is of what it has": says(({ status, path }) => status === 409 && path.endsWith("/restore"), {
    status: 400,
    body: error("BadRequest", "Vault already contains an object with that name."),
  }),
  "takes rotation policies in lower case only": () => ({
    refuse: ({ method, path, sent }) =>
      method === "PUT" && isPolicy({ path }) && /"type":"(Rotate|Notify)"/.test(sent)
        ? { status: 400, body: error("BadRequest", "Unknown lifetime action.") }
        : undefined,
  }),
  "fails to read rotation policies": says((exchange) => exchange.method === "GET" && isPolicy(exchange), {
    status: 500,
    body: error("InternalError", "Not implemented."),
  }),
};

/** Which of them exclude each other: one server has the first of each pair. */
const OTHER_WAYS = [
  "names another host and port in ids",
  "says 400 and no more over a soft-deleted object",
  "leaves key_ops out",
  "writes numbers without leading zero bytes",
  "numbers its recovery levels",
  "hides what is disabled behind a 404",
];

/** One server with all of them, as far as they go together. */
export const ALL_HABITS: ServerHabit[] = Object.entries(HABITS)
  .filter(([title]) => !OTHER_WAYS.includes(title))
  .map(([, habit]) => habit);
