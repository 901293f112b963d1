import { connect, createServer, type Server, type Socket } from "node:net";
import { SeededRandom } from "../../emulator/seeded-random.js";

const REQUEST = /^(GET|PUT|POST|PATCH|DELETE) \//;

/**
 * The line between the provider and the vault: an address that stays while the vault's process comes and goes, that
 * counts requests and answers, and that can be cut. A request is on its way for up to 80 ms: what is cut or left by its
 * sender in that time is lost in one round and arrives all the same in the next.
 */
export class CuttableLine {
  requests = 0;
  answers = 0;
  /** Told of each request as it sets out, and of each answer as it arrives. */
  onTraffic: (kind: "request" | "answer") => void = () => undefined;
  /** Whether a request that is on its way when the line is cut arrives. */
  arrives = false;
  #isDown = false;
  readonly #random: SeededRandom;
  readonly #server: Server;
  readonly #ends = new Set<Socket>();

  private constructor(
    seed: string,
    private readonly vaultPort: () => number | undefined,
  ) {
    this.#random = new SeededRandom(`line ${seed}`);
    this.#server = createServer((near) => this.#connect(near));
  }

  static async open(seed: string, vaultPort: () => number | undefined): Promise<CuttableLine> {
    const line = new CuttableLine(seed, vaultPort);
    await new Promise<void>((resolve) => line.#server.listen(0, "127.0.0.1", resolve));
    return line;
  }

  get port(): number {
    const address = this.#server.address();
    return typeof address === "object" && address !== null ? address.port : 0;
  }

  /** Ends every connection; new ones are refused until {@link mend}. */
  cut(): void {
    this.#isDown = true;
    for (const near of this.#ends) near.destroy();
  }

  mend(): void {
    this.#isDown = false;
  }

  async close(): Promise<void> {
    this.cut();
    await new Promise((resolve) => this.#server.close(resolve));
  }

  #connect(near: Socket): void {
    const port = this.vaultPort();
    if (this.#isDown || port === undefined) {
      near.on("error", () => undefined).resetAndDestroy();
      return;
    }
    const far = connect(port, "127.0.0.1");
    this.#ends.add(near);
    let sent = Promise.resolve();
    near.on("data", (chunk) => {
      if (REQUEST.test(chunk.toString("latin1", 0, 10))) {
        this.requests += 1;
        this.onTraffic("request");
      }
      const way = this.#random.next() * 80;
      sent = sent.then(async () => {
        await new Promise((resolve) => setTimeout(resolve, way));
        if (!near.destroyed || this.arrives) far.write(chunk);
      });
    });
    far.on("data", (chunk) => {
      if (chunk.toString("latin1", 0, 7) === "HTTP/1.") {
        this.answers += 1;
        this.onTraffic("answer");
      }
      if (!near.destroyed) near.write(chunk);
    });
    near.on("error", () => undefined);
    far.on("error", () => undefined);
    near.on("close", () => {
      this.#ends.delete(near);
      void sent.then(() => far.end());
    });
    far.on("close", () => near.destroy());
  }
}
