import { spawnSync } from "node:child_process";
import { existsSync } from "node:fs";
import { glob, rm } from "node:fs/promises";
import { join } from "node:path";

// npm run build: compiles into dist/, and removes from it what no longer has a source, so that it is never published.
// dist/ is not emptied first: what is running from it goes on running.

const root = join(import.meta.dirname, "..");

// The compiler writes what has changed since it wrote last; where something of that is gone, all of it.
for await (const source of glob("{sdk,plugin,provider,emulator,cli}/**/*.ts", { cwd: root })) {
  if (source.endsWith(".d.ts") || existsSync(join(root, "dist", source.replace(/\.ts$/, ".js")))) continue;
  await rm(join(root, "dist/build.tsbuildinfo"), { force: true });
  break;
}
const compiler = spawnSync(
  process.execPath,
  [join(root, "node_modules/typescript/bin/tsc"), "-p", "tsconfig.build.json"],
  {
    cwd: root,
    stdio: "inherit",
  },
);
if (compiler.status !== 0) process.exit(compiler.status ?? 1);

for await (const file of glob("dist/**/*.{js,d.ts}", { cwd: root })) {
  const source = file.replace(/^dist[/\\]/, "").replace(/(\.d\.ts|\.js)$/, ".ts");
  if (!existsSync(join(root, source))) await rm(join(root, file));
}
