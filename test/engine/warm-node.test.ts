import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { type Services, startServices } from "./quick/global-setup.js";
import { Stack } from "./stack.js";

/** What a program sees of the process that it runs in, where it is one of `quick/host.cjs`. */
interface Seen {
  isWarm: boolean;
  args: string[];
  folder: string;
  own: string;
  left: string;
  parent: string;
  listeners: number;
}

const LOOK = `
  const { readFileSync } = require("node:fs");
  exports.seen = {
    isWarm: process.channel !== undefined,
    args: process.argv.slice(2),
    folder: process.cwd(),
    own: process.env.OWN,
    left: process.env.LEFT ?? "nothing",
    parent: readFileSync("/proc/" + process.ppid + "/comm", "utf8").trim(),
    listeners: process.listenerCount("exit") + process.listenerCount("beforeExit"),
  };`;

describe("a process that runs one program after another", () => {
  let stack: Stack;
  let other: Stack;
  // Those of the other files may all have their hands full.
  let services: Services;

  beforeAll(async () => {
    services = await startServices();
    const env = { WARM_NODE_PORT: String(services.warmNodes) };
    stack = await Stack.create({ program: LOOK, env: { ...env, OWN: "first" } });
    other = await Stack.create({ program: LOOK, env: { ...env, OWN: "second" } });
  });
  beforeEach(({ skip }) =>
    skip(
      stack.env.WARM_NODE === undefined,
      "each program has a process of its own: COLD_NODE is set, or there is no /proc",
    ),
  );
  afterAll(async () => {
    await stack?.remove();
    await other?.remove();
    services?.end();
  });

  const seen = async (by: Stack): Promise<Seen> => {
    await by.up();
    return (await by.outputs()).seen as Seen;
  };

  it("shows each what the engine has started it with, and nothing of the one before", async () => {
    const [first, second] = [await seen(stack), await seen(other)];
    expect(first).toMatchObject({ isWarm: true, args: [], folder: stack.folder, own: "first", left: "nothing" });
    expect(second).toEqual({ ...first, folder: other.folder, own: "second" });
    expect(first.parent).toMatch(/^pulumi-langu/);

    await other.program(`process.env.LEFT = "something"; process.on("exit", () => {}); ${LOOK}`);
    expect((await seen(other)).left).toBe("something");
    expect(await seen(stack)).toEqual(first);
  });

  it("runs what the program is now, with modules of its own", async () => {
    await stack.file("counter.js", "exports.count = 1;");
    const count = 'const counter = require("./counter.js"); exports.count = counter.count; counter.count += 1;';
    await stack.program(count);
    await stack.up();
    expect((await stack.outputs()).count).toBe(1);
    await stack.up();
    expect((await stack.outputs()).count).toBe(1);
    await stack.file("counter.js", "exports.count = 10;");
    await stack.up();
    expect((await stack.outputs()).count).toBe(10);
  });

  it("tells of a program that fails and of one that leaves, as one of its own would", async () => {
    await stack.program('throw new Error("the program\'s own fault");');
    const thrown = await stack.tryUp();
    expect(thrown.exitCode).not.toBe(0);
    expect(thrown.text).toMatch(/failed with an unhandled exception:[\s\S]*the program's own fault/);

    await stack.program("process.exit(3);");
    const left = await stack.tryUp();
    expect(left.exitCode).not.toBe(0);
    expect(left.text).toMatch(/exited with non-zero exit code: 3/);

    await stack.program("exports.done = true;");
    await stack.up();
    expect(await stack.outputs()).toEqual({ done: true });
  });
});
