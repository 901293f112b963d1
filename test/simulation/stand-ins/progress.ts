import { world } from "./simulated-world.js";

export * from "../../../provider/engine/progress.js";

export function tell(line: string): void {
  world.simulation?.promises.holdMessage(line);
}
