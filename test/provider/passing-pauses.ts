import type * as clocks from "../../provider/keyvault/clock.js";

/**
 * In place of provider/keyvault/clock.ts: pauses of the machine's clock pass at once, and it is by them later, since a read
 * that is tried again for as long as its budget lasts would else do it without a pause, for minutes.
 */
export function passingPauses({ systemClock, delay, ...rest }: typeof clocks): typeof clocks {
  let passed = 0;
  const passing = { ...systemClock, now: () => systemClock.now() + passed };
  return {
    ...rest,
    systemClock: passing,
    async delay(clock, ms, signal) {
      if (clock !== passing) return delay(clock, ms, signal);
      await delay(systemClock, 0, signal);
      passed += ms;
    },
  };
}
