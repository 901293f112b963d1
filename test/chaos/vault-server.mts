/** A vault in a process of its own, on a store that outlives it, with the latency of a real one. */
import { startEmulator } from "../../emulator/index.js";

const [store = "", seed = "1", timing = "instant"] = process.argv.slice(2);
const emulator = await startEmulator({ store, seed, timing: timing === "short" ? "short" : "instant" });
emulator.faults.add({ kind: "latency", milliseconds: 100, probability: 0.4 });
emulator.faults.add({ kind: "latency", milliseconds: 150, probability: 0.5 });
emulator.faults.add({ kind: "latency", milliseconds: 200 });
process.send?.({ port: emulator.port });
process.on("disconnect", () => process.exit(0));
