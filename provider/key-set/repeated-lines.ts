import { type Teller, throughSieve } from "../engine/progress.js";

/** As many as a person reads. */
const MOST_TOLD = 20;
const MOST_NAMED = 100;

/** What is told of many keys alike: the first of them each by a line, and all others by one line at the end. */
export class RepeatedLines {
  readonly #kinds = new Map<string, { count: number; more: string[]; teller: Teller }>();

  /** Runs the work of one key. What it tells without the key's name is told as it is. */
  async of(name: string, work: () => Promise<void>): Promise<void> {
    await throughSieve((line, teller) => this.#hear(name, line, teller), work);
  }

  #hear(name: string, line: string, teller: Teller): void {
    const kind = line.replaceAll(`"${name}"`, '"…"');
    const known = this.#kinds.get(kind) ?? { count: 0, more: [], teller };
    if (kind === line || ++known.count <= MOST_TOLD) teller(line);
    else known.more.push(name);
    if (kind !== line) this.#kinds.set(kind, known);
  }

  end(): void {
    for (const [kind, { more, teller }] of this.#kinds) {
      if (more.length === 0) continue;
      const shown = `${more.slice(0, MOST_NAMED).join(", ")}${more.length > MOST_NAMED ? ", …" : ""}`;
      teller(`${kind}; so it is with ${more.length} more: ${shown}`);
    }
  }
}
