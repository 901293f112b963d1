const ENDING = " (the update of it will be refused, and no other)";

/** One line for people about an update that will be refused, which {@link isRefusalReport} knows again. */
export function formatRefusalReport(reason: string): string {
  return `${reason}${ENDING}`;
}

/** A drift report tells of the refusal at the property itself: nothing has to be read out of the line. */
export function isRefusalReport(line: string): boolean {
  return line.endsWith(ENDING);
}
