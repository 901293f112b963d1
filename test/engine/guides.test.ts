import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { startEmulator } from "../../emulator/index.js";
import { type WalkOptions, walk } from "./guide-walk.js";
import { keyClient, secretClient } from "./vault-by-hand.js";

/** What these pages say is done here, command by command; the others' programs are compiled (test/docs). */
const GUIDES: [page: string, options?: WalkOptions][] = [
  ["docs/keys.md", { fragments: true }],
  ["docs/deletion.md"],
  ["docs/refactoring.md"],
  ["docs/backup-and-restore.md"],
  ["docs/components.md"],
  ["docs/secrets.md"],
  ["docs/sign-in.md"],
  ["docs/adopt.md", { prepare: (folder) => filledByHand(join(folder, "contoso.vault")) }],
  ["docs/drift-by-hand.md"],
];

/** Two at a time: a run of the engine waits as much as it computes. */
const lanes: Promise<unknown>[] = [Promise.resolve(), Promise.resolve()];

describe.concurrent("what a guide says works as it stands", { timeout: 600_000 }, () => {
  it.each(GUIDES)("%s", async (page, options) => {
    const lane = GUIDES.findIndex(([name]) => name === page) % lanes.length;
    const walked = (lanes[lane] ?? Promise.resolve()).then(() => walk(page, options));
    lanes[lane] = walked.catch(() => {});
    expect(await walked).toEqual([]);
  });
});

/** A vault that was there before Pulumi. */
async function filledByHand(store: string): Promise<void> {
  const vault = await startEmulator({ store });
  await keyClient(vault).createRsaKey("orders-signing", { tags: { team: "orders" } });
  await secretClient(vault).setSecret("orders-database", "correct horse", { contentType: "text/plain" });
  await vault.close();
}
