import type { Vault } from "../vault.js";

/** Where a request was sent: which vault, and how the caller wrote its address. */
export interface Address {
  readonly vault: Vault;
  /** What ids begin with. The service's ids carry no port; here a port that is not the default has to stay. */
  readonly origin: string;
  /** What paging links begin with: always with a port. */
  readonly pageOrigin: string;
  /** The challenge's resource. */
  readonly resource: string;
}

const host = /^(\[[0-9a-f:.]{2,45}\]|[0-9a-z]([0-9a-z.-]{0,251}[0-9a-z])?)(?::(\d{1,5}))?$/i;
const clouds = ["vault.azure.net", "managedhsm.azure.net"];

/** The vaults of one emulator, told apart by the first label of the host; a bare host is the first vault. */
export class VaultDirectory {
  readonly #vaults: readonly Vault[];
  readonly #scheme: "http" | "https";

  constructor(vaults: readonly Vault[], scheme: "http" | "https") {
    this.#vaults = vaults;
    this.#scheme = scheme;
  }

  /** @returns nothing for a host that names no vault. */
  locate(hostHeader: string | undefined, localPort: number): Address | undefined {
    const found = host.exec(hostHeader ?? "");
    const name = found?.[1]?.toLowerCase() ?? "127.0.0.1";
    const defaultPort = this.#scheme === "https" ? 443 : 80;
    const port = found === null ? localPort : Number(found[3] ?? defaultPort);
    const vault = this.#vaultOf(name);
    if (vault === undefined) return undefined;
    return {
      vault,
      origin: `${this.#scheme}://${name}${port === defaultPort ? "" : `:${port}`}`,
      pageOrigin: `${this.#scheme}://${name}:${port}`,
      resource: resourceOf(vault, name),
    };
  }

  #vaultOf(name: string): Vault | undefined {
    const dot = name.indexOf(".");
    const isAddress = name.startsWith("[") || /^[\d.]+$/.test(name);
    if (dot === -1 || isAddress) return this.#vaults[0];
    const label = name.slice(0, dot);
    const named = this.#vaults.find((vault) => vault.name.toLowerCase() === label);
    // A single vault answers under any name: through a tunnel, in a container, behind a hosts file.
    return named ?? (this.#vaults.length === 1 ? this.#vaults[0] : undefined);
  }
}

/**
 * Azure's clients want the host to end with `.` and the resource's host. `<vault>.localhost` gets `https://localhost`,
 * so that they can leave that check on; a bare address can never satisfy it and gets the cloud's own resource.
 */
function resourceOf(vault: Vault, name: string): string {
  const suffix = name.slice(name.indexOf(".") + 1);
  const named = name.includes(".") && !/^[\d.]+$/.test(name) && !name.startsWith("[");
  const cloud = vault.plane === "vault" ? "https://vault.azure.net" : "https://managedhsm.azure.net";
  if (!named || clouds.includes(suffix)) return cloud;
  return `https://${suffix}`;
}
