/** Twice the modulus of the largest RSA key: longer ones are not worth the arithmetic. */
const longestNumber = 1024;

/** Decodes a number of a JWK that we are given. What is wrong goes to `problems`, by the member's name alone. */
export function readNumber(value: unknown, member: string, problems: string[]): Buffer | undefined {
  if (typeof value !== "string") {
    problems.push(`member "${member}" has to be a base64url string`);
  } else if (value === "") {
    problems.push(`member "${member}" is empty`);
  } else if (/^[\w-]+=+$/.test(value)) {
    problems.push(`member "${member}" is padded with "=": a JWK's numbers are base64url without padding`);
  } else if (/[^\w-]/.test(value)) {
    problems.push(`member "${member}" has characters that base64url does not have (only A-Z a-z 0-9 - _)`);
  } else if (value.length % 4 === 1) {
    problems.push(`member "${member}" is no base64url: it is a character short or long`);
  } else if (value.length > Math.ceil((longestNumber * 4) / 3)) {
    problems.push(`member "${member}" is longer than any key has it`);
  } else {
    return Buffer.from(value, "base64url");
  }
  return undefined;
}

export function stripLeadingZeros(bytes: Buffer): Buffer {
  const first = bytes.findIndex((byte) => byte !== 0);
  return first < 0 ? bytes.subarray(bytes.length) : bytes.subarray(first);
}

/** The number at exactly `width` bytes; undefined where it does not fit. */
export function atWidth(bytes: Buffer, width: number): Buffer | undefined {
  const digits = stripLeadingZeros(bytes);
  return digits.length > width ? undefined : Buffer.concat([Buffer.alloc(width - digits.length), digits]);
}

export function toBigInt(bytes: Buffer): bigint {
  return bytes.length === 0 ? 0n : BigInt(`0x${bytes.toString("hex")}`);
}

/** Base64url of the number in as few bytes as it needs. */
export function encodeBigInt(value: bigint): string {
  const hex = value.toString(16);
  return Buffer.from(hex.length % 2 === 0 ? hex : `0${hex}`, "hex").toString("base64url");
}
