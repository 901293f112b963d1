import { MUTATIONS } from "./mutations.mts";
import { loadSimulated } from "./simulated-modules.mts";
import type { Slice } from "./simulated-slice.js";

// A process of `npm run simulate`: simulates one slice of histories after the other, as it is told to.

// As a plain object: the one of the process asks the operating system each time, and settings are read thousands of times a second.
process.env = { ...process.env };
const mutation = process.argv[2];
loadSimulated(mutation === undefined ? undefined : MUTATIONS[Number(mutation)]);
const { simulatedSlice }: typeof import("./simulated-slice.js") = await import("./simulated-slice.ts" as string);

process.on("message", (slice: Slice) => {
  simulatedSlice(slice).then((outcome) => process.send?.(outcome));
});
