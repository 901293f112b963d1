import { describe, vi } from "vitest";

vi.mock("../provider/providers.js", () => import("./wired-providers.js"));

/** The suites of the dynamic provider, as they are, through the plugin's server. */
const SUITES = {
  "create-key": () => import("../provider/create-key.test.js"),
  "update-key": () => import("../provider/update-key.test.js"),
  secret: () => import("../provider/secret.test.js"),
  "secret-sources": () => import("../provider/secret-sources.test.js"),
  "changed-sources": () => import("../provider/changed-sources.test.js"),
  rotation: () => import("../provider/rotation.test.js"),
  "managed-hsm": () => import("../provider/managed-hsm.test.js"),
  "wrapped-import": () => import("../provider/wrapped-import.test.js"),
  "restore-from-backup": () => import("../provider/restore-from-backup.test.js"),
  "vault-backup": () => import("../provider/vault-backup.test.js"),
};

describe.each(Object.entries(SUITES))("through the plugin: %s", async (_suite, load) => {
  await load();
});
