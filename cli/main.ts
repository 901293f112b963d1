#!/usr/bin/env node
import { createProgram } from "./program.js";
import { reportFailure } from "./report-failure.js";

const program = createProgram();

// A reader that has seen enough, such as `head`, is no failure.
process.stdout.on("error", (error: NodeJS.ErrnoException) => {
  if (error.code === "EPIPE") process.exit(0);
  throw error;
});

program.parseAsync(process.argv).catch((error: unknown) => {
  process.exitCode = reportFailure(program, error);
});
