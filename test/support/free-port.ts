import { randomInt } from 'node:crypto';
import { once } from 'node:events';
import { createServer } from 'node:net';

/** Below the ports that systems give to outgoing connections and to servers that listen at port 0: from 32768 (Linux) or 49152. */
const range = { first: 20_000, size: 12_000 };

/** Jest's workers run side by side, and each chooses from ports of its own. */
const workers = 12;
const ownSize = range.size / workers;
const first = range.first + ((Number(process.env.JEST_WORKER_ID ?? workers) - 1) % workers) * ownSize;
let next = randomInt(ownSize);

/** A free port, for a server that needs to know its address in advance: no other test takes it before that server listens. */
export async function freePort(): Promise<number> {
  for (let tries = 0; tries < ownSize; tries += 1) {
    const port = first + next;
    next = (next + 1) % ownSize;
    if (await isFree(port)) return port;
  }
  throw new Error(`None of the ports ${first} to ${first + ownSize - 1} is free.`);
}

async function isFree(port: number): Promise<boolean> {
  const server = createServer();
  try {
    await once(server.listen(port, '127.0.0.1'), 'listening');
  } catch {
    return false;
  }
  server.close();
  await once(server, 'close');
  return true;
}
