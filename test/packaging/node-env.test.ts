import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, it } from "vitest";

const root = join(__dirname, "../..");

it("nothing of what is published asks for NODE_ENV: a run in production waits and retries as one in a test", () => {
  const asking = ["cli", "emulator", "plugin", "provider", "sdk"].flatMap((room) =>
    readdirSync(join(root, room), { recursive: true, encoding: "utf8" })
      .filter((file) => /\.m?ts$/.test(file))
      .map((file) => join(room, file))
      .filter((file) => readFileSync(join(root, file), "utf8").includes("NODE_ENV")),
  );
  expect(asking).toEqual([]);
});
