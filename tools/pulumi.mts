import { mkdir } from "node:fs/promises";
import { DEMO_FOLDER, DemoProject } from "./demo/demo-project.mts";
import { EngineUnavailableError } from "./engine/provision.mts";

// npm run pulumi -- …: the engine and the stack of the demo, by hand.

try {
  await mkdir(DEMO_FOLDER, { recursive: true, mode: 0o700 });
  const project = await DemoProject.open();
  process.exitCode = await project.pulumi(process.argv.slice(2));
} catch (error) {
  if (!(error instanceof EngineUnavailableError)) throw error;
  console.error(error.message);
  process.exitCode = 1;
}
