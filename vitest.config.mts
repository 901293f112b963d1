import { defineConfig } from "vitest/config";

export default defineConfig({
  test: {
    include: ["test/**/*.test.ts"],
    // Runs of the engine wait as much as they compute: three at a time keep two cores busy.
    maxWorkers: 3,
    testTimeout: 30_000,
    hookTimeout: 60_000,
    // A log line in a test is an accident: it may carry a secret.
    onConsoleLog: (log, type) => {
      throw new Error(`A test wrote to ${type}: ${log.slice(0, 200)}`);
    },
  },
});
