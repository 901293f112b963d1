import type { KeyVaultError } from "../../provider/keyvault/errors.js";

/** The message of an error, with what is to be done from a shell in place of what a program would do about it. */
export function withHint({ message, hint }: KeyVaultError, other: string): string {
  // After the end of a sentence a hint begins with a capital letter.
  const at = hint === "" ? -1 : message.lastIndexOf(hint.slice(1));
  if (at < 1) return `${message}: ${other}`;
  return `${message.slice(0, at - 1)}${other}${message.slice(at - 1 + hint.length)}`;
}
