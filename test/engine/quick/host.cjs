// A process of Node that has loaded what each run of the engine loads, and runs one program or provider after another.
// Each runs as it would in a process of its own: with the arguments, the environment, the folder, the streams and the
// number of the process that the engine has started (`node`, beside this file), and with modules of its own. Only the
// packages of others stay. Where the engine kills what it has started in the middle of something, the host ends too.

const fs = require("node:fs");
const Module = require("node:module");
const { join } = require("node:path");
const { fileURLToPath } = require("node:url");

/** What Node reads when it starts. */
const FIXED = ["NODE_OPTIONS", "NODE_EXTRA_CA_CERTS", "NODE_COMPILE_CACHE"];
/** Where the SDK keeps what all its copies in a process have in common. */
const SDK_GLOBALS = ["asyncLocalStorage", "globalStore", "stackResource"];

const packages = `${join(__dirname, "../../../node_modules")}/`;
const fixed = FIXED.map((name) => process.env[name]);
const { argv, pid: ownPid, ppid: ownParent } = process;
const ownFolder = process.cwd();
const ownExtensions = { ...Module._extensions };
const emitters = [process, process.stdout, process.stderr];

let job;
let jobs = 0;

process.on("disconnect", () => process.exit());
process.on("message", (message) => {
  if (message.pid === undefined) abandon();
  else if (!start(message.pid)) process.send({ answer: "cold" });
});

function start(pid) {
  const proc = `/proc/${pid}`;
  const list = (name) => fs.readFileSync(`${proc}/${name}`, "utf8").split("\0").slice(0, -1);
  try {
    const env = Object.fromEntries(list("environ").map((entry) => entry.split(/=(.*)/s).slice(0, 2)));
    if (FIXED.some((name, index) => env[name] !== fixed[index])) return false;
    const parent = Number(
      fs
        .readFileSync(`${proc}/stat`, "utf8")
        .replace(/^.*\) /s, "")
        .split(" ")[1],
    );
    // What the project says (stack.ts), and language hosts built from Go modules pass over.
    if (env.PULUMI_NODEJS_TYPESCRIPT) env.PULUMI_NODEJS_TYPESCRIPT = env.WARM_NODE_TYPESCRIPT;
    // Of a shell: itself, its script, and what the script was started with.
    become({ args: list("cmdline").slice(2), env, folder: fs.readlinkSync(`${proc}/cwd`), pid, parent });
    job = {
      outputs: [4, 2].map((stream) => fs.openSync(`${proc}/fd/${stream}`, "w")),
      servers: [],
      channels: [],
      calls: 0,
      drains: 0,
    };
  } catch {
    return false;
  }
  job.listeners = emitters.map((emitter) => emitter.eventNames().map((name) => [name, emitter.rawListeners(name)]));
  process.stdout.write = written(job.outputs[0]);
  process.stderr.write = written(job.outputs[1]);
  process.on("beforeExit", drained);
  process.channel.unref();
  Module._load(fs.realpathSync(process.argv[1]), null, true);
  return true;
}

function become({ args, env, folder, pid, parent }) {
  for (const name of Object.keys(process.env)) delete process.env[name];
  Object.assign(process.env, env);
  process.chdir(folder);
  process.argv = [process.execPath, ...args];
  Object.defineProperty(process, "pid", { value: pid, configurable: true });
  Object.defineProperty(process, "ppid", { value: parent, configurable: true });
}

function written(output) {
  return function write(text, encoding, done) {
    try {
      fs.writeSync(output, text);
    } catch (error) {
      this.emit("error", error);
    }
    const callback = typeof encoding === "function" ? encoding : done;
    if (callback) process.nextTick(callback);
    return true;
  };
}

/**
 * Nothing is left to do. The SDK's own listeners begin something at the first and the second time, and a program's may
 * at the third.
 */
function drained() {
  job.drains += 1;
  if (job.drains < 5) return void setImmediate(() => {});
  process.emit("exit", process.exitCode ?? 0);
  const code = process.exitCode ?? 0;
  forget();
  process.send({ answer: `exit ${code}` });
}

/** The process that the engine has started is gone. A provider that has answered all is ended like this. */
function abandon() {
  if (job === undefined) return;
  if (job.servers.length === 0 || job.calls > 0) process.exit(1);
  for (const server of job.servers) server.forceShutdown();
  for (const channel of job.channels) {
    channel.watchConnectivityState = () => {};
    channel.close();
  }
  forget();
  setTimeout(setImmediate, 5, () => {
    if (process.getActiveResourcesInfo().some((resource) => /Timeout|TCP/.test(resource))) process.exit(1);
    process.send({ answer: "" });
  });
}

function forget() {
  for (const output of job.outputs) fs.closeSync(output);
  delete process.stdout.write;
  delete process.stderr.write;
  for (const [index, emitter] of emitters.entries()) {
    const kept = new Map(job.listeners[index]);
    for (const name of emitter.eventNames()) {
      for (const listener of emitter.rawListeners(name)) {
        if (!kept.get(name)?.includes(listener)) emitter.off(name, listener);
      }
    }
  }
  job = undefined;
  process.exitCode = undefined;
  become({ args: argv.slice(1), env: {}, folder: ownFolder, pid: ownPid, parent: ownParent });
  for (const path of Object.keys(require.cache)) {
    if (!isKept(path)) delete require.cache[path];
  }
  for (const name of SDK_GLOBALS) delete globalThis[name];
  for (const ending of Object.keys(Module._extensions)) delete Module._extensions[ending];
  Object.assign(Module._extensions, ownExtensions);
  process.channel.ref();
  jobs += 1;
}

function isKept(path) {
  if (!path.startsWith(packages)) return path === __filename;
  const own = path.slice(packages.length);
  return !own.startsWith("@pulumi/pulumi/") || own.startsWith("@pulumi/pulumi/proto/");
}

// What is loaded by `import()` is kept by its address, for ever.
Module.registerHooks({
  resolve(specifier, context, next) {
    const resolved = next(specifier, context);
    const isImport = context.conditions.includes("import") && resolved.url.startsWith("file:");
    return isImport && !isKept(fileURLToPath(resolved.url))
      ? { ...resolved, url: `${resolved.url}?${jobs}` }
      : resolved;
  },
});

// The SDK takes a stack for each promise that it makes, and this would look up each of its frames in source maps: a third
// of what a large program does.
require(join(packages, "source-map-support")).install = () => {};

const { Client, Server } = require(join(packages, "@grpc/grpc-js"));
const { addService } = Server.prototype;
const { getChannel } = Client.prototype;

/** Notes the connections that a provider watches, to end with its engine. */
Client.prototype.getChannel = function () {
  const channel = getChannel.call(this);
  job?.channels.push(channel);
  return channel;
};

/** Counts the calls that are not answered. */
Server.prototype.addService = function (service, implementation) {
  const at = job;
  at?.servers.push(this);
  const counted = {};
  for (const name of Object.keys(service)) {
    const method = implementation[name];
    if (typeof method !== "function") continue;
    counted[name] = (call, answer) => {
      if (at === undefined || answer === undefined) return method.call(implementation, call, answer);
      at.calls += 1;
      return method.call(implementation, call, (...answered) => {
        at.calls -= 1;
        answer(...answered);
      });
    };
  }
  return addService.call(this, service, counted);
};
