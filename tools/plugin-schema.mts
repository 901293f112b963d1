import { writeFile } from "node:fs/promises";
import { createRequire } from "node:module";
import { join } from "node:path";

// npm run --silent plugin:schema [FILE]: writes the package schema from which Pulumi's generators make each language's SDK.

const root = join(import.meta.dirname, "..");
const load = createRequire(import.meta.url);
const { version } = load(join(root, "package.json"));
const { packageSchema } = load(join(root, "dist/plugin/schema/package-schema.js"));

const text = `${JSON.stringify(packageSchema(version), null, 2)}\n`;
const [file] = process.argv.slice(2);
if (file === undefined) process.stdout.write(text);
else await writeFile(file, text);
