// Preloaded into tested servers: shifts the program's time on a message from the test. Plain JavaScript, because
// TypeScript that is loaded before the compile cache is enabled would load its compiler at each start.
import { AsyncLocalStorage } from 'node:async_hooks';
import cluster from 'node:cluster';

const realNow = Date.now.bind(Date);
const RealDate = Date;
// A command gets its clock at the start, because it receives no messages.
const ofProcess = { offsetMs: Number(process.env.TEST_CLOCK_OFFSET_MS ?? 0) };
// Several servers in one process have separate clocks; everything that a server starts runs in its context.
const clocks = new AsyncLocalStorage();

const now = () => realNow() + (clocks.getStore() ?? ofProcess).offsetMs;

globalThis.Date = class extends RealDate {
  constructor(...given) {
    super(...(given.length > 0 ? given : [now()]));
  }
  static now() {
    return now();
  }
};

/** Runs work, and everything that it starts, with a separate clock. */
export function withClock(clock, work) {
  return clocks.run(clock, work);
}

process.on('message', (message) => {
  if (message.advanceMs === undefined) return;
  ofProcess.offsetMs += message.advanceMs;
  process.send?.({ advanced: ofProcess.offsetMs });
});
// A worker of the tested server needs the channel to its parent.
if (cluster.isPrimary) process.channel?.unref();
