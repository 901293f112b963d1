export { constants } from "node:zlib";

/** What state records of a set is compressed a thousand times a second, and each time takes longer than the rest of its run. */
export function brotliCompressSync(text: string): Buffer {
  return Buffer.from(text);
}

export function brotliDecompressSync(bytes: Buffer): Buffer {
  return bytes;
}
