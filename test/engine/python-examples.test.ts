import { delimiter, join } from "node:path";
import { provisionSdks, SdksUnavailableError } from "../../tools/sdks/provision-sdks.mts";
import {
  installSdk,
  PythonUnavailableError,
  provisionPython,
  pythonFolder,
} from "../../tools/sdks/python-environment.mts";
import { describeExamples, ExamplesUnavailableError } from "./language-examples.js";

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
      edit: (command) => instead[command] ?? command,
    };
  } catch (error) {
    if (error instanceof PythonUnavailableError || error instanceof SdksUnavailableError) {
      throw new ExamplesUnavailableError(error.message);
    }
    throw error;
  }
});
