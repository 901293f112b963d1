import { inspect } from "node:util";
import { expect } from "vitest";
import { MaterialError } from "../../provider/material/material-error.js";

/** Runs what has to be refused, sees that nothing of the secrets is in any part of the error, and returns its problems. */
export function refusalOf(run: () => unknown, secrets: readonly string[] = []): string[] {
  let error: unknown;
  try {
    run();
  } catch (thrown) {
    error = thrown;
  }
  expect(error).toBeInstanceOf(MaterialError);
  if (!(error instanceof MaterialError)) throw new TypeError("not a MaterialError");
  expect(error).toMatchObject({ code: "KV_INVALID_KEY_MATERIAL", name: "MaterialError" });
  expect(error.cause).toBeUndefined();
  const printed = [
    error.message,
    error.stack,
    inspect(error, { depth: 9, showHidden: true }),
    JSON.stringify(error),
  ].join();
  for (const secret of secrets) expect(printed.includes(secret), "a secret is in an error").toBe(false);
  return [...error.problems];
}
