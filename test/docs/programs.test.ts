import { globSync, readFileSync } from "node:fs";
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
  for (const [file, block] of examples()) programs.set(file, block);
  expect(programs.size).toBeGreaterThan(20);
  expect(complaints(programs)).toEqual([]);
});

/** What an editor shows beside a resource: the examples of JSDoc. */
function* examples(): Generator<[file: string, program: { block: Block; text: string; added: number }]> {
  for (const source of globSync("sdk/*.ts", { cwd: root })) {
    const written = readFileSync(join(root, source), "utf8");
    for (const match of written.matchAll(/^ \* @example\n \* ```ts\n(.*?)^ \* ```$/gms)) {
      const text = (match[1] ?? "").replace(/^ \* ?/gm, "");
      const line = written.slice(0, match.index).split("\n").length + 2;
      const block = { place: `${source}:${line}`, language: "ts", note: "", file: undefined, text };
      const imports = missingImports(text);
      const added = imports.split("\n").length - 1;
      yield [
        join(folder, `${source.replaceAll(/[/.]/g, "-")}-${line}.ts`),
        { block, text: `${imports}${text}\nexport {};\n`, added },
      ];
    }
  }
}

it("every class of a resource shows how it is used", () => {
  const sources = globSync("sdk/*.ts", { cwd: root }).map((file) => readFileSync(join(root, file), "utf8"));
  const classes = sources.flatMap((text) => [
    ...text.matchAll(/(\/\*\*(?:(?!\*\/).)*\*\/)\nexport class (\w+) extends pulumi/gs),
  ]);
  expect(classes.length).toBeGreaterThan(6);
  expect(classes.filter(([, comment = ""]) => !comment.includes("@example")).map(([, , name]) => name)).toEqual([]);
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
