import { request as httpRequest } from "node:http";
import { type Emulator, EmulatorClock, startEmulator, type VaultOptions } from "../emulator/index.js";
import type { EmulatedAnswer } from "./error-shape.js";
import { type ErrorAnswer, errorOf } from "./json.js";
import type { RecordedCollection } from "./operation.js";
import type { Step } from "./scenario.js";
import type { VaultSetup } from "./vault-setup.js";

/** Milliseconds that the asynchronous changes which begin with the next request take. */
export interface Windows {
  deleting: number;
  recovering: number;
  recoveringWrites: number;
  purging: number;
}

/** Who sends a request. */
export type Caller =
  | { kind: "owner" }
  | { kind: "nobody" }
  | { kind: "wrongAudience"; audience: string }
  | { kind: "wrongIssuer" }
  /** Somebody without the permission that the request needs, refused in the words of one of the two models. */
  | { kind: "without"; model: "accessPolicy" | "rbac" };

export interface StageRequest {
  host: string;
  method: string;
  /** Path and query as they go on the wire. */
  target: string;
  body?: unknown;
  caller?: Caller;
}

const instant: Windows = { deleting: 0, recovering: 0, recoveringWrites: 0, purging: 0 };

/** A fresh emulator with a vault per recorded host, its clock in the hand of the replay. */
export class Stage {
  readonly clock: EmulatorClock;
  readonly #emulator: Emulator;
  readonly #vaults: Map<string, string>;
  readonly #planes: Map<string, "vault" | "managedhsm">;
  readonly #windows: { next: Windows };

  private constructor(
    emulator: Emulator,
    clock: EmulatorClock,
    vaults: Map<string, string>,
    windows: { next: Windows },
    planes: Map<string, "vault" | "managedhsm">,
  ) {
    this.#emulator = emulator;
    this.clock = clock;
    this.#vaults = vaults;
    this.#planes = planes;
    this.#windows = windows;
  }

  static async open(setups: VaultSetup[], startsAt: number): Promise<Stage> {
    const clock = new EmulatorClock();
    clock.freeze(startsAt);
    const windows = { next: instant };
    const vaults = new Map<string, string>();
    const options = setups.map((setup, index) => {
      const name = `replayed-${index}`;
      vaults.set(setup.host, name);
      return optionsOf(name, setup);
    });
    for (const plane of new Set(setups.map((setup) => setup.plane))) {
      // Backups of the recorded vaults' past come from a vault beside them, unreadable ones from far away.
      for (const [host, name, geography] of [
        [elsewhere(plane), `elsewhere-${plane}`, "local"],
        [abroad(plane), `abroad-${plane}`, "abroad"],
      ] as const) {
        vaults.set(host, name);
        options.push({ name, plane, geography });
      }
    }
    const emulator = await startEmulator({
      vaults: options,
      clock,
      seed: "conformance",
      timing: {
        deleting: () => windows.next.deleting,
        recovering: () => windows.next.recovering,
        recoveringWrites: () => windows.next.recoveringWrites,
        purging: () => windows.next.purging,
      },
    });
    const planes = new Map(setups.map(({ host, plane }) => [host, plane]));
    return new Stage(emulator, clock, vaults, windows, planes);
  }

  get emulator(): Emulator {
    return this.#emulator;
  }

  planeOf(host: string): "vault" | "managedhsm" {
    return this.#planes.get(host) ?? "vault";
  }

  vaultName(host: string): string {
    return this.#vaults.get(host) ?? this.#vaults.values().next().value ?? "";
  }

  close(): Promise<void> {
    return this.#emulator.close();
  }

  /** Puts the service into the mood that a step shows: throttled, behind a firewall, being restored. */
  prepare(step: Step): void {
    const error = errorOf(step.exchange.response.body);
    const vault = this.#emulator.vault(this.vaultName(step.host));
    vault.configure({
      firewall: firewallOf(error),
      restoring: error?.code === "Conflict" && /Restore operation is in progress/.test(error.message),
    });
    this.#emulator.faults.clear();
    const { status } = step.exchange.response;
    if (status === 429) this.#emulator.faults.add({ kind: "throttled", times: 1 });
    if (status === 409 && isParallelWork(step, error)) this.#emulator.faults.add({ kind: "conflict", times: 1 });
    if (status >= 500) this.#emulator.faults.add({ kind: "status", status, times: 1 });
  }

  /** Ends the mood of a step. */
  calm(host: string): void {
    this.#emulator.vault(this.vaultName(host)).configure({ firewall: "open", restoring: false });
    this.#emulator.faults.clear();
  }

  /** The lifetime of an object belongs to a certificate from now on, or no more. */
  markManaged(host: string, collection: RecordedCollection, name: string, managed: boolean): void {
    this.#emulator.vault(this.vaultName(host)).giveToCertificate(collection, name, managed);
  }

  async send(message: StageRequest, windows: Windows = instant): Promise<EmulatedAnswer> {
    this.#windows.next = windows;
    const base = new URL(this.#emulator.vault(this.vaultName(message.host)).url);
    const token = await this.#token(message);
    const body = message.body === undefined ? undefined : JSON.stringify(message.body);
    return new Promise((resolve, reject) => {
      const sent = httpRequest(
        {
          host: "127.0.0.1",
          port: base.port,
          method: message.method,
          path: message.target,
          headers: {
            host: base.host,
            ...(token === undefined ? {} : { authorization: `Bearer ${token}` }),
            ...(body === undefined
              ? {}
              : { "content-type": "application/json", "content-length": Buffer.byteLength(body) }),
          },
        },
        (response) => {
          const chunks: Buffer[] = [];
          response.on("data", (chunk: Buffer) => chunks.push(chunk));
          response.on("error", reject);
          response.on("end", () => {
            const headers: Record<string, string> = {};
            for (const [name, value] of Object.entries(response.headers)) headers[name] = String(value);
            resolve({
              status: response.statusCode ?? 0,
              headers,
              body: parsed(Buffer.concat(chunks).toString("utf8")),
            });
          });
        },
      );
      sent.on("error", reject);
      sent.end(body);
    });
  }

  /** A token of whoever sends the request. */
  async #token({ host, caller = { kind: "owner" } }: StageRequest): Promise<string | undefined> {
    const vault = this.#emulator.vault(this.vaultName(host));
    vault.configure({
      permissions: undefined,
      trustedIssuers: caller.kind === "wrongIssuer" ? ["https://sts.windows.net/trusted/"] : undefined,
    });
    switch (caller.kind) {
      case "nobody":
        return undefined;
      case "wrongAudience":
        return (await this.#emulator.credentialFor("stranger").getToken(`${caller.audience}/.default`)).token;
      case "wrongIssuer":
        return (await this.#emulator.credential.getToken("https://vault.azure.net/.default")).token;
      case "without":
        vault.configure({ permissions: { model: caller.model, principals: {} } });
        return this.#emulator.token;
      default:
        return this.#emulator.token;
    }
  }
}

/** A conflict that no state explains: somebody else was at work on the same object. */
function isParallelWork({ operation }: Step, error: ErrorAnswer | undefined): boolean {
  const restores = operation.kind === "restore" || /Restore operation is in progress/.test(error?.message ?? "");
  return error?.code === "Conflict" && error.innerCode === undefined && !restores;
}

function firewallOf(
  error: ErrorAnswer | undefined,
): "open" | "firewall" | "networkSecurityPerimeter" | "publicAccessDisabled" {
  if (error?.innerCode === "ForbiddenByConnection") return "publicAccessDisabled";
  if (error?.innerCode !== "ForbiddenByFirewall") return "open";
  return /NSP rules/.test(error.message) ? "networkSecurityPerimeter" : "firewall";
}

/** Not hosts of a recording: the vault that foreign backups come from, and one whose backups no other vault reads. */
export const elsewhere = (plane: "vault" | "managedhsm") => ` elsewhere ${plane}`;
export const abroad = (plane: "vault" | "managedhsm") => ` abroad ${plane}`;

function optionsOf(name: string, setup: VaultSetup): VaultOptions {
  return {
    name,
    plane: setup.plane,
    sku: setup.sku,
    softDelete: setup.softDelete,
    purgeProtection: setup.purgeProtection,
    retentionDays: setup.retentionDays,
  };
}

function parsed(text: string): unknown {
  if (text === "") return undefined;
  try {
    return JSON.parse(text) as unknown;
  } catch {
    return text;
  }
}
