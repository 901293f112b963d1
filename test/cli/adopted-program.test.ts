import fc from "fast-check";
import ts from "typescript";
import { describe, expect, it } from "vitest";
import { type AdoptedResource, adoptKey, adoptSecret } from "../../cli/adopt/adopted-resource.js";
import { importFile } from "../../cli/adopt/import-file.js";
import { nameResources } from "../../cli/adopt/program-names.js";
import { programText } from "../../cli/adopt/program-text.js";
import type { FoundVault } from "../../cli/vault/read-vault.js";
import { isKeyVaultError } from "../../provider/keyvault/errors.js";
import type { KeyBundle } from "../../provider/keyvault/key-bundle.js";
import type { SecretBundle } from "../../provider/keyvault/secret-bundle.js";
import { hostileText } from "./hostile-text.js";

const VAULT = "https://contoso.vault.azure.net";

const validName = fc.stringMatching(/^[0-9a-zA-Z-]{1,12}$/);
const tags = fc.dictionary(hostileText, hostileText, { maxKeys: 4 });
const moment = fc.date({ min: new Date(0), max: new Date("9999-12-31T23:59:59Z"), noInvalidDate: true });

const key: fc.Arbitrary<KeyBundle> = fc
  .record(
    {
      name: validName,
      keyType: fc.oneof(hostileText, fc.constantFrom("RSA", "EC", "oct-HSM")),
      curve: hostileText,
      keySize: fc.integer(),
      keyOps: fc.array(hostileText, { maxLength: 3 }),
      releasePolicy: fc.record({ data: hostileText.map((text) => Buffer.from(text).toString("base64url")) }),
      expiresOn: moment,
      createdOn: moment,
      enabled: fc.boolean(),
      tags,
      recoveryLevel: hostileText,
    },
    { requiredKeys: ["name", "keyType", "enabled", "tags"] },
  )
  .map((bundle) => ({
    ...bundle,
    id: `${VAULT}/keys/${bundle.name}/0123456789abcdef0123456789abcdef`,
    version: "0123456789abcdef0123456789abcdef",
    managed: false,
    publicKey: { kty: bundle.keyType, ...(bundle.curve === undefined ? {} : { crv: bundle.curve, x: "x", y: "y" }) },
  }));

const secret: fc.Arbitrary<SecretBundle> = fc
  .record(
    { name: validName, contentType: hostileText, expiresOn: moment, enabled: fc.boolean(), tags },
    { requiredKeys: ["name", "enabled", "tags"] },
  )
  .map((bundle) => ({
    ...bundle,
    id: `${VAULT}/secrets/${bundle.name}/0123456789abcdef0123456789abcdef`,
    version: "0123456789abcdef0123456789abcdef",
    managed: false,
  }));

const leftOut: fc.Arbitrary<Pick<FoundVault, "leftOut" | "unread">> = fc.record({
  leftOut: fc.array(
    fc.record({
      collection: fc.constantFrom("keys" as const, "secrets" as const),
      name: hostileText,
      reason: fc.constantFrom("deleted" as const, "certificate" as const, "known" as const),
    }),
    { maxLength: 4 },
  ),
  unread: fc.array(
    fc.record({
      collection: fc.constantFrom("keys" as const, "secrets" as const),
      name: hostileText,
      code: fc.constant("KV_PROTOCOL" as const),
      reason: hostileText,
    }),
    { maxLength: 3 },
  ),
});

describe("the program of a vault that wants to be obeyed", () => {
  it("has the statements that adopt writes, and no others", async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(key, { maxLength: 3 }),
        fc.array(secret, { maxLength: 3 }),
        leftOut,
        async (keys, secrets, others) => {
          const resources = [
            ...(await adopted(keys.map((bundle) => adoptKey(VAULT, { bundle, rotationPolicy: undefined })))),
            ...(await adopted(secrets.map((bundle) => adoptSecret(VAULT, bundle)))),
          ];
          const named = nameResources(resources, () => false);
          const read = readProgram(programText(VAULT, named, others));
          expect(read).toEqual(
            named.map(({ identifier, resourceName, resource }) => ({
              identifier,
              className: resource.className,
              resourceName,
              args: plain({ vaultUrl: "(vaultUrl)", ...resource.args }),
            })),
          );
          expect(new Set(read.map(({ identifier }) => identifier)).size).toBe(read.length);
          expect(new Set(named.map(({ resource, resourceName }) => `${resource.type} ${resourceName}`)).size).toBe(
            named.length,
          );
          expect(JSON.parse(importFile(named)).resources).toHaveLength(named.length);
        },
      ),
      { numRuns: 200 },
    );
  });

  it("shows each character that an editor would hide or turn around as its number", () => {
    fc.assert(
      fc.property(hostileText, hostileText, (name, keyType) => {
        const text = programText(
          VAULT,
          nameResources([withComment(keyType)], () => false),
          {
            leftOut: [{ collection: "keys", name, reason: "deleted" }],
            unread: [],
          },
        );
        expect(text.replaceAll("\n", "")).not.toMatch(/[\p{Cc}\p{Cf}\p{Cs}\p{Zl}\p{Zp}]/u);
      }),
      { numRuns: 500 },
    );
  });

  it("gives the compiler no directive", () => {
    const text = programText(VAULT, [], {
      leftOut: [{ collection: "keys", name: "x\n// @ts-nocheck", reason: "deleted" }],
      unread: [],
    });
    expect(text.split("\n").filter((line) => /^\s*\/\/\/?\s*(@|<)/.test(line))).toEqual([]);
  });

  it("names constants of names that no vault has", () => {
    const named = nameResources(
      ["a\nb", "ü", "", "x;y", "a*/b", "1"].map((name) => ({ ...withComment("RSA"), name })),
      () => false,
    );
    for (const { identifier } of named) expect(identifier).toMatch(/^[A-Za-z]\w*$/);
  });
});

async function adopted(attempts: Promise<AdoptedResource>[]): Promise<AdoptedResource[]> {
  const settled = await Promise.allSettled(attempts);
  return settled.flatMap((outcome) => {
    if (outcome.status === "fulfilled") return [outcome.value];
    expect(isKeyVaultError(outcome.reason)).toBe(true);
    return [];
  });
}

function withComment(comment: string): AdoptedResource {
  return {
    className: "Key",
    type: "t",
    name: "a",
    id: "i",
    args: { name: "a" },
    comment,
    inputs: {},
    outputs: {},
  };
}

function plain(value: object): unknown {
  return JSON.parse(JSON.stringify(value));
}

interface ReadResource {
  identifier: string;
  className: string;
  resourceName: string;
  args: unknown;
}

/** Reads a program back with TypeScript's own parser, and refuses any statement that adopt does not write. */
function readProgram(text: string): ReadResource[] {
  const source = ts.createSourceFile("index.ts", text, ts.ScriptTarget.ESNext, true);
  const { diagnostics } = ts.transpileModule(text, { reportDiagnostics: true });
  expect(diagnostics).toEqual([]);
  const [imported, vault, ...statements] = source.statements;
  expect(imported?.getText()).toBe('import * as keyvault from "pulumi-keyvault";');
  expect(vault?.getText()).toBe(`const vaultUrl = ${JSON.stringify(VAULT)};`);
  return statements.map(readStatement);
}

function readStatement(statement: ts.Statement): ReadResource {
  if (!ts.isVariableStatement(statement)) throw new Error(`no declaration: ${statement.getText()}`);
  const [declaration, ...further] = statement.declarationList.declarations;
  const made = declaration?.initializer;
  if (!declaration || further.length > 0 || !made || !ts.isNewExpression(made)) throw new Error("no new expression");
  const [resourceName, args, ...rest] = made.arguments ?? [];
  if (!ts.isPropertyAccessExpression(made.expression) || made.expression.expression.getText() !== "keyvault") {
    throw new Error("no class of the package");
  }
  if (!resourceName || !ts.isStringLiteral(resourceName) || !args || rest.length > 0) throw new Error("no arguments");
  return {
    identifier: declaration.name.getText(),
    className: made.expression.name.text,
    resourceName: resourceName.text,
    args: literalValue(args),
  };
}

/** The value of a literal; anything that would have to be run is refused. */
function literalValue(node: ts.Expression): unknown {
  if (ts.isStringLiteral(node)) return node.text;
  if (ts.isNumericLiteral(node)) return Number(node.text);
  if (node.kind === ts.SyntaxKind.TrueKeyword) return true;
  if (node.kind === ts.SyntaxKind.FalseKeyword) return false;
  if (ts.isArrayLiteralExpression(node)) return node.elements.map(literalValue);
  if (!ts.isObjectLiteralExpression(node)) throw new Error(`no literal: ${node.getText()}`);
  const members = node.properties.map((member): [string, unknown] => {
    if (ts.isShorthandPropertyAssignment(member) && member.name.text === "vaultUrl") return ["vaultUrl", "(vaultUrl)"];
    if (!ts.isPropertyAssignment(member)) throw new Error("no plain member");
    return [memberNameOf(member.name), literalValue(member.initializer)];
  });
  return Object.fromEntries(members);
}

function memberNameOf(name: ts.PropertyName): string {
  if (ts.isComputedPropertyName(name)) {
    expect(name.getText()).toBe('["__proto__"]');
    return "__proto__";
  }
  if (ts.isIdentifier(name) || ts.isStringLiteral(name)) return name.text;
  throw new Error("no plain name");
}
