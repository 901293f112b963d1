import { describe, vi } from "vitest";

vi.mock("../provider/providers.js", () => import("./wired-providers.js"));

/** The suites of the dynamic provider, as they are, through the plugin's server. */
const SUITES = {
  "key-set": () => import("../provider/key-set.test.js"),
  "key-set-edges": () => import("../provider/key-set-edges.test.js"),
  "unread-keys": () => import("../provider/unread-keys.test.js"),
};

describe.each(Object.entries(SUITES))("through the plugin: %s", async (_suite, load) => {
  await load();
});
