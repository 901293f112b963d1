/** Just enough of DER to tell what a file is; the parsing itself is left to OpenSSL and node-forge. */
interface Element {
  tag: number;
  start: number;
  /** Where the next element begins; undefined for BER's indefinite length. */
  end: number | undefined;
}

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
