import { describe, expect, it } from "vitest";
import { walk } from "./guide-walk.js";

/** What these pages say is done here, command by command; the others' programs are compiled (test/docs). */
const GUIDES: [page: string, options?: { fragments: boolean }][] = [
  ["docs/keys.md", { fragments: true }],
  ["docs/deletion.md"],
  ["docs/refactoring.md"],
  ["docs/backup-and-restore.md"],
  ["docs/components.md"],
  ["docs/drift-by-hand.md"],
];

// They run beside each other: on a busy machine each takes as long as all.
describe.concurrent("what a guide says works as it stands", { timeout: 600_000 }, () => {
  it.each(GUIDES)("%s", async (page, options) => {
    expect(await walk(page, options)).toEqual([]);
  });
});
