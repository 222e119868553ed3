import v8 from 'node:v8';
import vm from 'node:vm';

/**
 * Lets V8 enlarge the space of new objects under load, by its usual factor. `bin/latchkey.js` limits it before: loading and compiling the
 * program would enlarge it by 40 MB, which V8 seldom releases and an idle server does not use.
 */
export function letNewSpaceGrow(): void {
  v8.setFlagsFromString('--semi-space-growth-factor=2');
}

const checkMs = 60_000;
/** The share of a core below which a process counts as idle: collecting takes about half a second. */
const idleShare = 0.03;
const keptBytes = 96 * 2 ** 20;

/**
 * Returns memory to the system after load. V8 does so by itself soon after most loads, but not after all: after an hour of load it kept
 * 200 MB without objects. So a process that was idle for a minute, and whose heap is much larger than after the last collection, collects.
 *
 * @param options for tests
 * @returns what ends it
 */
export function returnMemoryWhenIdle({ everyMs = checkMs }: { everyMs?: number } = {}): () => void {
  let leastBytes = Number.POSITIVE_INFINITY;
  let used = process.cpuUsage();
  const check = () => {
    const { user, system } = process.cpuUsage(used);
    used = process.cpuUsage();
    const isIdle = user + system < idleShare * everyMs * 1000;
    const bytes = heapBytes();
    leastBytes = Math.min(leastBytes, bytes);
    if (!isIdle || bytes < leastBytes + keptBytes) return;
    collect();
    leastBytes = heapBytes();
  };
  const checks = setInterval(check, everyMs).unref();
  return () => clearInterval(checks);
}

const heapBytes = () => v8.getHeapStatistics().total_heap_size;

/** Collects as V8 does before it would run out of memory: only that also shrinks the space of new objects, and releases free pages. */
function collect(): void {
  v8.setFlagsFromString('--expose-gc');
  const gc = vm.runInNewContext('gc') as (options: { type: 'major'; flavor: 'last-resort' }) => void;
  gc({ type: 'major', flavor: 'last-resort' });
}
