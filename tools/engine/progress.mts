/** Tells a person what is going on: on a terminal one line that changes, elsewhere a new line now and then. */
export interface Progress {
  /** A line that stays. */
  say(line: string): void;
  /** The state of something that takes a while; call it as often as you like. */
  update(line: string): void;
}

const QUIET_MS = 10_000;

/** Progress goes to stderr: stdout belongs to what the command is asked for. */
export function stderrProgress(stream: NodeJS.WriteStream = process.stderr): Progress {
  let shownAt = 0;
  let isLineOpen = false;
  return {
    say(line) {
      stream.write(`${isLineOpen ? "\r\x1b[K" : ""}${line}\n`);
      isLineOpen = false;
      shownAt = Date.now();
    },
    update(line) {
      if (stream.isTTY) {
        stream.write(`\r\x1b[K${line.slice(0, (stream.columns ?? 80) - 1)}`);
        isLineOpen = true;
        return;
      }
      if (Date.now() - shownAt < QUIET_MS) return;
      stream.write(`${line}\n`);
      shownAt = Date.now();
    },
  };
}

/** `1 min 20 s` */
export function elapsed(sinceMs: number): string {
  const seconds = Math.floor((Date.now() - sinceMs) / 1000);
  return seconds < 60 ? `${seconds} s` : `${Math.floor(seconds / 60)} min ${seconds % 60} s`;
}
