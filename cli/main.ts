#!/usr/bin/env node
import { reportFailure } from "./failure/report-failure.js";
import { createProgram } from "./program.js";

const [major = 0, minor = 0] = process.versions.node.split(".").map(Number);
if (major < 22 || (major === 22 && minor < 13)) {
  process.stderr.write(
    `pulumi-keyvault: needs Node.js 22.13 or newer, and this is ${process.versions.node}: update it\n`,
  );
  process.exit(1);
}

const program = createProgram();

// A reader that has seen enough, such as `head`, is no failure.
process.stdout.on("error", (error: NodeJS.ErrnoException) => {
  if (error.code === "EPIPE") process.exit(0);
  throw error;
});

program.parseAsync(process.argv).catch((error: unknown) => {
  process.exitCode = reportFailure(program, error);
});
