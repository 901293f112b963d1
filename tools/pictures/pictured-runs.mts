import { spawn } from "node:child_process";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { delimiter, join } from "node:path";
import { provisionEngine } from "../engine/provision.mts";

const CHECKOUT = join(import.meta.dirname, "..", "..");
const COMMAND = join(CHECKOUT, "dist", "cli", "main.js");

/** A command that the README has a picture of. */
export interface PicturedRun {
  name: "demo" | "drift" | "doctor";
  title: string;
  /** What a reader hears who does not see it. */
  description: string;
  /** Runs it, in a terminal of 80 columns where colours are wanted. */
  run(terminal: boolean): Promise<string>;
}

export const PICTURED_RUNS: readonly PicturedRun[] = [
  {
    name: "demo",
    title: "npm run demo",
    description: "The demo: keys are imported, the vault is changed by hand, the drift is told and repaired.",
    run: (terminal) => printed([process.execPath, join(CHECKOUT, "tools", "demo.mts")], { terminal }),
  },
  {
    name: "drift",
    title: "pulumi-keyvault drift",
    description: "A report of drift: for each property what was recorded, what is there, what the next update does.",
    run: (terminal) => {
      const preview = join(CHECKOUT, "test", "cli", "fixtures", "drift-preview.json");
      return printed([process.execPath, COMMAND, "drift", "--from", preview], { terminal });
    },
  },
  {
    name: "doctor",
    title: "pulumi-keyvault doctor",
    description: "What works between a machine and a vault.",
    run: doctor,
  },
];

/** An identity that may read and not write, at a vault with roles. */
async function doctor(terminal: boolean): Promise<string> {
  // It comes from the build.
  const { startEmulator } = await import("../../dist/emulator/index.js");
  const principals = { watcher: { keys: ["get", "list"], secrets: ["list"] } };
  const vault = await startEmulator({
    tls: true,
    vaults: [{ name: "contoso", permissions: { model: "rbac", principals } }],
  });
  const folder = await mkdtemp(join(tmpdir(), "pulumi-keyvault-pictures-"));
  try {
    const authority = join(folder, "ca.pem");
    await writeFile(authority, vault.caCertificate ?? "");
    const { token } = await vault.credentialFor("watcher").getToken("https://vault.azure.net/.default");
    const { binDir } = await provisionEngine();
    const env = {
      PATH: `${binDir}${delimiter}${process.env.PATH}`,
      AZURE_KEYVAULT_URL: vault.url,
      KEYVAULT_CREDENTIAL: "token",
      KEYVAULT_TOKEN: token,
      NODE_EXTRA_CA_CERTS: authority,
    };
    return await printed([process.execPath, COMMAND, "doctor"], { terminal, env });
  } finally {
    await vault.close();
    await rm(folder, { recursive: true, force: true });
  }
}

/** util-linux's `script` is a terminal. */
async function printed(
  command: readonly string[],
  { terminal, env = {} }: { terminal: boolean; env?: Record<string, string> },
): Promise<string> {
  const quoted = command.map((word) => `'${word.replaceAll("'", "'\\''")}'`).join(" ");
  const [program = "", ...args] = terminal
    ? ["script", "-qec", `stty cols 80 rows 50 && ${quoted}`, "/dev/null"]
    : command;
  const left = /^(AZURE_|KEYVAULT_|PULUMI_|ARM_|GITHUB_|NO_COLOR|FORCE_COLOR|NODE_OPTIONS|VITEST)/;
  const rest = Object.fromEntries(Object.entries(process.env).filter(([name]) => !left.test(name)));
  const child = spawn(program, args, {
    cwd: CHECKOUT,
    env: { ...rest, TERM: "xterm-256color", ...env },
    stdio: ["ignore", "pipe", "inherit"],
  });
  let text = "";
  child.stdout.setEncoding("utf8").on("data", (chunk: string) => {
    text += chunk;
  });
  await new Promise((resolve, reject) => {
    child.once("error", reject);
    child.once("close", resolve);
  });
  return withoutQuestions(text);
}

/** What programs ask a terminal (its colours, the place of its cursor) shows nothing. */
function withoutQuestions(text: string): string {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: this is what such a question begins with
  return text.replace(/\u001b\][^\u0007\u001b]*(?:\u0007|\u001b\\)|\u001b\[[\d;?]*[A-Za-ln-z]/g, "");
}
