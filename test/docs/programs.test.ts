import { dirname, join } from "node:path";
import * as ts from "typescript";
import { expect, it } from "vitest";
import { type Block, missingImports, pages, root } from "./page.js";

/** What a fragment may take for granted: its page says what stands there. */
const GIVEN = `
declare const vaultUrl: string;
declare const standby: string;
declare const config: import("@pulumi/pulumi").Config;
declare const primary: import("@pulumi/pulumi").StackReference;
declare const signing: import("pulumi-keyvault").Key;
declare const password: import("pulumi-keyvault").Secret;
declare const signingBackup: import("pulumi-keyvault").KeyBackup;
declare const all: import("pulumi-keyvault").VaultBackup;
declare const vault: import("pulumi-keyvault/emulator").Emulator;
declare const ciphertext: string;
declare const manifest: string;
declare class SigningKey {
  constructor(name: string, args: { file: string }, opts?: import("@pulumi/pulumi").ComponentResourceOptions);
}
declare namespace postgres {
  class Role {
    constructor(name: string, args: { password: import("@pulumi/pulumi").Input<string> });
  }
}
`;

const folder = join(root, ".pages");

it("every program of every page is accepted by the compiler", () => {
  const programs = new Map<string, { block: Block; text: string; added: number }>();
  for (const { path, blocks } of pages()) {
    for (const [index, block] of blocks.entries()) {
      if (block.language !== "ts" || block.note.includes("ignore")) continue;
      const imports = missingImports(block.text);
      const file = join(folder, path.replaceAll(/[/.]/g, "-"), block.file ?? `block-${index}.ts`);
      programs.set(file, {
        block,
        text: `${imports}${block.text}\nexport {};\n`,
        added: imports.split("\n").length - 1,
      });
    }
  }
  expect(programs.size).toBeGreaterThan(20);
  expect(complaints(programs)).toEqual([]);
});

function complaints(programs: ReadonlyMap<string, { block: Block; text: string; added: number }>): string[] {
  const given = join(folder, "given.d.ts");
  const options: ts.CompilerOptions = {
    target: ts.ScriptTarget.ES2023,
    module: ts.ModuleKind.Preserve,
    moduleResolution: ts.ModuleResolutionKind.Bundler,
    types: ["node"],
    strict: true,
    noEmit: true,
    skipLibCheck: true,
    allowImportingTsExtensions: true,
  };
  const host = ts.createCompilerHost(options);
  const written = (name: string) => (name === given ? GIVEN : programs.get(name)?.text);
  const { fileExists, readFile, getSourceFile, directoryExists } = host;
  host.fileExists = (name) => written(name) !== undefined || fileExists(name);
  host.readFile = (name) => written(name) ?? readFile(name);
  host.directoryExists = (name) => name.startsWith(folder) || (directoryExists?.(name) ?? true);
  host.getSourceFile = (name, ...rest) => {
    const text = written(name);
    return text === undefined ? getSourceFile(name, ...rest) : ts.createSourceFile(name, text, ts.ScriptTarget.ES2023);
  };
  host.getCurrentDirectory = () => dirname(folder);
  const program = ts.createProgram([given, ...programs.keys()], options, host);
  return ts.getPreEmitDiagnostics(program).map(({ file, start = 0, messageText }) => {
    const written = file && programs.get(file.fileName);
    const text = ts.flattenDiagnosticMessageText(messageText, " ");
    if (!file || !written) return text;
    const [page = "", first = "0"] = written.block.place.split(":");
    const line = ts.getLineAndCharacterOfPosition(file, start).line - written.added + Number(first);
    return `${page}:${line}: ${text}`;
  });
}
