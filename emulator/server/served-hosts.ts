import { isIP } from "node:net";
import type { Vault } from "../vault.js";

const hostHeader = /^(?:\[([0-9a-f:.]{2,45})\]|([0-9a-z](?:[0-9a-z.-]{0,251}[0-9a-z])?)\.?)(?::\d{1,5})?$/i;
const clouds = [
  ".vault.azure.net",
  ".managedhsm.azure.net",
  ".vault.azure.cn",
  ".managedhsm.azure.cn",
  ".vault.usgovcloudapi.net",
  ".managedhsm.usgovcloudapi.net",
];

/**
 * The names that an emulator is reached by. A page in a browser can have its own name lead to loopback (DNS rebinding)
 * and then read what is there; nobody but the machine decides where addresses, `localhost` and Azure's names lead.
 */
export class ServedHosts {
  readonly #names: ReadonlySet<string>;
  readonly #anyName: boolean;

  /** @param tls a certificate proves the name: any will do. */
  constructor(vaults: readonly Vault[], names: readonly string[], tls: boolean) {
    const own = vaults.flatMap(({ name }) => clouds.map((cloud) => `${name.toLowerCase()}${cloud}`));
    this.#names = new Set(["localhost", ...own, ...names.map((name) => name.toLowerCase())]);
    this.#anyName = tls;
  }

  /** Without a Host header there is no browser. */
  serves(header: string | undefined): boolean {
    if (this.#anyName || header === undefined) return true;
    const found = hostHeader.exec(header);
    if (found === null) return false;
    const [, address, name = ""] = found;
    if (address !== undefined) return isIP(address) === 6;
    const lower = name.toLowerCase();
    return this.#names.has(lower) || lower.endsWith(".localhost") || isIP(lower) === 4;
  }
}
