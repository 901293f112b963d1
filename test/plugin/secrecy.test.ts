import { describe, vi } from "vitest";

vi.mock("../provider/providers.js", () => import("./wired-providers.js"));

/** The suites of the dynamic provider, as they are, through the plugin's server. */
const SUITES = {
  canaries: () => import("../provider/canaries.test.js"),
  "told-text": () => import("../provider/told-text.test.js"),
  "vault-text": () => import("../provider/vault-text.test.js"),
};

describe.each(Object.entries(SUITES))("through the plugin: %s", async (_suite, load) => {
  await load();
});
