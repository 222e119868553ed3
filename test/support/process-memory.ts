import { open, readFile } from 'node:fs/promises';

const chunkBytes = 8 * 1024 * 1024;

/** How often each of these occurs in the writable memory of a process (Linux). */
export async function countInMemory(pid: number, wanted: readonly Buffer[]): Promise<number[]> {
  const maps = await readFile(`/proc/${pid}/maps`, 'utf8');
  const memory = await open(`/proc/${pid}/mem`, 'r');
  const counts = wanted.map(() => 0);
  const overlap = Math.max(...wanted.map(({ length }) => length)) - 1;
  try {
    for (const [, from = '', to = ''] of maps.matchAll(/^([0-9a-f]+)-([0-9a-f]+) rw/gm)) {
      const end = Number.parseInt(to, 16);
      for (let at = Number.parseInt(from, 16); at < end; at += chunkBytes) {
        const chunk = Buffer.alloc(Math.min(chunkBytes + overlap, end - at));
        // A page that was freed meanwhile is empty.
        const { bytesRead } = await memory.read(chunk, 0, chunk.length, at).catch(() => ({ bytesRead: 0 }));
        const read = chunk.subarray(0, bytesRead);
        for (const [n, value] of wanted.entries()) counts[n] = (counts[n] ?? 0) + occurrences(read, value);
      }
    }
  } finally {
    await memory.close();
  }
  return counts;
}

function occurrences(bytes: Buffer, value: Buffer): number {
  let found = 0;
  for (let at = bytes.indexOf(value); at >= 0; at = bytes.indexOf(value, at + 1)) found += 1;
  return found;
}
