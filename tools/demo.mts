import { mkdir } from "node:fs/promises";
import { join } from "node:path";
import { parseArgs, styleText } from "node:util";
import { makeDemoKeys } from "./demo/demo-keys.mts";
import { DEMO_FOLDER, DEMO_LOCK, DemoProject } from "./demo/demo-project.mts";
import { waitForEarlierEngines } from "./demo/earlier-engines.mts";
import { readableUpdate } from "./demo/readable-run.mts";
import {
  isLanguage,
  type Language,
  LanguageHostUnavailableError,
  UnknownLanguageError,
} from "./engine/language-host.mts";
import { withLock } from "./engine/lock.mts";
import { EngineUnavailableError } from "./engine/provision.mts";
import { SdksUnavailableError } from "./sdks/provision-sdks.mts";
import { PythonUnavailableError } from "./sdks/python-environment.mts";

// npm run demo [-- --language yaml|python|go] [--verbose]: the whole way once, on embedded vaults: import, drift, repair, backup and
// restore. The program is that of examples/import-key, or of the language's own.

const DRIFT_EXIT_CODE = 7;
const COLOR = process.stdout.isTTY && !process.env.NO_COLOR ? "always" : "never";

const RUNTIMES = {
  typescript: `Node ${process.versions.node}`,
  yaml: "a program in YAML",
  python: "a program in Python",
  go: "a program in Go, which is compiled in each step",
};

const PROGRAMS = {
  typescript: "examples/import-key/index.ts",
  yaml: "examples/yaml/import-key/Pulumi.yaml",
  python: "examples/python/import-key/__main__.py",
  go: "examples/go/import-key/main.go",
};

class DemoFailure extends Error {}

const EXPECTED_FAILURES = [
  DemoFailure,
  EngineUnavailableError,
  LanguageHostUnavailableError,
  PythonUnavailableError,
  SdksUnavailableError,
  UnknownLanguageError,
];

const given = parseArgs({ options: { language: { type: "string" }, verbose: { type: "boolean" } } }).values;
/** Whether all that the engine says is shown. */
const isVerbose = given.verbose === true;

try {
  const language = askedLanguage();
  await mkdir(DEMO_FOLDER, { recursive: true, mode: 0o700 });
  let isToldToWait = false;
  await withLock(
    DEMO_LOCK,
    () => {
      if (!isToldToWait) console.log("Another demo is running in this folder; waiting for its end.");
      isToldToWait = true;
    },
    () => demo(language),
  );
} catch (error) {
  if (!isExpected(error)) throw error;
  console.error(`\n${error.message}`);
  process.exitCode = 1;
}

function isExpected(error: unknown): error is Error {
  return EXPECTED_FAILURES.some((kind) => error instanceof kind);
}

/** Undefined for TypeScript. */
function askedLanguage(): Language | undefined {
  const { language } = given;
  if (language === undefined || language === "typescript") return undefined;
  if (!isLanguage(language)) throw new UnknownLanguageError(language);
  return language;
}

async function demo(language: Language | undefined): Promise<void> {
  heading("The engine and the keys");
  await waitForEarlierEngines(DEMO_FOLDER, (line) => console.log(line));
  await DemoProject.reset(language);
  const keys = await makeDemoKeys(join(DEMO_FOLDER, "keys"));
  const project = await DemoProject.open({ onBuild: () => isVerbose && console.log("Building pulumi-keyvault …") });
  console.log(`Pulumi ${project.engine.version} (${project.engine.source}), ${RUNTIMES[language ?? "typescript"]}`);
  console.log(`Made for this demo, in .demo/keys:\n${keys.map((key) => `  ${key}`).join("\n")}`);

  heading("1 of 5: Import them into a vault, and take backups");
  await update(project, ["up", "--yes", "--skip-preview"]);
  await outputs(project, ["signingThumbprint", "tokensThumbprint", "signingBackupBlob"]);
  look(
    "state has the thumbprints of the keys, and the backup encrypted. The private\n      keys are in the vault alone.",
  );

  heading("2 of 5: Somebody changes the vault by hand");
  // Only now: it comes from the build.
  const { VaultByHand } = await import("./demo/vault-by-hand.mts");
  const first = await VaultByHand.open(join(DEMO_FOLDER, "first.vault"));
  console.log(`  ${await first.changeTags("orders-signing", { team: "orders", owner: "nobody knows" })}`);
  console.log(`  ${await first.swapKey("tokens")}`);
  await first.close();

  heading("3 of 5: The drift is told, with exit code 7 for a pipeline");
  if (isVerbose) await pulumi(project, ["preview", "--refresh", "--expect-no-changes", "--diff"], DRIFT_EXIT_CODE);
  await drift(project, DRIFT_EXIT_CODE);
  look(
    "a tag that nobody declared, and another key under the name of `tokens`: its thumbprint is not the recorded one.",
  );

  heading("4 of 5: Repair: the vault becomes what the program says");
  await update(project, ["up", "--refresh", "--yes", "--skip-preview"]);
  await drift(project, 0);
  look("the backup of the signing key was taken again in the same update, since the\n      key had changed.");

  heading("5 of 5: Restore the backup of the signing key into a second vault");
  if (language === "yaml") {
    console.log("YAML has no conditions: the first update has restored the copy as soon as it had the backup.\n");
  } else {
    await pulumi(project, ["config", "set", "copyVaultUrl", project.copyVaultUrl]);
    await update(project, ["up", "--yes", "--skip-preview"]);
  }
  if (isVerbose || language === "yaml") await outputs(project, ["copiedKey"]);
  const [original, copy] = await Promise.all(
    ["first.vault", "second.vault"].map(async (file) => {
      const vault = await VaultByHand.open(join(DEMO_FOLDER, file));
      const { key } = await vault.getKey("orders-signing");
      await vault.close();
      return key;
    }),
  );
  const isSame = original?.n === copy?.n && versionOf(original?.kid) === versionOf(copy?.kid);
  if (!original || !isSame) throw new DemoFailure("The restored key is not the one that was backed up.");
  look("an ordinary HTTP client finds the same public key, and\n      the same version, in both vaults.");

  heading("Go on by hand");
  const shell = `eval "$(npm run --silent engine:env${language === undefined ? "" : ` -- ${language}`})"`;
  console.log(`  npm run demo -- --verbose             the same, with all that the engine says
  npm run pulumi -- stack output        what the stack tells; the backups too
                                        with --show-secrets
  npm run pulumi -- stack export        the state: no private key is in it
  npm run pulumi -- preview --refresh   after a change of
                                        ${PROGRAMS[language ?? "typescript"]}
  npm run pulumi -- destroy             deletes the keys; they can be recovered
  ${shell}
                                        the engine in a shell of your own`);
}

function versionOf(kid: string | undefined): string | undefined {
  return kid?.split("/").at(-1);
}

/** Runs an update. Without --verbose each resource is told in a line. */
async function update(project: DemoProject, args: readonly string[]): Promise<void> {
  if (isVerbose) {
    await pulumi(project, args);
    return;
  }
  command(`pulumi ${args.join(" ")}`);
  const { exitCode, output } = await project.captured([...args, "--non-interactive", "--color", "never"]);
  console.log(exitCode === 0 ? `${readableUpdate(output).join("\n")}\n` : output);
  expectExitCode("pulumi up", exitCode, 0);
}

/** What a stack tells, of these outputs alone. */
async function outputs(project: DemoProject, names: readonly string[]): Promise<void> {
  if (isVerbose) {
    await pulumi(project, ["stack", "output"]);
    return;
  }
  command("pulumi stack output   # in part");
  const { exitCode, output } = await project.captured(["stack", "output", "--json", "--non-interactive"]);
  expectExitCode("pulumi stack output", exitCode, 0);
  const values: Record<string, unknown> = JSON.parse(output.slice(output.indexOf("{")));
  const width = Math.max(...names.map((name) => name.length)) + 2;
  console.log(`${names.map((name) => `  ${name.padEnd(width)}${String(values[name])}`).join("\n")}\n`);
}

/** The report of `pulumi-keyvault drift`. */
async function drift(project: DemoProject, expected: number): Promise<void> {
  command("pulumi-keyvault drift");
  const exitCode = await project.keyvault(["drift"]);
  if (exitCode !== 0) console.log(`\nExit code ${exitCode}`);
  console.log("");
  expectExitCode("pulumi-keyvault drift", exitCode, expected);
}

/** Runs a command in view of the user. Ends the demo when it ends otherwise than it should. */
async function pulumi(project: DemoProject, args: readonly string[], expected = 0): Promise<void> {
  command(`pulumi ${args.join(" ")}`);
  const exitCode = await project.pulumi([...args, "--non-interactive", "--color", COLOR]);
  if (exitCode !== 0) console.log(`\nExit code ${exitCode}`);
  // After an update the engine leaves an empty line by itself.
  else if (args[0] === "preview") console.log("");
  expectExitCode(`pulumi ${args[0]}`, exitCode, expected);
}

function expectExitCode(what: string, exitCode: number, expected: number): void {
  if (exitCode === expected) return;
  throw new DemoFailure(
    `The demo ends here: ${what} ended with exit code ${exitCode}, not ${expected}. It can be run again at once.`,
  );
}

function heading(text: string): void {
  console.log(`\n${styled("bold", `== ${text}`)}\n`);
}

function command(text: string): void {
  console.log(`${styled("cyan", `$ ${text}`)}\n`);
}

/** What is worth a look in what was printed. */
function look(text: string): void {
  console.log(`Look: ${text}`);
}

function styled(style: "bold" | "cyan", text: string): string {
  return COLOR === "always" ? styleText(style, text, { validateStream: false }) : text;
}
