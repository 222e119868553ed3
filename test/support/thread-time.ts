import { readFileSync } from 'node:fs';
import type { Latchkey } from './latchkey.ts';

/** The most that the garbage collector and timers add to a measurement. */
export const noiseMs = 25;

/** CPU time of the event loop's thread in milliseconds: other load on the machine does not count. */
function threadMs(pid: number): number {
  const [nanoseconds = '0'] = readFileSync(`/proc/${pid}/task/${pid}/schedstat`, 'utf8').split(' ');
  return Number(nanoseconds) / 1e6;
}

/** Measures how the cost of a request grows with its size. */
export function growthOf(latchkey: Latchkey) {
  /** CPU time of the event loop for a request, in milliseconds: the minimum of several. */
  const costMs = async (ask: () => Promise<unknown>, times = 3): Promise<number> => {
    let least = Number.POSITIVE_INFINITY;
    for (let n = 0; n < times; n += 1) {
      const before = threadMs(latchkey.process.pid);
      await ask();
      least = Math.min(least, threadMs(latchkey.process.pid) - before);
    }
    return least;
  };
  /** Twice the size must cost at most about twice as much, and a long request at most a tenth of a second. */
  const mustBeLinear = async (ask: (size: number) => Promise<unknown>, size: number): Promise<void> => {
    const whole = await costMs(() => ask(size));
    expect(whole).toBeLessThan(mostMs);
    if (whole > noiseMs) expect(whole).toBeLessThanOrEqual(2.2 * (await costMs(() => ask(size / 2))) + noiseMs);
  };
  return { costMs, mustBeLinear };
}

const mostMs = 200;
