import type { Emulator, LoggedRequest } from "../../emulator/index.js";

/** What a vault was asked since its log was cleared. That the first request had no token yet is no question of anybody's. */
export function askedRequests({ requests }: Pick<Emulator, "requests">): readonly LoggedRequest[] {
  return requests.log.filter(({ operation }) => operation !== "challenge");
}

/** The names of the operations among them, in their order. */
export function askedOperations(vault: Pick<Emulator, "requests">): string[] {
  return askedRequests(vault).map(({ operation }) => operation);
}
