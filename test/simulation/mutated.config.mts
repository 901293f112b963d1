import { join } from "node:path";
import { defineConfig } from "vitest/config";
import { MUTATIONS } from "./mutations.mts";

const root = join(import.meta.dirname, "../..");
const mutation = MUTATIONS[Number(process.env.SIMULATION_MUTATION)];
if (mutation === undefined) throw new Error("SIMULATION_MUTATION is the number of none of the mutations");
const { file, find, replace } = mutation;

/** Plants one mistake in the source as it is loaded; nothing of it is written anywhere. */
export default defineConfig({
  root,
  // What was loaded with one mistake is not what the next one is planted in.
  test: { include: ["test/simulation/*.test.ts"], fsModuleCache: false },
  plugins: [
    {
      name: "mutation",
      enforce: "pre",
      transform(code: string, id: string) {
        if (id !== join(root, file)) return undefined;
        if (!code.includes(find)) throw new Error(`${file} has nothing to mutate: ${find}`);
        return code.replace(find, () => replace);
      },
    },
  ],
});
