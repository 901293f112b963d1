export const SIGNATURE_KEY = "4dabf18193072939515e22adb298388d";
export const SECRET_SIGNATURE = "1b47061264138c4ac30d75fd1eb44270";

/** Those that are ours: a vault's tags may have the same members. */
const marks = new WeakSet<object>();

/** Marks a value in a provider's answer as secret: the engine encrypts it in state and hides it in displays. */
export function markSecret(value: unknown): Record<string, unknown> {
  const mark = { [SIGNATURE_KEY]: SECRET_SIGNATURE, value };
  marks.add(mark);
  return mark;
}

export function isSecretMark(value: object): boolean {
  return marks.has(value);
}
