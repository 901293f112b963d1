import { type ChildProcess, spawn } from "node:child_process";
import { join } from "node:path";
import { pathToFileURL } from "node:url";

const hooks = pathToFileURL(join(__dirname, "../emulator/typescript-hooks.mjs")).href;

/** The vault's process, which can be killed and started again on the same store. */
export class VaultProcess {
  #child: ChildProcess | undefined;
  #port = 0;
  #starts = 0;

  constructor(
    readonly store: string,
    readonly seed: string,
    readonly timing: "instant" | "short",
  ) {}

  /** Undefined while it is dead. */
  get port(): number | undefined {
    return this.#child === undefined ? undefined : this.#port;
  }

  async start(): Promise<void> {
    this.#starts += 1;
    const server = join(__dirname, "vault-server.mts");
    const args = ["--import", hooks, server, this.store, `${this.seed}.${this.#starts}`, this.timing];
    const child = spawn(process.execPath, args, { stdio: ["ignore", "ignore", "pipe", "ipc"] });
    let complaint = "";
    child.stderr?.on("data", (chunk: Buffer) => {
      complaint += chunk.toString();
    });
    this.#port = await new Promise<number>((resolve, reject) => {
      child.once("message", (message) => {
        const port = message !== null && typeof message === "object" && "port" in message ? message.port : undefined;
        if (typeof port === "number") resolve(port);
        else reject(new Error("The vault's process told no port"));
      });
      child.once("exit", () => reject(new Error(`The vault's process ended: ${complaint.slice(0, 500)}`)));
    });
    this.#child = child;
  }

  async kill(): Promise<void> {
    const child = this.#child;
    this.#child = undefined;
    if (child === undefined) return;
    const ended = new Promise((resolve) => child.once("exit", resolve));
    child.kill("SIGKILL");
    await ended;
  }
}
