const [QUOTE, BACKSLASH, ARRAY, ARRAY_END, OBJECT, OBJECT_END] = [0x22, 0x5c, 0x5b, 0x5d, 0x7b, 0x7d];

/** Whether JSON nests deeper than so many levels, without reading it: what reads it walks down level by level, and may end in a full stack. */
export function isDeeperThan(deepest: number, text: string): boolean {
  let depth = 0;
  let inString = false;
  for (let at = 0; at < text.length; at++) {
    switch (text.charCodeAt(at)) {
      case QUOTE:
        inString = !inString;
        break;
      case BACKSLASH:
        at++;
        break;
      case ARRAY:
      case OBJECT:
        if (!inString && ++depth > deepest) return true;
        break;
      case ARRAY_END:
      case OBJECT_END:
        if (!inString) depth--;
    }
  }
  return false;
}
