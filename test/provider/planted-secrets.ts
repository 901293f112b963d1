import { generateKeyPairSync, type KeyObject, randomBytes } from "node:crypto";
import { readdirSync, readFileSync, statSync } from "node:fs";
import { join } from "node:path";
import { inspect } from "node:util";
import forge from "node-forge";

/** A text that is nowhere else. It is plain: nothing may know it by its looks. */
export function canaryText(where: string, between = " "): string {
  return ["Canary", where, randomBytes(6).toString("hex")].join(between);
}

/** A private key, and every form in which a number of it could be shown. Long ones by their beginning, since a message may be cut. */
export interface PlantedKey {
  key: KeyObject;
  jwk: Record<string, string>;
  /** By the member of the JWK. */
  forms: Record<string, string[]>;
}

export function plantedKey(kind: "RSA" | "EC" = "EC"): PlantedKey {
  const key =
    kind === "RSA"
      ? generateKeyPairSync("rsa", { modulusLength: 2048 }).privateKey
      : generateKeyPairSync("ec", { namedCurve: "P-256" }).privateKey;
  const jwk = key.export({ format: "jwk" }) as Record<string, string>;
  const members = ["d", "p", "q", "dp", "dq", "qi"].filter((member) => jwk[member] !== undefined);
  const forms = members.map((member) => [member, numberForms(jwk[member] ?? "")]);
  return { key, jwk, forms: Object.fromEntries(forms) };
}

function numberForms(base64url: string): string[] {
  const bytes = Buffer.from(base64url, "base64url");
  const decimal = BigInt(`0x${bytes.toString("hex")}`).toString();
  return [base64url, bytes.toString("base64"), bytes.toString("hex"), decimal].map((form) => form.slice(0, 24));
}

/** The lines of an armoured text whose loss would be felt: not its armour, nor its first and last one. */
export function armouredLines(text: string): string[] {
  const lines = text.split("\n").filter((line) => line.length >= 40 && !line.startsWith("-----"));
  return lines.slice(1).map((line) => line.slice(0, 40));
}

export function lockedPem({ key }: PlantedKey, passphrase: string): string {
  return String(key.export({ format: "pem", type: "pkcs8", cipher: "aes-256-cbc", passphrase }));
}

export function lockedPfx({ key }: PlantedKey, passphrase: string): string {
  const pair = forge.pki.privateKeyFromPem(String(key.export({ type: "pkcs1", format: "pem" })));
  // The library takes null for "no certificate", which its types do not know.
  const none = null as unknown as forge.pki.Certificate;
  const root = forge.pkcs12.toPkcs12Asn1(pair, none, passphrase, { algorithm: "3des", count: 8 });
  return Buffer.from(forge.asn1.toDer(root).getBytes(), "latin1").toString("base64");
}

/** As ssh-keygen writes an EC key of P-256 without a passphrase. */
export function openSshFile({ jwk: { x = "", y = "", d = "" } }: PlantedKey): string {
  const uint32 = (value: number): Buffer => Buffer.from([value >>> 24, value >>> 16, value >>> 8, value]);
  const string = (value: string | Buffer): Buffer => {
    const bytes = Buffer.from(value as string);
    return Buffer.concat([uint32(bytes.length), bytes]);
  };
  const bytes = (text: string): Buffer => Buffer.from(text, "base64url");
  const point = Buffer.concat([Buffer.of(4), bytes(x), bytes(y)]);
  const number = Buffer.concat([(bytes(d)[0] ?? 0) > 127 ? Buffer.of(0) : Buffer.of(), bytes(d)]);
  const fields = [string("ecdsa-sha2-nistp256"), string("nistp256"), string(point)];
  const content = Buffer.concat([uint32(7), uint32(7), ...fields, string(number), string("a comment")]);
  const padding = Buffer.from(Array.from({ length: (8 - (content.length % 8)) % 8 }, (_, index) => index + 1));
  const file = [
    Buffer.from("openssh-key-v1\0"),
    ...[string("none"), string("none"), string(""), uint32(1), string(Buffer.concat(fields))],
    string(Buffer.concat([content, padding])),
  ];
  const lines = Buffer.concat(file).toString("base64").replace(/.{70}/g, "$&\n");
  return `-----BEGIN OPENSSH PRIVATE KEY-----\n${lines}\n-----END OPENSSH PRIVATE KEY-----\n`;
}

/** Which of the texts stand in one that is shown, as they are or as JSON or a URL writes them. */
export function found(text: string, secrets: readonly string[]): string[] {
  return secrets.filter((secret) =>
    [secret, encodeURIComponent(secret), JSON.stringify(secret).slice(1, -1)].some((form) => text.includes(form)),
  );
}

/** All that a failure shows of itself and of its causes, to whom it may be shown. */
export function shownBy(error: unknown): string {
  const texts: string[] = [];
  for (let each = error, depth = 0; each !== undefined && each !== null && depth < 10; depth++) {
    texts.push(inspect(each, { depth: 12, showHidden: true, maxStringLength: null }));
    texts.push(JSON.stringify(each) ?? "", String(each));
    if (!(each instanceof Error)) break;
    const members = Object.entries(Object.getOwnPropertyDescriptors(each)).map(([name, { value }]) => [name, value]);
    texts.push(each.stack ?? "", each.message, JSON.stringify(Object.fromEntries(members)) ?? "");
    each = each.cause;
  }
  return texts.join("\n");
}

/** Every file below a folder with its content. */
export function filesIn(folder: string): { path: string; content: string; mode: number }[] {
  return readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => {
      const path = join(entry.parentPath, entry.name);
      return { path, content: readFileSync(path, "latin1"), mode: statSync(path).mode & 0o777 };
    });
}

const SIGNATURE = "4dabf18193072939515e22adb298388d";

/** What a provider answers, as state holds it: without what it marks as a Pulumi secret, or with that alone. */
export function inState(outs: unknown, secrets: "withheld" | "opened"): string {
  return JSON.stringify(outs ?? null, (_name, item: unknown) => {
    const isSecret = item !== null && typeof item === "object" && SIGNATURE in item && "value" in item;
    if (!isSecret) return item;
    return secrets === "opened" ? item.value : "[secret]";
  });
}

/** As the engine hands it back. */
export function plain(outs: Record<string, unknown>): Record<string, unknown> {
  return JSON.parse(inState(outs, "opened")) as Record<string, unknown>;
}
