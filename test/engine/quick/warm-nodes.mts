import { type ChildProcess, fork } from "node:child_process";
import { createServer, type Server, type Socket } from "node:net";
import { join } from "node:path";

// The processes of host.cjs, for all files of a run of the tests: as many of a kind as were needed at once.

const MOST = 10;
/** What a program leaves in its host is little, and not nothing. */
const JOBS = 60;

interface Host {
  kind: string;
  process: ChildProcess;
  /** The shell that the engine has started and that waits for an answer. */
  shell: Socket | undefined;
  jobs: number;
}

const hosts: Host[] = [];

function takeHost(kind: string): Host | undefined {
  const free = hosts.filter((host) => host.shell === undefined && host.process.connected);
  const own = free.find((host) => host.kind === kind);
  if (own !== undefined) return own;
  if (hosts.filter(({ process: { connected } }) => connected).length >= MOST) {
    const [other] = free;
    if (other === undefined) return undefined;
    other.process.disconnect();
  }
  return startHost(kind);
}

function startHost(kind: string): Host {
  const child = fork(join(import.meta.dirname, "host.cjs"), [], { stdio: ["ignore", "ignore", "inherit", "ipc"] });
  const host: Host = { kind, process: child, shell: undefined, jobs: 0 };
  hosts.push(host);
  child.on("message", ({ answer }: { answer: string }) => {
    const { shell } = host;
    host.shell = undefined;
    shell?.end(`${answer}\n`);
    host.jobs += 1;
    if (host.jobs === JOBS) child.disconnect();
  });
  child.on("exit", (code) => {
    hosts.splice(hosts.indexOf(host), 1);
    host.shell?.end(code === null ? "" : `exit ${code}\n`);
  });
  return host;
}

/** A shell tells it its number and what it is to run, and is told how that has ended. */
export function warmNodes(): Server {
  return createServer((shell) => {
    shell.on("error", () => {});
    shell.setEncoding("utf8").once("data", (line: string) => {
      const [pid, script = ""] = line.trim().split(" ");
      const host = takeHost(/cmd\/run|dynamic-provider|plugin/.exec(script)?.[0] ?? "");
      if (host === undefined) return void shell.end("cold\n");
      host.shell = shell;
      shell.on("close", () => {
        if (host.shell === shell && host.process.connected) host.process.send({ isGone: true });
      });
      host.process.send({ pid: Number(pid) });
    });
  });
}
