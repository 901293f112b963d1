import { mkdir } from "node:fs/promises";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { makeDemoKeys } from "./demo/demo-keys.mts";
import { DEMO_FOLDER, DEMO_LOCK, DemoProject } from "./demo/demo-project.mts";
import { waitForEarlierEngines } from "./demo/earlier-engines.mts";
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

// npm run demo [-- --language yaml|python|go]: the whole way once, on embedded vaults: import, drift, repair, backup and
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
  const { language } = parseArgs({ options: { language: { type: "string" } } }).values;
  if (language === undefined || language === "typescript") return undefined;
  if (!isLanguage(language)) throw new UnknownLanguageError(language);
  return language;
}

async function demo(language: Language | undefined): Promise<void> {
  heading("The engine and the keys");
  await waitForEarlierEngines(DEMO_FOLDER, (line) => console.log(line));
  await DemoProject.reset(language);
  const keys = await makeDemoKeys(join(DEMO_FOLDER, "keys"));
  const project = await DemoProject.open({ onBuild: () => console.log("Building pulumi-keyvault …") });
  console.log(`Pulumi ${project.engine.version} (${project.engine.source}), ${RUNTIMES[language ?? "typescript"]}`);
  console.log(`Made for this demo, in .demo/keys:\n${keys.map((key) => `  ${key}`).join("\n")}`);

  heading("Import them into a vault, and take backups");
  await pulumi(project, ["up", "--yes", "--skip-preview"]);
  await pulumi(project, ["stack", "output"]);

  heading("Somebody changes the vault by hand");
  // Only now: it comes from the build.
  const { VaultByHand } = await import("./demo/vault-by-hand.mts");
  const first = await VaultByHand.open(join(DEMO_FOLDER, "first.vault"));
  console.log(`  ${await first.changeTags("orders-signing", { team: "orders", owner: "nobody knows" })}`);
  console.log(`  ${await first.swapKey("tokens")}`);
  await first.close();

  heading("Pulumi tells the drift, for a pipeline with exit code 7");
  await pulumi(project, ["preview", "--refresh", "--expect-no-changes", "--diff"], DRIFT_EXIT_CODE);

  heading("Repair: the vault becomes what the program says");
  await pulumi(project, ["up", "--refresh", "--yes", "--skip-preview"]);
  await pulumi(project, ["preview", "--refresh", "--expect-no-changes"]);

  heading("Restore the backup of the signing key into a second vault");
  if (language === "yaml") {
    console.log("YAML has no conditions: the first update has restored the copy as soon as it had the backup.\n");
    await pulumi(project, ["stack", "output", "copiedKey"]);
  } else {
    await pulumi(project, ["config", "set", "copyVaultUrl", project.copyVaultUrl]);
    await pulumi(project, ["up", "--yes", "--skip-preview"]);
  }
  const [original, copy] = await Promise.all(
    ["first.vault", "second.vault"].map(async (file) => {
      const vault = await VaultByHand.open(join(DEMO_FOLDER, file));
      const { key } = await vault.getKey("orders-signing");
      await vault.close();
      return key;
    }),
  );
  if (!original || original.n !== copy?.n) throw new DemoFailure("The restored key is not the one that was backed up.");
  console.log("An ordinary HTTP client finds the same public key, and the same version, in both vaults.");

  heading("Go on by hand");
  console.log(`  npm run pulumi -- stack output                  what the stack tells
  npm run pulumi -- stack output --show-secrets   the backups too
  npm run pulumi -- stack export                  the state: no private key is in it
  npm run pulumi -- preview --refresh             after a change of ${PROGRAMS[language ?? "typescript"]}
  npm run pulumi -- destroy                       deletes the keys; they can be recovered
  ${`eval "$(npm run --silent engine:env${language === undefined ? "" : ` -- ${language}`})"`.padEnd(47)} the engine in your own shell, for your own program`);
}

/** Runs a command in view of the user. Ends the demo when it ends otherwise than it should. */
async function pulumi(project: DemoProject, args: readonly string[], expected = 0): Promise<void> {
  console.log(`$ pulumi ${args.join(" ")}\n`);
  const exitCode = await project.pulumi([...args, "--non-interactive", "--color", COLOR]);
  if (exitCode !== 0) console.log(`\nExit code ${exitCode}`);
  // After an update the engine leaves an empty line by itself.
  else if (args[0] !== "up") console.log("");
  if (exitCode === expected) return;
  throw new DemoFailure(
    `The demo ends here: pulumi ${args[0]} ended with exit code ${exitCode}, not ${expected}. It can be run again at once.`,
  );
}

function heading(text: string): void {
  console.log(`\n== ${text}\n`);
}
