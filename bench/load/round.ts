// On a busy machine a round lasts longer: otherwise it would mostly measure start-up and compilation.
export const leastOperations = 1000;
const longest = 4;

/** Whether a round continues, given its planned length, the elapsed milliseconds and the operations so far. */
export function goesOn(milliseconds: number, { after, operations }: { after: number; operations: number }): boolean {
  return after < milliseconds || (operations < leastOperations && after < longest * milliseconds);
}

/** The median and the 99th percentile of the times of operations, in milliseconds. */
export function percentiles(took: readonly number[]): { p50: number; p99: number } {
  const sorted = took.toSorted((a, b) => a - b);
  const percentile = (share: number) => sorted[Math.floor(sorted.length * share)] ?? 0;
  return { p50: percentile(0.5), p99: percentile(0.99) };
}
