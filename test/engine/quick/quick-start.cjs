// Preloaded into every process of Node that the engine starts. A third of a small run is loading the SDK.

const v8 = require("node:v8");
const { flushCompileCache } = require("node:module");
const { Session } = require("node:inspector");

// V8 takes cached code only under the flags that it was compiled under, and the SDK sets this one while it loads: a
// module that the program's process loads before and the host's after it would never come from the cache.
v8.setFlagsFromString("--allow-natives-syntax");

// The engine kills the hosts of providers, and only a process that ends by itself leaves its code to the next.
setTimeout(flushCompileCache, 400).unref();

// The SDK starts a debugger for the case that a function has to be serialised, which makes all that is loaded after it
// slower. It is started by the first question to it instead.
const post = Session.prototype.post;
let isAskedFor = false;
Session.prototype.post = function (method, ...rest) {
  if (method === "Debugger.enable") {
    isAskedFor = true;
    process.nextTick(rest.at(-1), null, {});
    return;
  }
  if (isAskedFor) {
    isAskedFor = false;
    post.call(this, "Debugger.enable");
  }
  post.call(this, method, ...rest);
};
