import { randomFillSync } from 'node:crypto';

const pool = Buffer.alloc(4096);
let next = pool.length;

/**
 * Bytes from the system's generator, which is called for many at a time: each request needs a few, and one call costs as much as a hash of
 * a kilobyte. Bytes that were returned are erased here, as Node does for `randomUUID`.
 *
 * @param size bytes, at most 4096
 */
export function pooledRandomBytes(size: number): Buffer {
  if (next + size > pool.length) {
    randomFillSync(pool);
    next = 0;
  }
  const taken = pool.subarray(next, next + size);
  const bytes = Buffer.from(taken);
  taken.fill(0);
  next += size;
  return bytes;
}
