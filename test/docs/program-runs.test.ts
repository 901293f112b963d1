import { afterAll, afterEach, beforeAll, describe, expect, it, vi } from "vitest";
import { type Block, pages } from "./page.js";
import { ProgramRun } from "./program-run.js";

/** Pages whose programs are run on the engine, by test/engine/guides.test.ts and test/engine/mocks.test.ts. */
const ELSEWHERE = ["docs/keys.md", "docs/testing.md"];

/** Alternatives, of which a program has one. */
const EACH_LINE = /^new keyvault\.Key\("copy".*\n(new keyvault\.Key\("copy")/;

const programs = pages()
  .filter(({ path }) => !ELSEWHERE.includes(path))
  .flatMap(({ blocks }) => blocks.filter(({ language, note, file }) => language === "ts" && note === "" && !file))
  // A policy pack is a server: test/engine/policy-pack.test.ts runs one.
  .filter(({ text }) => !text.includes("new PolicyPack("))
  .flatMap(alternatives);

describe("what a page shows of a program runs, up to the vault", () => {
  let run: ProgramRun;
  beforeAll(() => {
    run = new ProgramRun();
  });
  afterAll(() => run.close());
  afterEach(() => {
    vi.unstubAllGlobals();
    vi.unstubAllEnvs();
  });

  it("that is, of all pages but those that are run on the engine", () => {
    expect(programs.length).toBeGreaterThan(20);
  });

  it.each(programs.map((block): [string, Block] => [block.place, block]))("%s", async (_place, { text }) => {
    vi.spyOn(console, "log").mockImplementation(() => {});
    await run.prepare(text);
    expect(await run.run(text)).toEqual([]);
  });
});

function alternatives(block: Block): Block[] {
  if (!EACH_LINE.test(block.text)) return [block];
  const lines = block.text.trim().split("\n");
  return lines.map((text, index) => ({ ...block, place: `${block.place}, line ${index + 1}`, text }));
}
