import { createCipheriv, createDecipheriv } from "node:crypto";
import { world } from "./simulated-world.js";

const KEY = Buffer.alloc(32, 7);

/** Each backup of one object is other bytes, and none of them shows what is in it. */
export function sealJwe(header: object, _key: unknown, plaintext: Buffer): string {
  const iv = Buffer.alloc(16);
  iv.writeUInt32BE(++world.blobs);
  const cipher = createCipheriv("aes-256-cbc", KEY, iv);
  const ciphertext = Buffer.concat([cipher.update(plaintext), cipher.final()]);
  const protectedHeader = Buffer.from(JSON.stringify(header)).toString("base64url");
  return [protectedHeader, "", iv.toString("base64url"), ciphertext.toString("base64url"), "tag"].join(".");
}

export function openJwe(jwe: string): Buffer {
  const [, , iv = "", ciphertext = ""] = jwe.split(".");
  const decipher = createDecipheriv("aes-256-cbc", KEY, Buffer.from(iv, "base64url"));
  return Buffer.concat([decipher.update(Buffer.from(ciphertext, "base64url")), decipher.final()]);
}
