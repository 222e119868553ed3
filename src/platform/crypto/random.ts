import { randomFillSync } from 'node:crypto';
import { v7 as uuidv7 } from 'uuid';

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

const idRandomBytes = 16;
let sequence = pooledRandomBytes(4).readUInt32BE();

/** A UUIDv7 of this time. Those of the same millisecond are in the order in which this process made them. */
export function idAt(time: Date): string {
  sequence = (sequence + 1) >>> 0;
  return uuidv7({ msecs: time.getTime(), seq: sequence, random: pooledRandomBytes(idRandomBytes) });
}
