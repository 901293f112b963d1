import { defineConfig } from "vitest/config";

/** `npm run test:vault`: the one suite that leaves this machine. */
export default defineConfig({ test: { include: ["test/real-vault/real-vault.ts"], root: "." } });
