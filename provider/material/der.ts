/** Just enough of DER to tell what a file is; the parsing itself is left to OpenSSL and node-forge. */
export interface Element {
  tag: number;
  start: number;
  /** Where the next element begins; undefined for BER's indefinite length. */
  end: number | undefined;
}

/** More than any key or container has of either. */
const deepest = 32;
const mostElements = 10_000;

const integer = 0x02;
const bitString = 0x03;
const octetString = 0x04;
const sequence = 0x30;

export type DerKind = "pkcs1" | "pkcs8" | "sec1" | "encrypted-pkcs8" | "pfx" | "public-key" | "certificate";

/** What the first elements of this DER say it is; undefined where they fit nothing that holds keys. */
export function detectDer(bytes: Uint8Array): DerKind | undefined {
  const outer = readElement(bytes, 0);
  if (outer?.tag !== sequence) return undefined;
  const first = readElement(bytes, outer.start);
  const second = first?.end === undefined ? undefined : readElement(bytes, first.end);
  if (first === undefined || second === undefined) return undefined;
  if (first.tag === sequence) {
    if (second.tag === octetString) return "encrypted-pkcs8";
    return second.tag === bitString ? "public-key" : "certificate";
  }
  if (first.tag !== integer) return undefined;
  const version = first.end === first.start + 1 ? bytes[first.start] : undefined;
  if (version === undefined) return second.tag === integer ? "public-key" : undefined;
  if (second.tag === sequence) return version === 3 ? "pfx" : "pkcs8";
  if (second.tag === integer) return "pkcs1";
  return second.tag === octetString ? "sec1" : undefined;
}

/** True where the outermost element says that it is longer than the bytes there are. */
export function isTruncatedDer(bytes: Uint8Array): boolean {
  const outer = readElement(bytes, 0);
  return outer === undefined || (outer.end !== undefined && outer.end > bytes.length);
}

/** The outermost element alone: some exporters append a line break. */
export function withoutTrailingBytes(bytes: Uint8Array): Uint8Array {
  return bytes.subarray(0, readElement(bytes, 0)?.end);
}

export function outermost(bytes: Uint8Array): Element | undefined {
  return readElement(bytes, 0);
}

/** The elements in a constructed one, as far as they are whole and of definite length, at most 64. */
export function childrenOf(bytes: Uint8Array, parent: Element | undefined): Element[] {
  const children: Element[] = [];
  if (parent?.end === undefined || parent.end > bytes.length || (parent.tag & 0x20) === 0) return children;
  for (let at = parent.start; at < parent.end && children.length < 64; ) {
    const child = readElement(bytes, at);
    if (child?.end === undefined || child.end > parent.end) break;
    children.push(child);
    at = child.end;
  }
  return children;
}

export function contentOf(bytes: Uint8Array, element: Element | undefined): Buffer {
  return element?.end === undefined || element.end > bytes.length
    ? Buffer.alloc(0)
    : Buffer.from(bytes.subarray(element.start, element.end));
}

/** An INTEGER; negative ones are 0, and huge ones infinite. Undefined for anything else. */
export function numberOf(bytes: Uint8Array, element: Element | undefined): number | undefined {
  const content = contentOf(bytes, element);
  if (element?.tag !== integer || content.length === 0) return undefined;
  if ((content[0] ?? 0) >= 0x80) return 0;
  const digits = content.subarray(content.findIndex((byte) => byte !== 0));
  return digits.length > 6 ? Number.POSITIVE_INFINITY : content.reduce((sum, byte) => sum * 256 + byte, 0);
}

/**
 * True where elements lie deeper in each other, or are more, than in any key or container. A parser that calls itself
 * for each level, or makes an object of each element, must not see it.
 */
export function isExcessiveDer(bytes: Uint8Array): boolean {
  const ends: (number | undefined)[] = [];
  let count = 0;
  for (let at = 0; at < bytes.length; ) {
    const element = readElement(bytes, at);
    if (element === undefined) return false;
    count += 1;
    if (ends.length > deepest || count > mostElements) return true;
    const isEndOfContents = element.tag === 0 && element.end === element.start;
    if (isEndOfContents && ends.length > 0 && ends.at(-1) === undefined) ends.pop();
    else if ((element.tag & 0x20) !== 0) ends.push(element.end);
    else if (element.end === undefined) return false;
    at = (element.tag & 0x20) !== 0 ? element.start : (element.end ?? bytes.length);
    while (ends.length > 0) {
      const end = ends.at(-1);
      if (end === undefined || end > at) break;
      ends.pop();
    }
  }
  return false;
}

function readElement(bytes: Uint8Array, offset: number): Element | undefined {
  const tag = bytes[offset];
  const length = bytes[offset + 1];
  if (tag === undefined || length === undefined) return undefined;
  if (length < 0x80) return { tag, start: offset + 2, end: offset + 2 + length };
  const count = length & 0x7f;
  const start = offset + 2 + count;
  if (count === 0) return { tag, start, end: undefined };
  if (count > 4 || start > bytes.length) return undefined;
  const size = bytes.subarray(offset + 2, start).reduce((sum, byte) => sum * 256 + byte, 0);
  return { tag, start, end: start + size };
}
