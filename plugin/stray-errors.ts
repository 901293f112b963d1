import type { EventEmitter } from "node:events";
import { messageOf } from "../provider/engine/lifecycle.js";
import { redact } from "../provider/keyvault/redaction.js";

/**
 * Keeps this process up after an error that nobody caught, as Pulumi's own hosts do: other operations are under way, and
 * what they make could not be recorded.
 */
export function outliveStrayErrors(
  host: EventEmitter = process,
  tell: (line: string) => unknown = (line) => process.stderr.write(line),
): void {
  const told = new Set<unknown>();
  const outlive = (error: unknown): void => {
    if (told.has(error)) return;
    told.add(error);
    tell(`pulumi-resource-keyvault goes on after an error that nobody caught: ${redact(messageOf(error))}\n`);
  };
  host.on("uncaughtException", outlive);
  host.on("unhandledRejection", outlive);
}
