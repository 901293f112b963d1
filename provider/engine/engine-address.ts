/**
 * The address by which the engine is reached, from the arguments that it starts a provider with. It comes last, behind
 * options and their values: `-v=9 --tracing http://… 127.0.0.1:41234`.
 */
export function engineAddressIn(args: readonly string[]): string | undefined {
  return args.findLast((argument) => /^(?:[\w.-]+|\[[\da-f:]+\]):\d{1,5}$/i.test(argument));
}
