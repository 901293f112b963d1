import { spawnSync } from "node:child_process";
import {
  chmodSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { engineAddressIn } from "../../provider/engine/engine-address.js";
import { RunDeclarations } from "../../provider/engine/run-declarations.js";

const ENGINE = "127.0.0.1:41234";
const OBJECT = "key https://contoso.vault.azure.net orders";
const urnOf = (name: string, stack = "prod"): string => `urn:pulumi:${stack}::shop::keyvault:index:Key::${name}`;
/** Of two providers that live: this process, and the one that has started it. */
const [ONE, TWO] = [process.pid, process.ppid];

let folder: string;
const joined = (address: string, processId: number): RunDeclarations => {
  const run = RunDeclarations.join(address, processId, folder);
  if (run === undefined) throw new Error("nothing was joined");
  return run;
};
const filesOf = (): string[] => readdirSync(folder, { recursive: true, encoding: "utf8" }).sort();
const root = (): string => join(folder, `pulumi-keyvault-${process.getuid?.() ?? "runs"}`);

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "run-declarations-"));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

describe("two providers of one run", () => {
  it("know of each other's objects, and the one that comes second is told whose it is", () => {
    const [one, two] = [joined(ENGINE, ONE), joined(ENGINE, TWO)];
    expect(one.declare(OBJECT, urnOf("orders"))).toBeUndefined();
    expect(two.declare(OBJECT, urnOf("copy"))).toBe(urnOf("orders"));
    expect(one.declare(OBJECT, urnOf("orders"))).toBeUndefined();
    expect(two.declare(`${OBJECT}-eu`, urnOf("copy"))).toBeUndefined();
    expect(one.holderOf(`${OBJECT}-eu`)).toEqual({ urn: urnOf("copy"), isLeftOut: false });
  });

  it("are not told of one resource that both were asked about: the engine may change its provider", () => {
    const [one, two] = [joined(ENGINE, ONE), joined(ENGINE, TWO)];
    expect(one.declare(OBJECT, urnOf("orders"))).toBeUndefined();
    expect(two.declare(OBJECT, urnOf("orders"))).toBeUndefined();
  });

  it("have what the other lets go", () => {
    const [one, two] = [joined(ENGINE, ONE), joined(ENGINE, TWO)];
    one.declare(OBJECT, urnOf("orders"));
    expect(two.holderOf(OBJECT)?.urn).toBe(urnOf("orders"));
    one.withdraw(OBJECT, urnOf("orders"));
    expect(two.declare(OBJECT, urnOf("copy"))).toBeUndefined();
  });

  it("of other runs, or of another stack, know nothing of each other", () => {
    joined(ENGINE, ONE).declare(OBJECT, urnOf("orders"));
    expect(joined("127.0.0.1:41235", TWO).declare(OBJECT, urnOf("copy"))).toBeUndefined();
    expect(joined(ENGINE, TWO).declare(OBJECT, urnOf("copy", "dev"))).toBeUndefined();
  });

  it("read thousands of objects once", () => {
    const [one, two] = [joined(ENGINE, ONE), joined(ENGINE, TWO)];
    for (let index = 0; index < 2_000; index++) {
      one.declare(`${OBJECT}-${index}`, urnOf(`orders-${index}`));
      if (index % 500 === 0) expect(two.holderOf(`${OBJECT}-${index}`)?.urn).toBe(urnOf(`orders-${index}`));
    }
    expect(two.holderOf(`${OBJECT}-1999`)?.urn).toBe(urnOf("orders-1999"));
  });
});

describe("what a program declares and the run leaves out", () => {
  const program = (...processIds: number[]): RunDeclarations => {
    const run = RunDeclarations.joinAsProgram(ENGINE, processIds, folder);
    if (run === undefined) throw new Error("nothing was joined");
    return run;
  };

  it("is known to the providers after the program has ended, for as long as what has started it lives", () => {
    const dead = spawnSync(process.execPath, ["--eval", "0"]).pid;
    const one = joined(ENGINE, ONE);
    program(dead, TWO).declareLeftOut(OBJECT, urnOf("orders"));
    expect(one.holderOf(OBJECT)).toEqual({ urn: urnOf("orders"), isLeftOut: true });
    program(dead, dead).declareLeftOut(`${OBJECT}-eu`, urnOf("orders-eu"));
    expect(one.holderOf(`${OBJECT}-eu`)).toBeUndefined();
  });

  it("keeps no resource from an object, and comes behind the one that has it", () => {
    const [one, two] = [joined(ENGINE, ONE), joined(ENGINE, TWO)];
    program(ONE, TWO).declareLeftOut(OBJECT, urnOf("orders"));
    expect(one.declare(OBJECT, urnOf("twin"))).toBeUndefined();
    expect(two.holderOf(OBJECT)).toEqual({ urn: urnOf("twin"), isLeftOut: false });
  });

  it("goes with the last provider of the run", () => {
    const [one, two] = [joined(ENGINE, ONE), joined(ENGINE, TWO)];
    program(ONE, TWO).declareLeftOut(OBJECT, urnOf("orders"));
    one.leave();
    expect(two.holderOf(OBJECT)?.isLeftOut).toBe(true);
    two.leave();
    expect(readdirSync(root())).toEqual([]);
  });
});

describe("what a provider notes of its objects", () => {
  it("can be read by this user alone, and holds no name of a vault or key", () => {
    joined(ENGINE, ONE).declare(OBJECT, urnOf("a"));
    const file = filesOf().find((name) => name.endsWith(`/${ONE}`)) ?? "";
    const text = readFileSync(join(folder, file), "utf8");
    expect(text).toContain(urnOf("a"));
    expect(text).not.toMatch(/contoso|orders/);
    expect(statSync(join(folder, file)).mode & 0o777).toBe(0o600);
    expect(statSync(root()).mode & 0o777).toBe(0o700);
  });

  it("goes with the process, and what a killed one has left counts for nothing and goes with the next run", () => {
    const dead = spawnSync(process.execPath, ["--eval", "0"]).pid;
    joined(ENGINE, dead).declare(OBJECT, urnOf("orders"));
    const next = joined(ENGINE, TWO);
    expect(next.declare(OBJECT, urnOf("copy"))).toBeUndefined();
    expect(filesOf().some((name) => name.endsWith(`/${dead}`))).toBe(false);
    next.leave();
    expect(readdirSync(root())).toEqual([]);
  });

  it.skipIf(process.getuid === undefined)("is noted nowhere where the folder is open to others, or a link", () => {
    mkdirSync(root());
    chmodSync(root(), 0o777);
    expect(RunDeclarations.join(ENGINE, ONE, folder)).toBeUndefined();
    rmSync(root(), { recursive: true });
    mkdirSync(join(folder, "elsewhere"), { mode: 0o700 });
    symlinkSync(join(folder, "elsewhere"), root());
    expect(RunDeclarations.join(ENGINE, ONE, folder)).toBeUndefined();
    expect(readdirSync(join(folder, "elsewhere"))).toEqual([]);
  });

  it("is noted nowhere where nothing can be written", () => {
    expect(RunDeclarations.join(ENGINE, ONE, join(folder, "file", "\0"))).toBeUndefined();
    expect(existsSync(root())).toBe(false);
  });
});

describe("the engine's address", () => {
  it.each([
    [["127.0.0.1:41234"], "127.0.0.1:41234"],
    [["--logtostderr", "-v=9", "127.0.0.1:41234"], "127.0.0.1:41234"],
    [["--tracing", "http://127.0.0.1:9411/api", "127.0.0.1:41234"], "127.0.0.1:41234"],
    [["--tracing", "collector:4317", "127.0.0.1:41234"], "127.0.0.1:41234"],
    [["[::1]:41234"], "[::1]:41234"],
    [[], undefined],
    [["--help", "C:\\program.js"], undefined],
  ])("of %j is %s", (args, address) => {
    expect(engineAddressIn(args)).toBe(address);
  });
});
