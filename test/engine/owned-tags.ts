import { expect } from "vitest";

/** Tags of an object as the vault has them: the program's, and the one that says who owns it. */
export function owned(tags: Record<string, string> = {}, stack = "(test/dev|shop/prod)") {
  return {
    ...tags,
    "pulumi-keyvault": expect.stringMatching(new RegExp(`^${stack} [\\w-]{16}(~[\\w-]{6})?(\\.[\\w-]{8})?$`)),
  };
}
