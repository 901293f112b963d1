import { randomUUID } from "node:crypto";
import { authLayer } from "./auth-layer.js";
import { callFailure } from "./call-failure.js";
import { type Clock, systemClock } from "./clock.js";
import { parseAllowedDomains } from "./cloud-domains.js";
import { Deadline } from "./deadline.js";
import { compose, type Dispatch, type VaultRequest, type VaultResponse } from "./dispatch.js";
import { isKeyVaultError, KeyVaultError, type KeyVaultErrorDetails } from "./errors.js";
import { freshLookLayer } from "./fresh-look-layer.js";
import { isLoopbackHost, isManagedHsm, parseVaultUrl } from "./identifier.js";
import { limitLayer } from "./limit-layer.js";
import { formatPath, type ObjectPath } from "./object-path.js";
import { OPERATIONS, type OperationName } from "./operations.js";
import { type Page, pages } from "./paging.js";
import { retryLayer } from "./retry-layer.js";
import { type CallContext, describe, parseJson, requestIdOf, serviceError } from "./service-error.js";
import { socketDispatch } from "./socket-dispatch.js";
import { sharedTokenCache } from "./token-cache.js";
import type { TokenSource } from "./token-source.js";
import { WireMismatch } from "./wire/json.js";
import { OddLine } from "./wire/page.js";

export interface KeyVaultClientOptions {
  /** `https://<vault>.vault.azure.net`, a Managed HSM, or a server on loopback. */
  vaultUrl: string;
  credential: TokenSource;
  /** What errors call the vault, where its URL would tell nobody anything. Default: its URL. */
  label?: string;
  /** Milliseconds for one call with its retries and its token. Default 120,000. A list has it for each page. */
  timeoutMs?: number;
  /** Default `7.4`. */
  apiVersion?: string;
  /** Default: by the host's name. */
  plane?: "vault" | "managedhsm";
  /**
   * Domains of vaults beside those of Azure's clouds, as their challenge names them: `vault.local.azurestack.external` for
   * `https://NAME.vault.local.azurestack.external`. A host of another domain gets no token.
   */
  allowedDomains?: readonly string[];
  /** Told once of each time that the vault has answered before and does not any more, after 5 seconds of it. */
  onOutage?: (() => void) | undefined;
  /** Told once, where the vault refuses calls with 429 for more than 5 seconds. */
  onThrottled?: (() => void) | undefined;
  /**
   * What ends all waiting of the client once it is aborted, with `KV_TIMEOUT`: reads, and writes before they are sent. A
   * write that is on its way has 5 seconds more for its answer.
   */
  stop?: (() => AbortSignal) | undefined;
  /** For tests. */
  clock?: Clock;
  /** In place of the network, for tests. */
  dispatch?: Dispatch;
}

export interface CallOptions {
  /** Ends the call early, with `KV_TIMEOUT`. */
  signal?: AbortSignal | undefined;
  /** In place of the client's own budget, in milliseconds. */
  timeoutMs?: number | undefined;
  /**
   * Of a write that rests on a look right before the call: called again before it is sent, where it had to wait for more
   * than a second for its turn, a token or another try. What it throws, a KeyVaultError, ends the call unsent.
   */
  lookAgain?: (() => Promise<void>) | undefined;
}

export interface PageOptions extends CallOptions {
  /** 1 to 25, default 25. */
  maxPageSize?: number | undefined;
  /**
   * Hears of a line that cannot be read, in an error that names the object; the others are listed. Default: the list fails with that error, so that nobody
   * takes a part for the whole.
   */
  onOddLine?: ((error: KeyVaultError) => void) | undefined;
}

export interface Call<T> {
  operation: OperationName;
  method: VaultRequest["method"];
  path: ObjectPath;
  /** Made when it is sent, so that input that cannot be sent is an error of the call. */
  body?: () => object;
  objectName?: string;
  version?: string | undefined;
  /** Texts of the body that no error may repeat. */
  secrets?: readonly string[];
  /** Texts of the body that no error may repeat from the answer: tags and the like, which a program may have marked as secrets. */
  echoes?: readonly string[];
  /** Reads the answer; absent where a success has none, which is then proven by its status alone. */
  decode: ((answer: unknown) => T) | undefined;
  /** In what the answer, or a line of a list, is not the answer to this call. */
  difference?: ((answered: T) => string | undefined) | undefined;
}

/** What errors tell of a call. */
type CallFacts = Pick<Call<unknown>, "operation" | "objectName" | "version" | "secrets" | "echoes">;

/** A list: its pages are decoded, and its lines compared. */
export type ListCall<T> = Omit<Call<T>, "decode"> & { decode: (answer: unknown) => Page<T> };

const DEFAULT_TIMEOUT_MS = 120_000;
/** Of a write that is on its way when everything is to stop: its answer says what to record. */
const GRACE_MS = 5_000;

/** What lists more of them is no vault. */
const MOST_ODD_LINES = 1_000;

/** A vault's transport: layers around the socket, and what makes results and errors of its answers. */
export class VaultConnection {
  readonly vaultUrl: string;
  readonly plane: "vault" | "managedhsm";
  readonly clock: Clock;
  readonly #dispatch: Dispatch;
  readonly #close: () => Promise<void>;
  readonly #label: string;
  readonly #isLoopback: boolean;
  readonly #timeoutMs: number;
  readonly #stop: (() => AbortSignal) | undefined;
  readonly #apiVersion: string;
  readonly #query: string;

  constructor(options: KeyVaultClientOptions) {
    this.vaultUrl = parseVaultUrl(options.vaultUrl);
    this.#label = options.label ?? this.vaultUrl;
    this.#isLoopback = isLoopbackHost(new URL(this.vaultUrl).hostname);
    this.plane = options.plane ?? (isManagedHsm(this.vaultUrl) ? "managedhsm" : "vault");
    this.clock = options.clock ?? systemClock;
    this.#timeoutMs = options.timeoutMs ?? DEFAULT_TIMEOUT_MS;
    this.#stop = options.stop;
    this.#apiVersion = options.apiVersion ?? "7.4";
    this.#query = `?api-version=${encodeURIComponent(this.#apiVersion)}`;
    const socket = options.dispatch
      ? { dispatch: options.dispatch, close: async () => {} }
      : socketDispatch(this.vaultUrl);
    this.#close = socket.close;
    this.#dispatch = compose(
      socket.dispatch,
      retryLayer(this.clock, options.onOutage),
      limitLayer(this.clock, options.onThrottled),
      authLayer({
        vaultUrl: this.vaultUrl,
        label: this.#label,
        allowedDomains: parseAllowedDomains(options.allowedDomains ?? []),
        plane: this.plane,
        tokens: sharedTokenCache(options.credential, this.clock),
      }),
      freshLookLayer(this.clock),
    );
  }

  /** Closes the pool. Idle connections do not keep the process alive, so this is seldom needed. */
  close(): Promise<void> {
    return this.#close();
  }

  /** Sends a call and reads its answer. */
  call<T>(call: Call<T>, options: CallOptions = {}): Promise<T> {
    return this.#send(call, undefined, options);
  }

  /** Follows a list through its pages. */
  list<T>(call: ListCall<T>, options: PageOptions = {}): AsyncGenerator<T, void, void> {
    const tell = options.onOddLine ?? refuse;
    const size = options.maxPageSize === undefined ? "" : `&maxresults=${options.maxPageSize}`;
    let odd = 0;
    return pages({
      first: () => `${this.#withVersion(call.path)}${size}`,
      origin: this.vaultUrl,
      apiVersion: this.#apiVersion,
      get: (path) => this.#send<Page<T>>({ ...call, difference: undefined }, path, options),
      read: (page) => {
        const items: T[] = [];
        for (const item of page.items()) {
          if (item instanceof OddLine) (++odd > MOST_ODD_LINES ? refuse : tell)(this.#oddLine(call, item));
          else {
            this.#compare(call, item, {});
            items.push(item);
          }
        }
        return items;
      },
      refuse: (why) => this.#protocolError(call, why, {}),
    });
  }

  #oddLine(call: CallFacts, { name, problem }: OddLine): KeyVaultError {
    const { operation } = call;
    const what = name === undefined ? "something without a name" : JSON.stringify(name);
    return new KeyVaultError(
      "KV_PROTOCOL",
      `${operation} in ${this.#label} lists ${what}, which does not fit (${problem})`,
      {
        hint: "look at that object, or at what answers in the vault's place.",
        ...this.#context(call),
        objectName: call.objectName ?? name,
      },
    );
  }

  #withVersion(path: ObjectPath): string {
    return formatPath(path) + this.#query;
  }

  /** @param link in place of the call's own path. */
  async #send<T>(call: Call<T>, link: string | undefined, options: CallOptions): Promise<T> {
    const path = link ?? this.#withVersion(call.path);
    const timeoutMs = options.timeoutMs ?? this.#timeoutMs;
    const stop = this.#stop?.();
    const isWrite = OPERATIONS[call.operation].write;
    const end = stop && { signal: stop, graceMs: isWrite ? GRACE_MS : 0 };
    using deadline = new Deadline(this.clock, timeoutMs, options.signal, end);
    let response: VaultResponse;
    try {
      if (deadline.ended) throw deadline.reason;
      const { lookAgain } = options;
      const ground = lookAgain && { lookedAt: this.clock.now(), lookAgain };
      const { operation, method, body } = call;
      const request = { operation, method, path, headers: headersOf(call), deadline, ground, stop };
      response = await this.#dispatch(body === undefined ? request : { ...request, body: JSON.stringify(body()) });
    } catch (failure) {
      if (isKeyVaultError(failure)) throw failure;
      throw callFailure(failure, this.#context(call), {
        timeoutMs,
        isExpired: deadline.expired,
        isCancelled: !deadline.expired && (deadline.ended || isStopped(failure, stop)),
        reason: deadline.reason ?? failure,
      });
    }
    if (response.status < 200 || response.status >= 300) {
      throw serviceError(response, this.#context(call), this.clock.now());
    }
    return this.#read(call, response);
  }

  /** Takes an answer for a success only where it proves one: a gateway's page with 200 says nothing of the vault. */
  #read<T>(call: Call<T>, response: VaultResponse): T {
    const facts = {
      status: response.status,
      requestId: requestIdOf(response),
      mayHaveHappened: OPERATIONS[call.operation].write && response.neverAccepted !== true,
    };
    const strange = this.#strangeness(call, response);
    if (strange !== undefined) throw this.#protocolError(call, strange, facts);
    const { decode } = call;
    if (decode === undefined) return undefined as T;
    const answer = parseJson(response.body);
    const result = this.#fitting(call, () => decode(answer), { ...facts, isJson: answer !== undefined });
    this.#compare(call, result, facts);
    return result;
  }

  /** An answer of good form for another object is not believed either: a gateway or a cache mixed something up. */
  #compare<T>(call: Pick<Call<T>, "difference"> & CallFacts, answered: T, facts: KeyVaultErrorDetails): void {
    const difference = call.difference?.(answered);
    if (difference === undefined) return;
    throw this.#protocolError(call, `got the answer to something else: ${difference}`, {
      ...facts,
      ...(facts.mayHaveHappened
        ? {
            hint: "what was asked for may have been done, and so may what the answer tells of: look at both before anything is sent again.",
          }
        : {}),
    });
  }

  /** What is wrong with the form of a success, before its body is looked at. */
  #strangeness(
    { decode }: Pick<Call<unknown>, "decode">,
    { status, headers, body, overlong, neverAccepted }: VaultResponse,
  ) {
    if (overlong) return "got an answer that is longer than any of a vault";
    if (neverAccepted) return "was answered before it was sent as a whole";
    if (decode === undefined) {
      const isProof = status === 204 || (this.#isLoopback && status === 200);
      return isProof && body.trim() === "" ? undefined : "got an answer where a vault gives none";
    }
    if (this.#isLoopback) return undefined;
    if (status !== 200) return `got status ${status}, which no vault answers to it`;
    const type = headers["content-type"];
    return type === undefined || /^application\/json\b/i.test(type) ? undefined : "got an answer that is not JSON";
  }

  /** Reads what was answered, and makes an error of the call where it does not fit. */
  #fitting<T>(
    call: CallFacts,
    read: () => T,
    { isJson = true, ...more }: KeyVaultErrorDetails & { isJson?: boolean },
  ): T {
    try {
      return read();
    } catch (mismatch) {
      if (!(mismatch instanceof WireMismatch)) throw mismatch;
      const why = isJson ? `got an answer that does not fit (${mismatch.message})` : "got an answer that is not JSON";
      throw this.#protocolError(call, why, more);
    }
  }

  #protocolError(call: CallFacts, why: string, more: KeyVaultErrorDetails): KeyVaultError {
    const context = this.#context(call);
    return new KeyVaultError("KV_PROTOCOL", `${describe(context)} ${why}`, {
      hint: "check that the URL is that of a vault and that no proxy answers in its place.",
      ...context,
      ...more,
    });
  }

  #context({ operation, objectName, version, secrets, echoes }: CallFacts): CallContext {
    return {
      operation,
      vaultUrl: this.#label,
      address: this.#label === this.vaultUrl ? undefined : this.vaultUrl,
      isLoopback: this.#isLoopback,
      plane: this.plane,
      objectName,
      version,
      secrets: secrets ?? [],
      echoes: echoes ?? [],
    };
  }
}

function refuse(error: KeyVaultError): never {
  throw error;
}

function isStopped(failure: unknown, stop: AbortSignal | undefined): boolean {
  return stop?.aborted === true && failure === stop.reason;
}

function headersOf({ body }: Pick<Call<unknown>, "body">): Record<string, string> {
  const headers: Record<string, string> = {
    accept: "application/json",
    "user-agent": "pulumi-keyvault",
    "x-ms-client-request-id": randomUUID(),
  };
  if (body !== undefined) headers["content-type"] = "application/json";
  return headers;
}
