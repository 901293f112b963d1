import { describe, vi } from "vitest";

vi.mock("../provider/providers.js", () => import("./wired-providers.js"));

/** The suites of the dynamic provider, as they are, through the plugin's server. */
const SUITES = {
  "renamed-resources": () => import("../provider/renamed-resources.test.js"),
  ownership: () => import("../provider/ownership.test.js"),
  "declared-defaults": () => import("../provider/declared-defaults.test.js"),
  "recorded-state": () => import("../provider/recorded-state.test.js"),
};

describe.each(Object.entries(SUITES))("through the plugin: %s", async (_suite, load) => {
  await load();
});
