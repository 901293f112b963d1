import { execFile } from "node:child_process";
import { cp, mkdir, readdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { promisify } from "node:util";
import { SHARED_BUILD_SETTINGS } from "../../tools/engine/go-build.mts";
import { provisionSdks, SdksUnavailableError } from "../../tools/sdks/provision-sdks.mts";
import { describeExamples, ExamplesUnavailableError } from "./language-examples.js";
import { namesInProse, pageSnippets } from "./page-snippets.js";

/** Each project is a module of its own here, since a test takes away its project alone. */
describeExamples("go", async (folder, engine) => {
  const env = { ...engine.env, ...SHARED_BUILD_SETTINGS };
  let sdk: string;
  try {
    sdk = join(await provisionSdks({ env: engine.env }), "go", "keyvault");
  } catch (error) {
    throw error instanceof SdksUnavailableError ? new ExamplesUnavailableError(error.message) : error;
  }
  const module = (await readFile(join(folder, "go.mod"), "utf8")).replace("../../sdks/go/keyvault", sdk);
  await writeFile(join(folder, "go.mod"), module);
  // Without Go, or without a way to its modules, there is nothing to be tried; what does not compile is a fault.
  await promisify(execFile)("go", ["list", "-deps", "./..."], { cwd: folder, env }).catch((error: Error) => {
    throw new ExamplesUnavailableError(`The Go modules of the examples could not be had: ${error.message}`);
  });
  await writePageSnippets(join(folder, "pages"));
  // All at once, and not within the time limit of a test.
  await promisify(execFile)("go", ["build", "./..."], { cwd: folder, env });
  for (const entry of await readdir(folder, { withFileTypes: true })) {
    if (!entry.isDirectory() || entry.name === "pages") continue;
    for (const file of ["go.mod", "go.sum"]) await cp(join(folder, file), join(folder, entry.name, file));
  }
  return { folder, env: SHARED_BUILD_SETTINGS };
});

/** What the pages show and name of Go, as a package that is compiled with the examples. */
async function writePageSnippets(folder: string): Promise<void> {
  const snippets = pageSnippets("go");
  const names = namesInProse("Go");
  if (snippets.length === 0 || names.length < 4) throw new Error("The pages show no Go");
  await mkdir(folder);
  const head = [
    "package pages",
    'import "github.com/pulumi-keyvault/pulumi-keyvault/sdk/go/keyvault"',
    'import "github.com/pulumi/pulumi/sdk/v3/go/pulumi"',
    "var _ pulumi.String",
  ];
  for (const [index, { place, text }] of snippets.entries()) {
    const made = [...text.matchAll(/^(\w+), err :=/gm)].map(([, name]) => `_ = ${name}`);
    const lines = [
      ...head,
      `func Snippet${index}(ctx *pulumi.Context) error {`,
      `//line ${place}`,
      text,
      ...made,
      "return err",
      "}",
    ];
    await writeFile(join(folder, `snippet${index}.go`), lines.join("\n"));
  }
  const uses = names.map((name) => (name.endsWith("Args") ? `var _ keyvault.${name}` : `var _ = keyvault.${name}`));
  await writeFile(join(folder, "names.go"), [...head, ...uses, ""].join("\n"));
}
