import { hash, verify } from '@node-rs/argon2';
import { password } from '../installation.ts';

// Argon2id alone, with Latchkey's parameters and concurrency: the most sign-ins a second that this machine allows.
const stored = await hash(password, { algorithm: 2, memoryCost: 19_456, timeCost: 2, parallelism: 1 });
const atOnce = 4;

process.on('message', async ({ milliseconds }: { milliseconds: number }) => {
  const started = performance.now();
  let verified = 0;
  const lane = async () => {
    while (performance.now() - started < milliseconds) {
      await verify(stored, password);
      verified += 1;
    }
  };
  await Promise.all(Array.from({ length: atOnce }, lane));
  process.send?.({ operations: verified, seconds: (performance.now() - started) / 1000 });
});
process.send?.({ ready: 'hash' });
