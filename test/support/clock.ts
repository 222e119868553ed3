// Preloaded into tested servers: shifts what the program takes for the time, on a message from the test.
import cluster from 'node:cluster';

const realNow = Date.now.bind(Date);
const RealDate = Date;
// A command is given its clock at the start: nothing sends it messages.
let offsetMs = Number(process.env.TEST_CLOCK_OFFSET_MS ?? 0);

globalThis.Date = class extends RealDate {
  constructor(...given: unknown[]) {
    super(...((given.length > 0 ? given : [realNow() + offsetMs]) as [number]));
  }
  static override now(): number {
    return realNow() + offsetMs;
  }
} as DateConstructor;

process.on('message', (message: { advanceMs?: number }) => {
  if (message.advanceMs === undefined) return;
  offsetMs += message.advanceMs;
  process.send?.({ advanced: offsetMs });
});
// A worker of the tested server needs its channel to the process that started it.
if (cluster.isPrimary) process.channel?.unref();
