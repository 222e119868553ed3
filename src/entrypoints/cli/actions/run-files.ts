import { randomUUID } from 'node:crypto';
import { mkdir, open, rename, rm, rmdir, stat, statfs } from 'node:fs/promises';
import path from 'node:path';
import { UsageError } from './usage.ts';

/** A value as a file: its name and content. */
export type ValueFile = { name: string; content: Buffer | string };

/** The file system types of statfs(2) that keep files in memory: tmpfs and ramfs. */
const inMemory = new Set([0x01021994, 0x858458f6]);
const fitName = /^[A-Za-z0-9_][\w.-]{0,127}$/;

/** Files with the values of secrets, in a folder that only their owner reads. */
export class ValueFiles {
  readonly #folder: string;
  /** The folder and its parents that were created for the files. */
  readonly #made: readonly string[];
  #names = new Set<string>();

  private constructor(folder: string, made: readonly string[]) {
    this.#folder = folder;
    this.#made = made;
  }

  /**
   * Opens a folder, and creates it if it is missing.
   *
   * @param mayBeOnDisk whether values may be written to a disk, where they remain readable after their removal
   * @throws UsageError: it is not in memory, or others could replace its files
   */
  static async open(given: string, mayBeOnDisk: boolean): Promise<ValueFiles> {
    const folder = path.resolve(given);
    const first = await mkdir(folder, { recursive: true, mode: 0o700 });
    const files = new ValueFiles(folder, first === undefined ? [] : foldersBetween(folder, first));
    try {
      await mustBeFit(folder, mayBeOnDisk);
    } catch (error) {
      await files.remove();
      throw error;
    }
    return files;
  }

  /**
   * Writes the files, each of which is replaced atomically, and removes earlier ones that are not among them.
   *
   * @throws UsageError: a name is not valid for a file
   */
  async write(files: readonly ValueFile[]): Promise<void> {
    const unfit = files.find(({ name }) => !fitName.test(name));
    if (unfit) throw new UsageError(`--files: "${unfit.name}" cannot be the name of a file.`);
    const names = new Set(files.map(({ name }) => name));
    for (const { name, content } of files) await this.#replace(name, content);
    for (const name of this.#names) if (!names.has(name)) await rm(path.join(this.#folder, name), { force: true });
    this.#names = names;
  }

  /** Removes the files, and the folder if it was created for them. */
  async remove(): Promise<void> {
    for (const name of this.#names) await rm(path.join(this.#folder, name), { force: true });
    this.#names.clear();
    // A folder with other content is kept.
    for (const folder of this.#made) await rmdir(folder).catch(() => undefined);
  }

  async #replace(name: string, content: Buffer | string): Promise<void> {
    const next = path.join(this.#folder, `.${randomUUID()}`);
    const file = await open(next, 'wx', 0o600);
    try {
      this.#names.add(name);
      await file.writeFile(content).finally(() => file.close());
      await rename(next, path.join(this.#folder, name));
    } catch (error) {
      await rm(next, { force: true });
      throw error;
    }
  }
}

/** From the lowest to the highest. */
function foldersBetween(lowest: string, highest: string): string[] {
  const folders = [lowest];
  for (let at = lowest; at !== highest; folders.push(at)) at = path.dirname(at);
  return folders;
}

async function mustBeFit(folder: string, mayBeOnDisk: boolean): Promise<void> {
  const [{ mode }, { type }] = await Promise.all([stat(folder), statfs(folder)]);
  if ((mode & 0o022) !== 0 && (mode & 0o1000) === 0)
    throw new UsageError(`--files: others can replace files in ${folder}. Name a folder in it, which is then made.`);
  if (process.platform !== 'linux' || mayBeOnDisk || inMemory.has(type)) return;
  throw new UsageError(
    `--files: ${folder} is not on tmpfs, so that values could stay on a disk. Name a folder in /dev/shm or another tmpfs, or add --files-on-disk.`,
  );
}
