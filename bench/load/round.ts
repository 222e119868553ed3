// On a busy machine a round lasts longer, or start-up and compiling would be what is measured.
export const leastOperations = 1000;
const longest = 4;

/** Whether a round that was to last so long goes on, after so many milliseconds and operations. */
export function goesOn(milliseconds: number, { after, operations }: { after: number; operations: number }): boolean {
  return after < milliseconds || (operations < leastOperations && after < longest * milliseconds);
}

/** The middle and the slow end of how long operations took, in milliseconds. */
export function percentiles(took: readonly number[]): { p50: number; p99: number } {
  const sorted = took.toSorted((a, b) => a - b);
  const percentile = (share: number) => sorted[Math.floor(sorted.length * share)] ?? 0;
  return { p50: percentile(0.5), p99: percentile(0.99) };
}
