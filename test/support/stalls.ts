const everyMs = 10;
// What a test waits for passes through the test, two servers and PostgreSQL, and each may have to wait for its turn.
const processes = 4;

/**
 * Measures how long the machine keeps a process waiting for its turn while the work goes on. A promise about time is one of Latchkey,
 * not of a machine that has other things to do: on an idle one this adds a few milliseconds to a bound, on a busy one what it is busy.
 */
export async function withStalls<T>(work: () => Promise<T>): Promise<{ result: T; stalledMs: number }> {
  let longest = 0;
  let expected = performance.now() + everyMs;
  const timer = setInterval(() => {
    const now = performance.now();
    longest = Math.max(longest, now - expected);
    expected = now + everyMs;
  }, everyMs);
  try {
    const result = await work();
    return { result, stalledMs: processes * longest };
  } finally {
    clearInterval(timer);
  }
}
