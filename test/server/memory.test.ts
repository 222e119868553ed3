import { spawnSync } from 'node:child_process';

/** A process fills its heap with garbage, is busy or idle for a while, and tells the size of its heap before and after, in MB. */
function heapAfterLoad({ isBusy }: { isBusy: boolean }): { before: number; after: number } {
  const program = `
    import v8 from 'node:v8';
    import { setTimeout as sleep } from 'node:timers/promises';
    import { returnMemoryWhenIdle } from './src/server/memory.ts';
    const heap = () => Math.round(v8.getHeapStatistics().total_heap_size / 2 ** 20);
    returnMemoryWhenIdle({ everyMs: 200 });
    await sleep(500);
    let kept = Array.from({ length: 200_000 }, (_, n) => ({ n, text: ['a', 'list', String(n)] }));
    kept = Array.from({ length: 800_000 }, (_, n) => ({ n, text: ['a', 'list', String(n)] }));
    const before = heap();
    kept = undefined;
    const work = () => { const end = performance.now() + 100; while (performance.now() < end); };
    const busy = ${isBusy} ? setInterval(work, 110) : undefined;
    await sleep(2000);
    clearInterval(busy);
    console.log(JSON.stringify({ before, after: heap() }));`;
  // V8 would return the memory by itself, too, after a while.
  const flags = ['--no-memory-reducer', '--no-warnings', '--input-type=module', '--eval', program];
  const { stdout, stderr } = spawnSync('node_modules/.bin/node', flags, { encoding: 'utf8' });
  if (stdout === '') throw new Error(stderr);
  return JSON.parse(stdout);
}

describe('a process whose heap has grown', () => {
  test('returns the memory when it is idle', () => {
    const { before, after } = heapAfterLoad({ isBusy: false });
    expect(before).toBeGreaterThan(130);
    expect(after).toBeLessThan(50);
  });

  test('is not stopped for it while it works', () => {
    const { before, after } = heapAfterLoad({ isBusy: true });
    expect(after).toBeGreaterThan(before * 0.6);
  });
});
