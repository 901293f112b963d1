/**
 * npm run build && node bench/cold-start.bench.mts: from the start of the provider's process to the answer of its first check, ours beside a provider that does
 * nothing, in the SDK's own host of dynamic providers. Rounds alternate; the middle one counts. On Linux it tells the processor's time of the host too.
 *
 *   --quick   one round: shows that it runs
 */
import { type ChildProcess, spawn } from "node:child_process";
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { FLOOR_MODULE } from "./engine-programs.mts";
import { MATERIALS } from "./engine-project.mts";
import { median, record, spread } from "./record.mts";

const root = resolve(import.meta.dirname, "..");
const require = createRequire(import.meta.url);
const { grpc, messages, providerService } =
  require("../dist/provider/engine/sdk-protocol.js") as typeof import("../provider/engine/sdk-protocol.js");
const { writeProperties } =
  require("../dist/plugin/wire-properties.js") as typeof import("../plugin/wire-properties.js");

const rounds = process.argv.includes("--quick") ? 1 : 15;
const folder = mkdtempSync(join(tmpdir(), "keyvault-cold-"));
mkdirSync(join(folder, "node_modules/bench-floor"), { recursive: true });
writeFileSync(join(folder, "node_modules/bench-floor/index.js"), FLOOR_MODULE);
symlinkSync(root, join(folder, "node_modules/pulumi-keyvault"));
writeFileSync(join(folder, "key.pem"), MATERIALS[1] ?? "");
writeFileSync(join(folder, "Pulumi.yaml"), "name: cold\nruntime: nodejs\n");
writeFileSync(join(folder, "package.json"), "{}");

const PROVIDERS = {
  floor: 'exports.handler = () => require("bench-floor");',
  ours: 'exports.handler = () => require("pulumi-keyvault/dynamic-v1").key;',
};

/** Milliseconds from the start of the process to the first answer, and of the processor until then. */
async function firstCheck(provider: keyof typeof PROVIDERS): Promise<{ elapsed: number; processor: number }> {
  const begun = performance.now();
  const host = spawn(
    process.execPath,
    [join(root, "node_modules/@pulumi/pulumi/cmd/dynamic-provider/index.js"), "127.0.0.1:9"],
    { cwd: folder, stdio: ["ignore", "pipe", "inherit"], env: { ...process.env, PULUMI_NODEJS_PROJECT: "cold" } },
  );
  try {
    const client = new providerService.ResourceProviderClient(
      `127.0.0.1:${await portOf(host)}`,
      grpc.credentials.createInsecure(),
    );
    const request = new messages.CheckRequest();
    request.setOlds(writeProperties({}));
    request.setNews(
      writeProperties({
        __provider: PROVIDERS[provider],
        vaultUrl: "https://cold.vault.azure.net",
        name: "orders",
        import: { file: "key.pem" },
      }),
    );
    await new Promise<void>((done, fail) => {
      client.configure(new messages.ConfigureRequest().setArgs(writeProperties({})), () => {
        client.check(request, (error, response) => {
          const failures = response?.getFailuresList().map((failure) => failure.getReason()) ?? [];
          if (error) fail(error);
          else if (failures.length > 0) fail(new Error(failures.join("; ")));
          else done();
        });
      });
    });
    const elapsed = performance.now() - begun;
    const processor = processorTime(host.pid);
    client.close();
    return { elapsed, processor };
  } finally {
    host.kill("SIGKILL");
  }
}

/** Milliseconds that the processor has spent on a process; none where the system does not tell. */
function processorTime(pid: number | undefined): number {
  try {
    const threads = readdirSync(`/proc/${pid}/task`);
    const spent = threads.map((thread) =>
      Number(readFileSync(`/proc/${pid}/task/${thread}/schedstat`, "utf8").split(" ")[0]),
    );
    return spent.reduce((sum, nanoseconds) => sum + nanoseconds, 0) / 1e6;
  } catch {
    return Number.NaN;
  }
}

function portOf(host: ChildProcess): Promise<string> {
  return new Promise((done, fail) => {
    let text = "";
    host.stdout?.on("data", (chunk) => {
      text += chunk;
      const [, port] = text.match(/^(\d+)\n/) ?? [];
      if (port !== undefined) done(port);
    });
    host.on("error", fail);
    host.on("exit", (code) => fail(new Error(`the provider's host ended with ${code}: ${text}`)));
  });
}

try {
  const times = { floor: [] as number[], ours: [] as number[] };
  const spent = { floor: [] as number[], ours: [] as number[] };
  for (let round = 0; round < rounds; round++) {
    for (const provider of ["floor", "ours"] as const) {
      const { elapsed, processor } = await firstCheck(provider);
      times[provider].push(elapsed);
      spent[provider].push(processor);
    }
  }
  const ratios = times.ours.map((ours, round) => ours / (times.floor[round] ?? Number.NaN));
  const figure = median(ratios).toFixed(2);
  console.log(
    `start to the first check: floor ${median(times.floor).toFixed(0)} ms, ours ${median(times.ours).toFixed(0)} ms, ratio ${figure} (${spread(ratios)}); the processor's time: ${median(spent.floor).toFixed(0)} ms, ${median(spent.ours).toFixed(0)} ms, ratio ${(median(spent.ours) / median(spent.floor)).toFixed(2)}`,
  );
  record({
    measure: "provider's process, start to the first check, ours ÷ floor",
    figure,
    spread: spread(ratios),
    goal: "at most 1.1",
  });
} finally {
  rmSync(folder, { recursive: true, force: true });
}
