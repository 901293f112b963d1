/** What became of one resource in an update, as the engine prints it. */
const STEP =
  /^ ([+~-]) {2}\S*keyvault:(?:index:)?(\w+) (\S+) (created|updated|deleted) \([\d.]+s\)(?: (\[diff: [^\]]+\]))?/;

/**
 * Of an update's output, without colours, what a reader looks for: each resource once, in the order of the alphabet, and what they come to.
 * Lines of progress and messages are the engine's own business.
 */
export function readableUpdate(output: string): string[] {
  const lines = output.split("\n");
  const steps = lines.flatMap((line) => {
    const [, sign, type, name, done, diff] = STEP.exec(line) ?? [];
    return sign === undefined ? [] : [`  ${sign} ${type} ${name} ${done}${diff === undefined ? "" : ` ${diff}`}`];
  });
  const unchanged = lines.find((line) => /^ {4}\d+ unchanged$/.test(line));
  return [...new Set(steps)].sort().concat(unchanged === undefined ? [] : [`    ${unchanged.trim()}`]);
}
