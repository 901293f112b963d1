import { type Clock, systemClock } from "../keyvault/clock.js";

let clock: Clock = systemClock;

/** The time by which the operations of this run wait for the service, and between two looks. */
export const runClock: Clock = {
  now: () => clock.now(),
  schedule: (ms, callback) => clock.schedule(ms, callback),
  random: () => clock.random(),
};

/** Puts another clock in its place, for tests and simulations. Without one: the machine's again. @internal */
export function useRunClock(other: Clock = systemClock): void {
  clock = other;
}
