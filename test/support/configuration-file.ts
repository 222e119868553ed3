import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';

/** Runs work with the path of a configuration file, which is deleted afterwards. */
export async function withConfiguration<T>(content: unknown, work: (file: string) => Promise<T>): Promise<T> {
  const folder = await mkdtemp(path.join(os.tmpdir(), 'latchkey-configuration-'));
  try {
    const file = path.join(folder, 'configuration.json');
    await writeFile(file, JSON.stringify(content));
    return await work(file);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}
