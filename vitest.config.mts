import { defineConfig } from "vitest/config";

export default defineConfig({
  test: {
    include: ["test/**/*.test.ts"],
    testTimeout: 30_000,
    hookTimeout: 60_000,
    // A log line in a test is an accident: it may carry a secret.
    onConsoleLog: (log, type) => {
      throw new Error(`A test wrote to ${type}: ${log.slice(0, 200)}`);
    },
  },
});
