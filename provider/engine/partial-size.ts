/**
 * What an error brings along for the engine to record stands in the trailers of gRPC, of which the engine takes 16 MB in
 * base64. More than that ends the connection, and with it every other operation under way.
 */
export const LARGEST_PARTIAL_BYTES = 12_000_000;

/** What a failure says where the engine cannot be told what was done before it. */
export function withoutPartial(message: string, bytes: number): string {
  return `${message}\nWhat was done before is too much to record beside a failure (${(bytes / 1e6).toFixed(1)} MB, and ${LARGEST_PARTIAL_BYTES / 1e6} fit): state stays as it was, and the next \`pulumi up\` looks in the vault before it writes. Keep backups in a folder (\`to\`), or make several resources of this one.`;
}

/** The same of a read: nothing was done, and what was read is lost. */
export function withoutPartialRead(message: string, bytes: number): string {
  return `${message}\nWhat was read of the others is too much to record beside a failure (${(bytes / 1e6).toFixed(1)} MB, and ${LARGEST_PARTIAL_BYTES / 1e6} fit): state stays as it was. Make several sets of this one.`;
}

/** No less than the size of a value on its way to the engine: each part has a head of up to 12 bytes there. */
export function wireSize(value: unknown): number {
  if (typeof value === "string") return 12 + Buffer.byteLength(value);
  if (typeof value !== "object" || value === null) return 12;
  return Object.entries(value).reduce((sum, [name, item]) => sum + 12 + Buffer.byteLength(name) + wireSize(item), 12);
}
