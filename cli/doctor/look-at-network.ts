import { lookup, Resolver } from "node:dns/promises";
import { connect } from "node:net";
import { type ConnectionOptions, connect as connectTls } from "node:tls";
import { formatMoment } from "../../provider/engine/moment.js";
import { isLoopbackHost } from "../../provider/keyvault/identifier.js";
import type { Check } from "./diagnosis.js";

/** How names are looked up: the machine's ways, or a test's. */
export interface NameService {
  addresses(host: string): Promise<string[]>;
  /** The names that it is an alias of; empty where there are none, or nobody says. */
  aliases(host: string): Promise<string[]>;
}

export interface NetworkOptions {
  timeoutMs: number;
  env?: NodeJS.ProcessEnv;
  names?: NameService;
}

/** From the name to the TLS handshake, each step apart, so that what fails is told as what it is. */
export async function lookAtNetwork(vaultUrl: string, options: NetworkOptions): Promise<Check[]> {
  const { hostname, port, protocol } = new URL(vaultUrl);
  const { timeoutMs, env = process.env, names = machineNames(timeoutMs) } = options;
  const host = hostname.replace(/^\[|\]$/g, "");
  const target = { host, port: Number(port || (protocol === "https:" ? 443 : 80)) };
  const isLocal = isLoopbackHost(hostname);
  const proxy = isLocal ? undefined : proxyFor(hostname, env);
  if (proxy !== undefined) return await throughProxy(proxy, timeoutMs);

  const { check: name, address } = await nameCheck(host, isLocal, names);
  if (address === undefined) return [name, skipped("connection", "name"), skipped("tls", "name")];
  const connection = await connectionCheck({ ...target, host: address }, timeoutMs);
  if (connection.result === "failed") return [name, connection, skipped("tls", "connection")];
  if (protocol === "http:") {
    const found = "plain HTTP, which is taken on this machine's own addresses only";
    return [name, connection, { check: "tls", result: "skipped", found }];
  }
  return [name, connection, await tlsCheck({ ...target, host: address, servername: host }, timeoutMs)];
}

function skipped(check: Check["check"], after: Check["check"]): Check {
  return { check, result: "skipped", found: `not looked at, after ${after}` };
}

async function nameCheck(
  host: string,
  isLocal: boolean,
  names: NameService,
): Promise<{ check: Check; address?: string | undefined }> {
  if (isLocal) {
    const address = host.endsWith("localhost") ? "127.0.0.1" : host;
    return { check: { check: "name", result: "ok", found: `${host} is this machine` }, address };
  }
  try {
    const addresses = await names.addresses(host);
    const [address] = addresses;
    const aliases = await names.aliases(host);
    const isPrivate = addresses.some(isPrivateAddress);
    const link = aliases.find((alias) => alias.includes(".privatelink."));
    const found = `${host} is ${addresses.slice(0, 4).join(", ")}${isPrivate ? ", a private address" : ""}`;
    if (link === undefined || isPrivate) return { check: { check: "name", result: "ok", found }, address };
    return {
      check: {
        check: "name",
        result: "warning",
        found: `${found}, a public address, though the vault has a private endpoint (${link})`,
        remedy:
          "where the firewall refuses this address: link the private DNS zone to this network (docs/network.md), and run inside it",
      },
      address,
    };
  } catch (error) {
    return {
      check: {
        check: "name",
        result: "failed",
        found: `${host} does not resolve (${codeOf(error)})`,
        remedy: "check the spelling; with a private endpoint, link its private DNS zone to this network",
        code: "KV_TRANSPORT",
      },
    };
  }
}

async function connectionCheck(target: { host: string; port: number }, timeoutMs: number): Promise<Check> {
  const place = `${shownAddress(target.host)}:${target.port}`;
  const failure = await attempt(timeoutMs, (done) => connect(target, done));
  if (failure === undefined) return { check: "connection", result: "ok", found: `${place} takes connections` };
  const isDropped = failure === TIMED_OUT || failure === "ETIMEDOUT";
  return {
    check: "connection",
    result: "failed",
    found: isDropped ? `${place} does not answer (${failure})` : `${place} takes no connection (${failure})`,
    remedy: isDropped
      ? "packets are dropped on the way: look at the firewalls between, and at HTTPS_PROXY where this network has a proxy"
      : "check the address that the name resolves to, and the port",
    code: isDropped ? "KV_TIMEOUT" : "KV_TRANSPORT",
  };
}

async function tlsCheck(target: ConnectionOptions & { servername: string }, timeoutMs: number): Promise<Check> {
  let found = "";
  // An address has no name to send along.
  const servername = /^[\d.:]+$/.test(target.servername) ? "" : target.servername;
  const failure = await attempt(timeoutMs, (done) => {
    const socket = connectTls({ ...target, servername, rejectUnauthorized: true }, () => {
      const { issuer, valid_to: end } = socket.getPeerCertificate();
      const by = oneOf(issuer?.O) ?? oneOf(issuer?.CN) ?? "an authority without a name";
      found = `${socket.getProtocol()}, certificate by ${by}, until ${formatMoment(new Date(end))}`;
      done();
    });
    return socket;
  });
  if (failure === undefined) return { check: "tls", result: "ok", found };
  const isOfTrust = /SIGN|CERT|ISSUER|LEAF/.test(failure) && !failure.includes("EXPIRED");
  return {
    check: "tls",
    result: "failed",
    found: `no TLS with ${target.servername} (${failure})`,
    remedy: isOfTrust
      ? "the certificate is not trusted: a proxy opens TLS, or another server answers. Name its CA in NODE_EXTRA_CA_CERTS before the process starts"
      : "look at what answers there, and at the clock of this machine",
    code: "KV_TRANSPORT",
  };
}

function oneOf(names: string | string[] | undefined): string | undefined {
  return Array.isArray(names) ? names[0] : names;
}

const TIMED_OUT = "no answer in time";

interface Socket {
  once(event: "error", listener: (error: Error) => void): unknown;
  destroy(): unknown;
}

/** Why a connection did not come about; undefined where it did. */
function attempt(timeoutMs: number, open: (done: () => void) => Socket): Promise<string | undefined> {
  return new Promise((settle) => {
    const end = (failure?: string): void => {
      clearTimeout(timer);
      settle(failure);
      socket.destroy();
    };
    const socket = open(() => end());
    const timer = setTimeout(() => end(TIMED_OUT), timeoutMs);
    socket.once("error", (error) => end(codeOf(error)));
  });
}

function codeOf(error: unknown): string {
  if (error instanceof AggregateError) return codeOf(error.errors[0]);
  return error instanceof Error && "code" in error && typeof error.code === "string" ? error.code : "no reason given";
}

function machineNames(timeoutMs: number): NameService {
  return {
    addresses: async (host) => (await lookup(host, { all: true })).map(({ address }) => address),
    async aliases(host) {
      const resolver = new Resolver({ timeout: Math.min(timeoutMs, 2_000), tries: 1 });
      return await resolver.resolveCname(host).catch(() => []);
    },
  };
}

export function isPrivateAddress(address: string): boolean {
  if (address.includes(":")) return /^f[cd]/i.test(address);
  const [first = 0, second = 0] = address.split(".").map(Number);
  if (first === 10 || (first === 192 && second === 168)) return true;
  return (first === 172 && second >= 16 && second <= 31) || (first === 100 && second >= 64 && second <= 127);
}

function shownAddress(host: string): string {
  return host.includes(":") ? `[${host}]` : host;
}

/** The proxy resolves the name and opens the connection, so that it is all that can be looked at from here. */
async function throughProxy(proxy: URL, timeoutMs: number): Promise<Check[]> {
  const port = Number(proxy.port || (proxy.protocol === "https:" ? 443 : 80));
  const connection = await connectionCheck({ host: proxy.hostname.replace(/^\[|\]$/g, ""), port }, timeoutMs);
  const through = `through the proxy ${proxy.host}`;
  return [
    { check: "name", result: "skipped", found: `resolved by the proxy ${proxy.host}` },
    { ...connection, found: `${through}: ${connection.found}` },
    { check: "tls", result: "skipped", found: `${through}: see answer` },
  ];
}

/** The proxy of a host, by the variables that the client reads. User name and password are nobody's business. */
export function proxyFor(hostname: string, env: NodeJS.ProcessEnv): URL | undefined {
  const proxy = env.https_proxy || env.HTTPS_PROXY || env.http_proxy || env.HTTP_PROXY;
  if (!proxy || !URL.canParse(proxy)) return undefined;
  const without = (env.no_proxy || env.NO_PROXY || "").split(/[\s,]+/).filter((entry) => entry !== "");
  const isLeftOut = without.some((entry) => {
    const domain = entry
      .replace(/^\*?\./, "")
      .replace(/:\d+$/, "")
      .toLowerCase();
    return entry === "*" || hostname === domain || hostname.endsWith(`.${domain}`);
  });
  return isLeftOut ? undefined : new URL(proxy);
}
