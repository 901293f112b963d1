import { chmod, mkdir, mkdtemp, readdir, readFile, realpath, rm, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { delimiter, join } from "node:path";

/** A machine of its own for one test: a home with a space in its name, a PATH with what the test puts there, no way out. */
export interface FakeMachine {
  env: Record<string, string>;
  /** A folder on PATH. */
  bin: string;
  /** The cache folder of engines. */
  engines: string;
  /** What was said to the person who waits. */
  said: string[];
  progress: { say(line: string): void; update(line: string): void };
  sites: { archives: string; checksums: string; answerMs: number };
  addEngine(folder: string, version: string): Promise<void>;
  /** A `go` that notes each call in `go.log`. With `hangsAt`, it stays in that command for ever and notes its process id. */
  addGo(options?: { version?: string; hangsAt?: "build"; failsAt?: "list" | "build" }): Promise<void>;
  addSystemProgram(name: string): Promise<void>;
  goCalls(): Promise<string[]>;
  hangingGo(): Promise<number>;
  remove(): Promise<void>;
}

export async function fakeMachine(): Promise<FakeMachine> {
  const root = await realpath(await mkdtemp(join(tmpdir(), "keyvault tools-")));
  const bin = join(root, "bin");
  const home = join(root, "my home");
  const cache = join(home, "cache");
  await Promise.all([bin, home].map((folder) => mkdir(folder, { recursive: true })));
  const said: string[] = [];
  const say = (line: string) => void said.push(line);

  return {
    env: { PATH: [join(root, "empty"), bin].join(delimiter), HOME: home, XDG_CACHE_HOME: cache, FAKE_ROOT: root },
    bin,
    engines: join(cache, "pulumi-keyvault", "engine"),
    said,
    progress: { say, update: say },
    // Nothing listens on port 47 of this machine.
    sites: { archives: "http://127.0.0.1:47/archives", checksums: "http://127.0.0.1:47/checksums", answerMs: 500 },
    async addEngine(folder, version) {
      await mkdir(folder, { recursive: true });
      await addScript(join(folder, "pulumi"), `#!/bin/sh\necho v${version}\n`);
      await addScript(join(folder, "pulumi-language-nodejs"), "#!/bin/sh\n");
      await addScript(join(folder, "pulumi-resource-pulumi-nodejs"), "#!/bin/sh\n");
    },
    async addGo({ version = "1.26.8", hangsAt, failsAt } = {}) {
      const program = `#!${process.execPath}
        const { appendFileSync, chmodSync, writeFileSync } = require("node:fs");
        const { join } = require("node:path");
        const [command, ...args] = process.argv.slice(2);
        const root = process.env.FAKE_ROOT;
        appendFileSync(join(root, "go.log"), JSON.stringify({ command, flags: process.env.GOFLAGS, args }) + "\\n");
        if (command === ${JSON.stringify(failsAt)}) {
          if (command === "build") console.error("a\\n# b\\nb/b.go:1: it cannot be done\\nc");
          else console.error("go: it cannot be done");
          process.exit(1);
        }
        if (command === "env") console.log("go${version}");
        if (command === "list") console.log("a\\nb\\nc");
        if (command === "build") {
          const target = args[args.indexOf("-o") + 1];
          console.error("a\\nb");
          const [, version] = /Version=(v[\\d.]+)/.exec(args.join(" "));
          writeFileSync(target, "#!/bin/sh\\necho " + version + "\\n");
          if (${JSON.stringify(hangsAt)} === "build") {
            writeFileSync(join(root, "go.pid.new"), String(process.pid));
            require("node:fs").renameSync(join(root, "go.pid.new"), join(root, "go.pid"));
            setInterval(() => {}, 1000);
          } else {
            chmodSync(target, 0o755);
          }
        }
      `;
      await addScript(join(bin, "go"), program);
    },
    async addSystemProgram(name) {
      for (const folder of ["/usr/bin", "/bin"]) {
        if ((await readdir(folder)).includes(name)) {
          await symlink(join(folder, name), join(bin, name));
          return;
        }
      }
    },
    async goCalls() {
      const log = await readFile(join(root, "go.log"), "utf8").catch(() => "");
      return log.split("\n").filter(Boolean);
    },
    async hangingGo() {
      return Number(await readFile(join(root, "go.pid"), "utf8"));
    },
    async remove() {
      await rm(root, { recursive: true, force: true });
    },
  };
}

async function addScript(file: string, text: string): Promise<void> {
  await writeFile(file, text);
  await chmod(file, 0o755);
}
