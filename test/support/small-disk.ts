import { execFile } from 'node:child_process';
import { mkdtemp, open, rm } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { promisify } from 'node:util';

const run = promisify(execFile);

/** A separate disk, small enough to be filled. */
export class SmallDisk {
  readonly folder: string;

  private constructor(folder: string) {
    this.folder = folder;
  }

  /** @returns undefined on a machine that does not allow mounting one */
  static async mount(megabytes: number): Promise<SmallDisk | undefined> {
    const folder = await mkdtemp(path.join(os.tmpdir(), 'latchkey-small-disk-'));
    const options = ['-t', 'tmpfs', '-o', `size=${megabytes}m`, 'tmpfs', folder];
    const isMounted = await run('mount', options).then(Boolean, () => false);
    if (isMounted) return new SmallDisk(folder);
    await rm(folder, { recursive: true });
    return undefined;
  }

  /** Fills the disk completely. */
  async fill(): Promise<void> {
    const file = await open(this.#filler, 'a');
    try {
      for (const size of [1 << 20, 4096]) await fillBy(file, Buffer.alloc(size));
    } finally {
      await file.close();
    }
  }

  async free(): Promise<void> {
    await rm(this.#filler, { force: true });
  }

  async unmount(): Promise<void> {
    // Also while a process is still closing its files.
    await run('umount', ['--lazy', this.folder]);
    await rm(this.folder, { recursive: true });
  }

  get #filler(): string {
    return path.join(this.folder, 'filler');
  }
}

async function fillBy(file: Awaited<ReturnType<typeof open>>, block: Buffer): Promise<void> {
  for (;;) {
    try {
      await file.write(block);
    } catch (error) {
      // No `instanceof`: in Jest, the errors of Node belong to another realm.
      if ((error as NodeJS.ErrnoException).code === 'ENOSPC') return;
      throw error;
    }
  }
}
