import { fork } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";
import { quickStartSettings } from "./quick-settings.js";

/** What makes runs of the engine quick: the ports of its services, in a process of its own. */
export interface Services {
  secrets: number;
  warmNodes: number;
  end(): void;
}

export async function startServices(): Promise<Services> {
  const services = fork(join(__dirname, "services.mts"), {
    env: { ...process.env, ...quickStartSettings(process.env) },
    stdio: ["ignore", "ignore", "inherit", "ipc"],
  });
  const [{ secrets, warmNodes }] = await once(services, "message");
  return { secrets, warmNodes, end: () => services.disconnect() };
}

/** For all files of a run of the tests, and before the first. */
export default async function setup(): Promise<() => void> {
  const { secrets, warmNodes, end } = await startServices();
  process.env.QUICK_SECRETS_PORT = String(secrets);
  process.env.WARM_NODE_PORT = String(warmNodes);
  return end;
}
