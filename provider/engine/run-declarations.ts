import { createHash } from "node:crypto";
import {
  closeSync,
  fstatSync,
  lstatSync,
  mkdirSync,
  openSync,
  readdirSync,
  readSync,
  rmdirSync,
  unlinkSync,
  writeSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { engineAddressIn } from "./engine-address.js";

/** What begins the name of a program's file. */
const PROGRAM = "program-";

/** The resource of another process that declares an object. */
export interface OtherHolder {
  urn: string;
  /** The program declares it, and this run of the engine leaves it out. */
  isLeftOut: boolean;
}

/**
 * What all provider processes of one run of the engine declare. The engine starts a process for each provider (the dynamic
 * one, the plugin, each explicit instance of it) and tells none of the others: they have in common the engine's address
 * alone. So each notes what it declares in a file of its own, in a folder of that address that only this user can read,
 * and reads those of the others. The program notes there what it declares and the engine shows to no provider, since the
 * run leaves it out (`--exclude`, `--target`): that must not be deleted either. Whatever keeps it from that leaves each
 * process to itself: then the owner tag is all that keeps them apart.
 */
export class RunDeclarations {
  readonly #folder: string;
  readonly #own: string;
  readonly #file: number;
  readonly #others = new Map<string, OtherProcess>();

  private constructor(folder: string, own: string, file: number) {
    this.#folder = folder;
    this.#own = own;
    this.#file = file;
  }

  /** @returns undefined where there can be no such folder. */
  static join(address: string, processId = process.pid, parent = tmpdir()): RunDeclarations | undefined {
    return RunDeclarations.#join(address, String(processId), parent);
  }

  /**
   * The same for the process of a program, which ends before the engine deletes what the program no longer declares. So
   * its file counts for as long as it or what has started it lives, and goes with the last provider of the run.
   */
  static joinAsProgram(
    address: string,
    processIds = [process.pid, process.ppid],
    parent = tmpdir(),
  ): RunDeclarations | undefined {
    return RunDeclarations.#join(address, `${PROGRAM}${processIds.join("-")}`, parent);
  }

  static #join(address: string, own: string, parent: string): RunDeclarations | undefined {
    try {
      const root = join(parent, `pulumi-keyvault-${process.getuid?.() ?? "runs"}`);
      makeOwn(root);
      sweep(root);
      const folder = join(root, address.replace(/[^\w.-]/g, "_"));
      return new RunDeclarations(folder, own, openOwn(folder, own));
    } catch {
      return undefined;
    }
  }

  /**
   * Notes that a resource manages an object.
   *
   * @returns the URN of a resource of another process that does, where there is one: then nothing is noted.
   */
  declare(object: string, urn: string): string | undefined {
    // Written before the others are read: of two at the same time, one at least sees the other.
    this.#note("+", object, urn);
    const holder = this.#holders(object).find((other) => isOtherOfStack(other, urn));
    if (holder !== undefined) this.withdraw(object, urn);
    return holder?.urn;
  }

  withdraw(object: string, urn: string): void {
    this.#note("-", object, urn);
  }

  /** Notes an object of the program that the run leaves out. */
  declareLeftOut(object: string, urn: string): void {
    this.#note("+", object, urn);
  }

  /** The resource of another process that declares an object. One that the run leaves out counts where no other does. */
  holderOf(object: string): OtherHolder | undefined {
    const [holder] = this.#holders(object).sort((a, b) => Number(a.isLeftOut) - Number(b.isLeftOut));
    return holder;
  }

  #holders(object: string): OtherHolder[] {
    try {
      const digest = digestOf(object);
      return readdirSync(this.#folder).flatMap((name) => {
        if (name === this.#own || !isAlive(name)) return [];
        const other = this.#others.get(name) ?? new OtherProcess(join(this.#folder, name));
        this.#others.set(name, other);
        const urn = other.holderOf(digest);
        return urn === undefined ? [] : [{ urn, isLeftOut: name.startsWith(PROGRAM) }];
      });
    } catch {
      // The folder is gone: nobody else is there.
      return [];
    }
  }

  /** The process ends. One that is killed leaves its file to the next run. */
  leave(): void {
    try {
      closeSync(this.#file);
      unlinkSync(join(this.#folder, this.#own));
      const left = readdirSync(this.#folder);
      // What the program has noted is for the providers.
      if (left.every((name) => name.startsWith(PROGRAM))) for (const name of left) unlinkSync(join(this.#folder, name));
      rmdirSync(this.#folder);
    } catch {
      // Others are there still.
    }
  }

  #note(sign: "+" | "-", object: string, urn: string): void {
    try {
      writeSync(this.#file, `${sign}${digestOf(object)} ${urn.replaceAll("\n", " ")}\n`);
    } catch {
      // A full disk is no reason to refuse a program.
    }
  }
}

/** What has been read of another process. Its file only grows. */
class OtherProcess {
  readonly #path: string;
  readonly #declared = new Map<string, string>();
  #offset = 0;
  #rest = "";

  constructor(path: string) {
    this.#path = path;
  }

  holderOf(digest: string): string | undefined {
    this.#readOn();
    return this.#declared.get(digest);
  }

  #readOn(): void {
    const file = openSync(this.#path, "r");
    try {
      const length = fstatSync(file).size - this.#offset;
      if (length <= 0) return;
      const bytes = Buffer.alloc(length);
      this.#offset += readSync(file, bytes, 0, length, this.#offset);
      const lines = (this.#rest + bytes.toString("utf8")).split("\n");
      this.#rest = lines.pop() ?? "";
      for (const line of lines) {
        const digest = line.slice(1, 1 + DIGEST_LENGTH);
        if (line.startsWith("+")) this.#declared.set(digest, line.slice(2 + DIGEST_LENGTH));
        else this.#declared.delete(digest);
      }
    } finally {
      closeSync(file);
    }
  }
}

const DIGEST_LENGTH = 22;

function digestOf(object: string): string {
  return createHash("sha256").update(object).digest("base64url").slice(0, DIGEST_LENGTH);
}

/** Whether it is another resource than that of this URN, and of the same stack. */
function isOtherOfStack({ urn, isLeftOut }: OtherHolder, own: string): boolean {
  const stackOf = (text: string): string => text.split("::", 2).join("::");
  return !isLeftOut && urn !== own && stackOf(urn) === stackOf(own);
}

/** A folder of this user alone. One that somebody else has made there is not taken. */
function makeOwn(folder: string): void {
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  const { mode, uid } = lstatSync(folder);
  const isFolder = (mode & 0o170000) === 0o040000;
  const isOwn = process.getuid === undefined || (uid === process.getuid() && (mode & 0o077) === 0);
  if (!isFolder || !isOwn) throw new Error("not a folder of this user alone");
}

/** Another process may sweep the folder while it is still empty. */
function openOwn(folder: string, name: string, attempts = 3): number {
  makeOwn(folder);
  try {
    return openSync(join(folder, name), "w", 0o600);
  } catch (error) {
    if (attempts <= 1) throw error;
    return openOwn(folder, name, attempts - 1);
  }
}

/** Takes away what processes have left that were killed. */
function sweep(root: string): void {
  for (const address of readdirSync(root)) {
    const folder = join(root, address);
    try {
      for (const name of readdirSync(folder)) if (!isAlive(name)) unlinkSync(join(folder, name));
      rmdirSync(folder);
    } catch {
      // A run that goes on, or one that another process sweeps.
    }
  }
}

/** Whether one of the processes lives by which a file is named. */
function isAlive(name: string): boolean {
  return name
    .replace(PROGRAM, "")
    .split("-")
    .some((processId) => isRunning(Number(processId)));
}

function isRunning(processId: number): boolean {
  try {
    process.kill(processId, 0);
    return true;
  } catch (error) {
    return error instanceof Error && "code" in error && error.code === "EPERM";
  }
}

let joined: RunDeclarations | undefined;
let isJoined = false;

/** The declarations of the run that this process was started for; undefined in a process that no engine has started. */
export function runDeclarations(): RunDeclarations | undefined {
  if (!isJoined) {
    isJoined = true;
    const address = engineAddressIn(process.argv.slice(2));
    joined = address === undefined ? undefined : RunDeclarations.join(address);
    if (joined) process.once("exit", () => joined?.leave());
  }
  return joined;
}
