// Preloaded into tested servers: shifts what the program takes for the time, on a message from the test. Plain JavaScript, because
// what is loaded before the compile cache is on would load the compiler of TypeScript at each start.
import { AsyncLocalStorage } from 'node:async_hooks';
import cluster from 'node:cluster';

const realNow = Date.now.bind(Date);
const RealDate = Date;
// A command is given its clock at the start: nothing sends it messages.
const ofProcess = { offsetMs: Number(process.env.TEST_CLOCK_OFFSET_MS ?? 0) };
// Several servers in one process have a clock each; everything that one of them starts runs in its context.
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

/** Runs something, and all that it starts, with a clock of its own. */
export function withClock(clock, work) {
  return clocks.run(clock, work);
}

process.on('message', (message) => {
  if (message.advanceMs === undefined) return;
  ofProcess.offsetMs += message.advanceMs;
  process.send?.({ advanced: ofProcess.offsetMs });
});
// A worker of the tested server needs its channel to the process that started it.
if (cluster.isPrimary) process.channel?.unref();
