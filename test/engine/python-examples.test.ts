import { spawn } from "node:child_process";
import { delimiter, join } from "node:path";
import { provisionSdks, SdksUnavailableError } from "../../tools/sdks/provision-sdks.mts";
import {
  installSdk,
  PythonUnavailableError,
  provisionPython,
  pythonFolder,
} from "../../tools/sdks/python-environment.mts";
import { ended } from "../cli/command-line.js";
import { describeExamples, ExamplesUnavailableError } from "./language-examples.js";
import { namesInProse, pageSnippets } from "./page-snippets.js";

/** Runs each snippet with mocks in the place of the engine, and asks the SDK for each name. */
const TRIAL = `
import json, sys, traceback, unittest.mock
import pulumi, pulumi_keyvault as keyvault

class Engine(pulumi.runtime.Mocks):
    def new_resource(self, args):
        return args.name, args.inputs
    def call(self, args):
        return {}

pulumi.runtime.set_mocks(Engine())
given = json.load(sys.stdin)
config = unittest.mock.Mock(**{"require_secret.side_effect": pulumi.Output.secret})

@pulumi.runtime.test
def run(place, text):
    exec(compile(text, place, "exec"), {"pulumi": pulumi, "keyvault": keyvault, "config": config})

for snippet in given["snippets"]:
    try:
        run(snippet["place"], snippet["text"])
    except Exception as error:
        print(snippet["place"], repr(error))
for name in given["names"]:
    if not hasattr(keyvault, name):
        print("keyvault has no", name)
`;

/** As in an activated virtual environment: Pulumi's SDK in one that is kept, the generated one beside it. */
describeExamples("python", async (folder, { env }) => {
  try {
    const environment = await provisionPython({ env });
    const site = join(folder, "site");
    await installSdk(environment, join(await provisionSdks({ env }), "python"), site, env);
    const path = [pythonFolder(environment), env.PATH].join(delimiter);
    // What the commands make is there: an environment takes half a minute, and asks the package index.
    const instead: Record<string, string> = {
      "python3 -m venv venv": `ln -s "${environment}" venv`,
      "pip install -r requirements.txt":
        "grep -v sdks requirements.txt | python -m pip install --no-index --dry-run -r /dev/stdin",
    };
    return {
      folder,
      env: { PATH: path, PYTHONPATH: site, PYTHONDONTWRITEBYTECODE: "1" },
      pageFaults: () => pageFaults(join(pythonFolder(environment), "python"), { ...env, PYTHONPATH: site }),
      edit: (command) => instead[command] ?? command,
    };
  } catch (error) {
    if (error instanceof PythonUnavailableError || error instanceof SdksUnavailableError) {
      throw new ExamplesUnavailableError(error.message);
    }
    throw error;
  }
});

async function pageFaults(python: string, env: Record<string, string>): Promise<string> {
  const given = { snippets: pageSnippets("python"), names: namesInProse("Python") };
  if (given.snippets.length < 2 || given.names.length === 0) throw new Error("The pages show no Python");
  const child = spawn(python, ["-c", TRIAL], { env, stdio: ["pipe", "pipe", "pipe"] });
  child.stdin.end(JSON.stringify(given));
  const { exitCode, stdout, stderr } = await ended(child);
  return exitCode === 0 ? stdout : stderr;
}
