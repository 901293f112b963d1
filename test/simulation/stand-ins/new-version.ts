import { world } from "./simulated-world.js";

export * from "../../../emulator/object/new-version.js";

/** What the vault draws by chance follows from the seed. */
export function newVersionId(): string | undefined {
  return world.simulation?.newVersionId();
}
