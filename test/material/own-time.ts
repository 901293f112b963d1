/** Milliseconds of this thread's own time since `start`, a `process.threadCpuUsage()`: others work on this machine, too. */
export function ownTimeSince(start: NodeJS.CpuUsage): number {
  const { user, system } = process.threadCpuUsage(start);
  return (user + system) / 1000;
}
