import { generateKeyPairSync } from "node:crypto";
import { type Emulator, startEmulator } from "pulumi-keyvault/emulator";
import { z } from "zod";

const API_VERSION = "7.4";

const keySchema = z.looseObject({
  key: z.looseObject({ kid: z.string(), n: z.string().optional(), x: z.string().optional() }),
  tags: z.record(z.string(), z.string()).optional(),
});

/** A vault's file, as somebody with an ordinary HTTP client and a token sees it: nothing of the provider is used. */
export class VaultByHand {
  readonly #vault: Emulator;

  private constructor(vault: Emulator) {
    this.#vault = vault;
  }

  static async open(file: string): Promise<VaultByHand> {
    return new VaultByHand(await startEmulator({ store: file, timing: "instant" }));
  }

  /** Replaces the tags of a key, as the portal does. Gives a line that says so. */
  async changeTags(name: string, tags: Record<string, string>): Promise<string> {
    const { kid } = (await this.getKey(name)).key;
    await this.#send("PATCH", new URL(kid).pathname, { tags });
    return `PATCH /keys/${name}   tags = ${JSON.stringify(tags)}`;
  }

  /** Imports another key under the name: the old one is still there, as an older version. */
  async swapKey(name: string): Promise<string> {
    const jwk = generateKeyPairSync("ec", { namedCurve: "P-384" }).privateKey.export({ format: "jwk" });
    const { tags } = await this.getKey(name);
    await this.#send("PUT", `/keys/${name}`, { key: jwk, tags });
    return `PUT   /keys/${name}           another EC P-384 key`;
  }

  async getKey(name: string): Promise<z.infer<typeof keySchema>> {
    return keySchema.parse(await this.#send("GET", `/keys/${name}`));
  }

  async close(): Promise<void> {
    await this.#vault.close();
  }

  async #send(method: string, path: string, body?: unknown): Promise<unknown> {
    const response = await fetch(`${this.#vault.url}${path}?api-version=${API_VERSION}`, {
      method,
      headers: { authorization: `Bearer ${this.#vault.token}`, "content-type": "application/json" },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    });
    if (!response.ok) throw new Error(`${method} ${path} answered ${response.status}`);
    return response.json();
  }
}
