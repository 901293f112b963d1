import { identifierOf } from "./operation.js";

/** Which emulated value stands for which recorded one: versions, backup blobs, ciphertexts and signatures. */
export class Correspondence {
  readonly #emulated = new Map<string, string>();
  readonly #recorded = new Map<string, string>();
  readonly #values = new Map<string, string>();

  /** The emulator's version for a recorded one; an unknown one stands for itself. */
  version(recorded: string): string {
    return this.#emulated.get(recorded) ?? recorded;
  }

  knowsVersion(recorded: string): boolean {
    return this.#emulated.has(recorded);
  }

  /** Binds two versions. @returns what is wrong when either stands for another one already. */
  bindVersion(recorded: string, emulated: string): string | undefined {
    const expected = this.#emulated.get(recorded);
    const taken = this.#recorded.get(emulated);
    if (expected === emulated) return undefined;
    if (expected !== undefined) return `is not the version that stood for ${recorded} before`;
    if (taken !== undefined) return `is the version that stands for ${taken}, where the recording has ${recorded}`;
    this.#emulated.set(recorded, emulated);
    this.#recorded.set(emulated, recorded);
    return undefined;
  }

  /** Binds opaque values (a blob, a ciphertext, a signature). */
  bindValue(recorded: string, emulated: string): void {
    this.#values.set(recorded, emulated);
  }

  value(recorded: string): string | undefined {
    return this.#values.get(recorded);
  }

  /** The recorded path with the emulator's versions. */
  path(recorded: string): string {
    return recorded.replace(/[0-9a-f]{32}/g, (version) => this.version(version));
  }

  /** Compares two identifiers by name and version, never by host. @returns what differs. */
  compareIdentifiers(recorded: string, emulated: string): string | undefined {
    const wanted = identifierOf(recorded);
    const found = identifierOf(emulated);
    if (wanted === undefined) return wanted === found ? undefined : "is an identifier, where the recording has none";
    if (found === undefined) return "is not an identifier";
    if (wanted.name.toLowerCase() !== found.name.toLowerCase()) return `names ${found.name}, not ${wanted.name}`;
    if (collectionOf(recorded) !== collectionOf(emulated)) return `is in ${collectionOf(emulated)}`;
    if ((wanted.version === undefined) !== (found.version === undefined)) {
      return wanted.version === undefined ? "has a version" : "has no version";
    }
    if (/^https?:\/\/[^/]*:\d+\//.test(emulated) && !/localhost|127\.0\.0\.1/.test(emulated)) return "carries a port";
    if (wanted.version === undefined || found.version === undefined) return undefined;
    if (!/^[0-9a-f]{32}$/.test(found.version)) return "has a version that is not 32 hex digits";
    return this.bindVersion(wanted.version, found.version);
  }
}

const collectionOf = (id: string) => /^https?:\/\/[^/]+\/([^/]+)/.exec(id)?.[1];
