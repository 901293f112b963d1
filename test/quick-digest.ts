import { vi } from "vitest";

// The digest of a secret's value is slow by intent: of some rooms it was a third of the time. The tests of secrets
// take the real one.
vi.mock("../provider/secret/value-digest.js", async () => {
  const { createHash } = await import("node:crypto");
  return {
    valueDigest: async (vaultUrl: string, name: string, value: string): Promise<string> => {
      const place = `${vaultUrl.toLowerCase()}/secrets/${name.toLowerCase()}`;
      return `scrypt:${createHash("sha256")
        .update(JSON.stringify([place, value]))
        .digest("base64url")}`;
    },
  };
});
