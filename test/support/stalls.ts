const everyMs = 10;
// A request passes through the test, two servers and PostgreSQL, and each may have to wait for the CPU.
const processes = 4;

/**
 * Measures how long a process waits for the CPU during the work. Time limits apply to Latchkey, not to a busy machine: the result is
 * added to a bound, a few milliseconds on an idle machine and more on a busy one.
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
