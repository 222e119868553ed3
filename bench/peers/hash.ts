import { hash, verify } from '@node-rs/argon2';
import { password } from '../installation.ts';
import { goesOn, percentiles } from '../load/round.ts';

// Argon2id alone, with Latchkey's parameters and concurrency: the highest rate of sign-ins that this machine allows.
const stored = await hash(password, { algorithm: 2, memoryCost: 19_456, timeCost: 2, parallelism: 1 });
const atOnce = 4;

process.on('message', async ({ milliseconds }: { milliseconds: number }) => {
  const took: number[] = [];
  const started = performance.now();
  const lane = async () => {
    for (let at = performance.now(); goesOn(milliseconds, { after: at - started, operations: took.length }); ) {
      if (!(await verify(stored, password))) throw new Error('the hash does not fit');
      took.push(performance.now() - at);
      at = performance.now();
    }
  };
  await Promise.all(Array.from({ length: atOnce }, lane));
  const seconds = (performance.now() - started) / 1000;
  process.send?.({ ...percentiles(took), operations: took.length, seconds, cpuMicroseconds: 0 });
});
process.send?.({ ready: 'hash' });
