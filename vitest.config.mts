import { globSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { defineConfig } from "vitest/config";

/** Rooms whose files start other programs, such as the engine. They come first, so that none of them is left alone at the end. */
const LONG = ["test/engine/**/*.test.ts", "test/packaging/**/*.test.ts", "test/tools/**/*.test.ts"];
/** Rooms whose files leave nothing behind in their process: it runs one after another, since a third of their time is loading. */
const SHARING = [
  "cli",
  "conformance",
  "emulator",
  "generated",
  "key-inventory",
  "keyvault",
  "material",
  "object",
  "provider",
  "vault",
];
/** Except for those that put other modules in the place of the project's. */
const mocks = (file: string): boolean =>
  /\bvi\.(un)?mock\(/.test(readFileSync(join(import.meta.dirname, file), "utf8"));
const SHARED = globSync(`test/{${SHARING}}/**/*.test.ts`, { cwd: import.meta.dirname })
  .map((file) => file.replaceAll("\\", "/"))
  .filter((file) => !mocks(file));

export default defineConfig({
  test: {
    // Runs of the engine wait as much as they compute: three at a time keep two cores busy.
    maxWorkers: 3,
    // A test that hangs is told soon enough; on a machine that is busy with other things, one takes ten times its time.
    testTimeout: 120_000,
    hookTimeout: 120_000,
    // A log line in a test is an accident: it may carry a secret.
    onConsoleLog: (log, type) => {
      throw new Error(`A test wrote to ${type}: ${log.slice(0, 200)}`);
    },
    projects: [
      {
        extends: true,
        test: {
          name: "long",
          include: LONG,
          isolate: false,
          globalSetup: ["test/engine/quick/global-setup.ts"],
          setupFiles: ["test/left-environment.ts"],
          // A run of the engine takes seconds, and more on a busy machine.
          testTimeout: 240_000,
          hookTimeout: 240_000,
        },
      },
      {
        extends: true,
        test: {
          name: "short",
          include: ["test/**/*.test.ts"],
          exclude: [...LONG, ...SHARED],
          setupFiles: ["test/quick-digest.ts"],
        },
      },
      {
        extends: true,
        test: {
          name: "shared",
          include: SHARED,
          isolate: false,
          setupFiles: ["test/quick-digest.ts", "test/left-environment.ts"],
        },
      },
    ],
  },
});
