// Preloaded into tested servers: shifts what the program takes for the time, on a message from the test.
import { AsyncLocalStorage } from 'node:async_hooks';
import cluster from 'node:cluster';

export type ShiftedClock = { offsetMs: number };

const realNow = Date.now.bind(Date);
const RealDate = Date;
// A command is given its clock at the start: nothing sends it messages.
const ofProcess: ShiftedClock = { offsetMs: Number(process.env.TEST_CLOCK_OFFSET_MS ?? 0) };
// Several servers in one process have a clock each; everything that one of them starts runs in its context.
const clocks = new AsyncLocalStorage<ShiftedClock>();

const now = () => realNow() + (clocks.getStore() ?? ofProcess).offsetMs;

globalThis.Date = class extends RealDate {
  constructor(...given: unknown[]) {
    super(...((given.length > 0 ? given : [now()]) as [number]));
  }
  static override now(): number {
    return now();
  }
} as DateConstructor;

/** Runs something, and all that it starts, with a clock of its own. */
export function withClock<T>(clock: ShiftedClock, work: () => T): T {
  return clocks.run(clock, work);
}

process.on('message', (message: { advanceMs?: number }) => {
  if (message.advanceMs === undefined) return;
  ofProcess.offsetMs += message.advanceMs;
  process.send?.({ advanced: ofProcess.offsetMs });
});
// A worker of the tested server needs its channel to the process that started it.
if (cluster.isPrimary) process.channel?.unref();
