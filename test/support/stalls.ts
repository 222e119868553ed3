const everyMs = 10;
/** A timer is this late on an idle machine, too. */
const usualMs = 2;
// A request passes through the test, two servers and PostgreSQL, and each may have to wait for the CPU.
const processes = 4;

export type Timed<T> = {
  result: T;
  ms: number;
  /** How long processes waited for the CPU meanwhile. */
  stalledMs: number;
  /** The time without these waits: the bounds of a test apply to it. */
  ownMs: number;
};

/**
 * Times the work, and measures how long a process waits for the CPU meanwhile. Time limits apply to Latchkey, not to a busy machine. On
 * an idle machine the waits are a few milliseconds. On a busy one every step waits a little, and the longest wait may hit several
 * processes in turn.
 */
export async function withStalls<T>(work: () => Promise<T>): Promise<Timed<T>> {
  const startedAt = performance.now();
  let [longest, sum] = [0, 0];
  let expected = startedAt + everyMs;
  const look = () => {
    const now = performance.now();
    const late = now - expected;
    longest = Math.max(longest, late);
    if (late > usualMs) sum += late;
    expected = now + everyMs;
  };
  const timer = setInterval(look, everyMs);
  try {
    const result = await work();
    look();
    const ms = performance.now() - startedAt;
    const stalledMs = processes * longest + sum;
    return { result, ms, stalledMs, ownMs: Math.max(0, ms - stalledMs) };
  } finally {
    clearInterval(timer);
  }
}
