import { fork } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";
import { quickStartSettings } from "./quick-settings.js";

/** Starts what makes runs of the engine quick: for all files of a run of the tests, and before the first. */
export default async function setup(): Promise<() => void> {
  const services = fork(join(__dirname, "services.mts"), {
    env: { ...process.env, ...quickStartSettings(process.env) },
    stdio: ["ignore", "ignore", "inherit", "ipc"],
  });
  const [{ secrets, warmNodes }] = await once(services, "message");
  process.env.QUICK_SECRETS_PORT = String(secrets);
  process.env.WARM_NODE_PORT = String(warmNodes);
  return () => services.disconnect();
}
