import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { PICTURED_RUNS } from "./pictures/pictured-runs.mts";
import { steady } from "./pictures/steady-text.mts";
import { terminalPicture } from "./pictures/terminal-picture.mts";

// npm run pictures: runs what the README shows in a terminal, and draws it. Run it after a change of what they print: the
// tests compare.

const folder = join(import.meta.dirname, "..", "docs", "pictures");
const wanted = process.argv.slice(2);
await mkdir(folder, { recursive: true });
for (const { name, title, description, run } of PICTURED_RUNS) {
  if (wanted.length > 0 && !wanted.includes(name)) continue;
  console.log(`${name} …`);
  await writeFile(join(folder, `${name}.svg`), terminalPicture(title, steady(await run(true)), description));
}
