/** DER as no tool writes it: tests need lengths and numbers that exporters never choose. */
export function der(tag: number, ...content: Uint8Array[]): Buffer {
  const body = Buffer.concat(content);
  const length =
    body.length < 0x80
      ? Buffer.of(body.length)
      : Buffer.concat([Buffer.of(0x80 + bytesOf(body.length).length), bytesOf(body.length)]);
  return Buffer.concat([Buffer.of(tag), length, body]);
}

export const sequence = (...content: Uint8Array[]): Buffer => der(0x30, ...content);
export const octets = (content: Uint8Array): Buffer => der(0x04, content);
export const oid = (hex: string): Buffer => der(0x06, Buffer.from(hex, "hex"));

export function integer(value: number | bigint | Uint8Array): Buffer {
  if (typeof value === "object") return der(0x02, value);
  const bytes = bytesOf(value);
  return der(0x02, (bytes[0] ?? 0) >= 0x80 ? Buffer.concat([Buffer.of(0), bytes]) : bytes);
}

function bytesOf(value: number | bigint): Buffer {
  const hex = value.toString(16);
  return Buffer.from(hex.length % 2 === 0 ? hex : `0${hex}`, "hex");
}
