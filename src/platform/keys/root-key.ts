import { createSecretKey, type KeyObject, randomBytes } from 'node:crypto';
import { link, mkdir, readFile, unlink, writeFile } from 'node:fs/promises';
import path from 'node:path';

const rootKeyBytes = 32;

/**
 * The installation's root key from the data folder; created once (mode 0600) if there is none. Development only: in
 * production the root key comes from the environment.
 *
 * @throws Error when the file does not hold 32 bytes of base64
 */
export async function rootKeyFromFolder(dataDir: string): Promise<KeyObject> {
  const file = path.join(dataDir, 'root-key');
  await mkdir(dataDir, { recursive: true });
  const existing = await readKey(file);
  if (existing) return createSecretKey(existing);
  // Written under another name and linked, so that two processes starting at once both read the same complete key.
  const draft = `${file}.${process.pid}`;
  await writeFile(draft, `${randomBytes(rootKeyBytes).toString('base64')}\n`, { mode: 0o600, flag: 'w' });
  await link(draft, file).catch(ignoreExisting);
  await unlink(draft);
  const made = await readKey(file);
  if (!made) throw new Error(`cannot read ${file}`);
  return createSecretKey(made);
}

/** Whether the data folder holds a root key. */
export async function hasRootKey(dataDir: string): Promise<boolean> {
  return (await readKey(path.join(dataDir, 'root-key'))) !== undefined;
}

function ignoreExisting(error: NodeJS.ErrnoException): void {
  if (error.code !== 'EEXIST') throw error;
}

async function readKey(file: string): Promise<Buffer | undefined> {
  try {
    const key = Buffer.from((await readFile(file, 'utf8')).trim(), 'base64');
    if (key.length !== rootKeyBytes)
      throw new Error(`${file} does not hold 32 bytes of base64; restore it from your backup`);
    return key;
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return undefined;
    throw error;
  }
}
