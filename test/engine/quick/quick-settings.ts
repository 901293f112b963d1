import { delimiter, join, resolve } from "node:path";

type Environment = Record<string, string | undefined>;

const root = resolve(__dirname, "../../..");

/**
 * What makes the processes of Node that the engine starts quick. Each run has two that load the same modules: a third of
 * its work is compiling them.
 */
export function quickStartSettings({ NODE_OPTIONS = "" }: Environment): Record<string, string> {
  return {
    NODE_COMPILE_CACHE: join(root, "node_modules/.cache/pulumi-keyvault/compiled"),
    NODE_OPTIONS: `${NODE_OPTIONS} --require ${JSON.stringify(join(__dirname, "quick-start.cjs"))}`,
    // The engine's runs are short, and their memory is small.
    GOGC: "400",
  };
}

/**
 * Has the engine start what has been loaded before: `node` in this folder. Not where COLD_NODE is set, nor where
 * there is no /proc, from which it is read what a process was started with.
 */
export function warmNodeSettings(
  { PATH = "" }: Environment,
  { compiles, providers }: { compiles: boolean; providers: boolean },
): Record<string, string> {
  const { WARM_NODE_PORT, COLD_NODE } = process.env;
  if (WARM_NODE_PORT === undefined || COLD_NODE || process.platform !== "linux") return {};
  return {
    PATH: `${__dirname}${delimiter}${PATH}`,
    WARM_NODE: process.execPath,
    WARM_NODE_VERSION: process.version,
    WARM_NODE_PORT,
    WARM_NODE_PROVIDERS: String(providers),
    WARM_NODE_TYPESCRIPT: String(compiles),
  };
}

/** Where the key of the stacks' secrets is opened (new-stack.mts); undefined outside of the tests. */
export function quickSecretsSettings(): Record<string, string> | undefined {
  const { QUICK_SECRETS_PORT } = process.env;
  if (QUICK_SECRETS_PORT === undefined) return undefined;
  return { VAULT_SERVER_URL: `http://127.0.0.1:${QUICK_SECRETS_PORT}`, VAULT_SERVER_TOKEN: "of the tests" };
}
