import { describe, vi } from "vitest";

vi.mock("../provider/providers.js", () => import("./wired-providers.js"));

/** The suites of the dynamic provider, as they are, through the plugin's server. */
const SUITES = {
  drift: () => import("../provider/drift.test.js"),
  "drift-accepted": () => import("../provider/drift-accepted.test.js"),
  "drift-watchers": () => import("../provider/drift-watchers.test.js"),
  "observed-drift": () => import("../provider/observed-drift.test.js"),
  "set-by-service": () => import("../provider/set-by-service.test.js"),
};

describe.each(Object.entries(SUITES))("through the plugin: %s", async (_suite, load) => {
  await load();
});
