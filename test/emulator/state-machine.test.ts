import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { EmulatorClock, startEmulator } from "../../emulator/index.js";
import { callerOf } from "./vault-caller.js";

/** The windows of `timing: "short"`, in milliseconds. */
const window = { deleting: 300, recovering: 300, writes: 200, purging: 300 };
const retention = 7 * 86_400_000;

type Step =
  | {
      do: "write" | "read" | "update" | "delete" | "readDeleted" | "recover" | "purge" | "backup" | "restore";
      name: string;
    }
  | { do: "list" | "listDeleted" }
  | { do: "wait"; milliseconds: number };

/** One name, as this test understands the table of the state machine. Nothing of the emulator is used here. */
interface Modelled {
  phase: "active" | "deleted" | "purged";
  /** Ends Deleting, Recovering (reads) and Purging. */
  settles: number;
  /** Ends Recovering for writes. */
  ready: number;
  purgeAt: number;
  versions: number;
}

class Model {
  readonly names = new Map<string, Modelled>();
  readonly backups = new Map<string, number>();
  now: number;

  constructor(now: number) {
    this.now = now;
  }

  state(name: string): "absent" | "active" | "recovering" | "recovered" | "deleting" | "deleted" | "purging" {
    const it = this.names.get(name);
    if (it === undefined) return "absent";
    if (it.phase === "purged") return this.now < it.settles ? "purging" : "absent";
    if (it.phase === "deleted") {
      if (this.now >= it.purgeAt) return "absent";
      return this.now < it.settles ? "deleting" : "deleted";
    }
    if (this.now < it.settles) return "recovering";
    return this.now < it.ready ? "recovered" : "active";
  }

  versions(name: string): number {
    return this.names.get(name)?.versions ?? 0;
  }
}

type Verdict = { status: number; inner?: string };

/** The table: what each operation answers in each state, and what becomes of the name. */
function expected(model: Model, step: Extract<Step, { name: string }>): Verdict {
  const { name } = step;
  const state = model.state(name);
  const readable = state === "active" || state === "recovered";
  switch (step.do) {
    case "write": {
      if (state === "deleting") return { status: 409, inner: "ObjectIsBeingDeleted" };
      if (state === "deleted") return { status: 409, inner: "ObjectIsDeletedButRecoverable" };
      if (state === "recovering" || state === "recovered") return { status: 409, inner: "ObjectIsBeingRecovered" };
      const versions = state === "active" ? model.versions(name) + 1 : 1;
      model.names.set(name, { phase: "active", settles: 0, ready: 0, purgeAt: 0, versions });
      return { status: 200 };
    }
    case "read":
    case "update":
      return { status: readable ? 200 : 404 };
    case "delete":
      if (!readable) return { status: 404 };
      model.names.set(name, {
        phase: "deleted",
        settles: model.now + window.deleting,
        ready: 0,
        purgeAt: Math.floor(model.now / 1000) * 1000 + retention,
        versions: model.versions(name),
      });
      return { status: 200 };
    case "readDeleted":
      return { status: state === "deleted" ? 200 : 404 };
    case "recover": {
      if (state === "deleting") return { status: 409, inner: "ObjectIsBeingDeleted" };
      if (state === "recovering" || state === "recovered") return { status: 409, inner: "ObjectIsBeingRecovered" };
      if (state === "active") return { status: 400, inner: "RequestNotAllowedOnNonDeletedObject" };
      if (state !== "deleted") return { status: 404 };
      const settles = model.now + window.recovering;
      const versions = model.versions(name);
      model.names.set(name, { phase: "active", settles, ready: settles + window.writes, purgeAt: 0, versions });
      return { status: 200 };
    }
    case "purge":
      if (state === "deleting") return { status: 409, inner: "ObjectIsBeingDeleted" };
      if (state === "recovering" || state === "recovered") return { status: 409, inner: "ObjectIsBeingRecovered" };
      if (state !== "deleted") return { status: 404 };
      model.names.set(name, {
        phase: "purged",
        settles: model.now + window.purging,
        ready: 0,
        purgeAt: 0,
        versions: 0,
      });
      return { status: 204 };
    case "backup":
      if (!readable) return { status: 404 };
      model.backups.set(name, model.versions(name));
      return { status: 200 };
    case "restore": {
      const versions = model.backups.get(name) ?? 0;
      if (state !== "absent") return { status: 409 };
      model.names.set(name, { phase: "active", settles: 0, ready: 0, purgeAt: 0, versions });
      return { status: 200 };
    }
  }
}

const named = fc.record({
  do: fc.constantFrom(
    "write" as const,
    "write" as const,
    "read" as const,
    "update" as const,
    "delete" as const,
    "delete" as const,
    "readDeleted" as const,
    "recover" as const,
    "recover" as const,
    "purge" as const,
    "backup" as const,
    "restore" as const,
  ),
  name: fc.constantFrom("a", "b"),
});
const wait = fc.record({
  do: fc.constant("wait" as const),
  milliseconds: fc.constantFrom(1, 100, 200, 299, 300, 500, 1_000, 1_000, retention),
});
const step: fc.Arbitrary<Step> = fc.oneof(
  { weight: 6, arbitrary: named },
  { weight: 3, arbitrary: wait },
  { weight: 1, arbitrary: fc.record({ do: fc.constantFrom("list" as const, "listDeleted" as const) }) },
);

describe("the state machine of soft delete", () => {
  for (const collection of ["keys", "secrets"] as const) {
    it(`answers every cell of the table for ${collection}, in any order`, async () => {
      await fc.assert(
        fc.asyncProperty(fc.array(step, { minLength: 5, maxLength: 40 }), (steps) => run(collection, steps)),
        { numRuns: Number(process.env.STATE_MACHINE_RUNS ?? 120), seed: 4 },
      );
    }, 300_000);
  }
});

async function run(collection: "keys" | "secrets", steps: readonly Step[]): Promise<void> {
  const clock = new EmulatorClock();
  clock.freeze(1_800_000_000_500);
  const failures: unknown[] = [];
  const emulator = await startEmulator({
    clock,
    timing: "short",
    vaults: [{ name: "model", retentionDays: 7 }],
    onFailure: (error) => failures.push(error),
  });
  const call = callerOf(emulator);
  const model = new Model(clock.now());
  const blobs = new Map<string, unknown>();
  const requestOf = (given: Extract<Step, { name: string }>): [string, string, object?] => {
    const object = `/${collection}/${given.name}`;
    const gone = `/deleted${collection}/${given.name}`;
    switch (given.do) {
      case "write":
        return collection === "keys" ? ["POST", `${object}/create`, { kty: "EC" }] : ["PUT", object, { value: "v" }];
      case "read":
        return ["GET", object];
      case "update":
        return ["PATCH", object, { tags: { x: "y" } }];
      case "delete":
        return ["DELETE", object];
      case "readDeleted":
        return ["GET", gone];
      case "recover":
        return ["POST", `${gone}/recover`];
      case "purge":
        return ["DELETE", gone];
      case "backup":
        return ["POST", `${object}/backup`];
      case "restore":
        return ["POST", `/${collection}/restore`, { value: blobs.get(given.name) }];
    }
  };
  try {
    for (const each of steps) {
      if (each.do === "wait") {
        clock.advance(each.milliseconds);
        model.now += each.milliseconds;
        continue;
      }
      if (!("name" in each)) {
        const listed = await call("GET", each.do === "list" ? `/${collection}` : `/deleted${collection}`);
        const wanted = each.do === "list" ? ["active", "recovered"] : ["deleted"];
        const names = [...model.names.keys()].filter((name) => wanted.includes(model.state(name)));
        expect((listed.body.value as unknown[]).length).toBe(names.length);
        continue;
      }
      if (each.do === "restore" && !blobs.has(each.name)) continue;
      const before = model.state(each.name);
      const verdict = expected(model, each);
      const answered = await call(...requestOf(each));
      const inner = (answered.body.error as { innererror?: { code: string } } | undefined)?.innererror?.code;
      expect({ do: each.do, before, status: answered.status, inner }).toEqual({
        do: each.do,
        before,
        inner: undefined,
        ...verdict,
      });
      if (each.do === "backup" && answered.status === 200) blobs.set(each.name, answered.body.value);
      const versions = await call("GET", `/${collection}/${each.name}/versions`);
      const readable = ["active", "recovered"].includes(model.state(each.name));
      expect((versions.body.value as unknown[]).length).toBe(readable ? Math.min(25, model.versions(each.name)) : 0);
    }
    expect(failures).toEqual([]);
  } finally {
    await emulator.close();
  }
}
