import { describe, vi } from "vitest";

vi.mock("../provider/providers.js", () => import("./wired-providers.js"));

/** The suites of the dynamic provider, as they are, through the plugin's server. */
const SUITES = {
  "key-inventory": () => import("../key-inventory/key-inventory.test.js"),
  "secret-inventory": () => import("../key-inventory/secret-inventory.test.js"),
};

describe.each(Object.entries(SUITES))("through the plugin: %s", async (_suite, load) => {
  await load();
});
