import { randomUUID } from 'node:crypto';
import { readFile, stat, unlink, writeFile } from 'node:fs/promises';
import { setTimeout as sleep } from 'node:timers/promises';
import { ignoring } from './embedded-postgres-error.ts';
import { isAlive } from './liveness.ts';

const longestHoldMs = 120_000;
const writingMs = 2000;

/**
 * Waits for the lock file and takes it; the lock of an exited holder, or one older than two minutes, is removed.
 *
 * @returns releases the lock
 */
export async function takeLock(file: string): Promise<() => Promise<void>> {
  for (;;) {
    const mine = `${process.pid} ${randomUUID()}`;
    const taken = await writeFile(file, mine, { flag: 'wx', mode: 0o600 }).then(() => true, ignoring('EEXIST'));
    if (taken) return () => unlinkIf(file, mine);
    const theirs = await readFile(file, 'utf8').catch(ignoring('ENOENT'));
    if (theirs !== undefined && (await isAbandoned(file, theirs))) await breakLock(file, theirs);
    await sleep(20);
  }
}

// Only the holder of the right to remove this exact lock may do so: otherwise the second of two processes that saw the dead holder would
// remove the lock that the first has just taken.
async function breakLock(file: string, holding: string): Promise<void> {
  const giveBack = await takeLock(`${file}.${holding.split(' ')[1] ?? 'unnamed'}`);
  try {
    await unlinkIf(file, holding);
  } finally {
    await giveBack();
  }
}

async function unlinkIf(file: string, holding: string): Promise<void> {
  const found = await readFile(file, 'utf8').catch(ignoring('ENOENT'));
  if (found === holding) await unlink(file).catch(ignoring('ENOENT'));
}

async function isAbandoned(file: string, holding: string): Promise<boolean> {
  const found = await stat(file).catch(ignoring('ENOENT'));
  if (!found) return false;
  // Not Date.now(): a shifted clock must not make a fresh lock look old.
  const heldMs = performance.timeOrigin + performance.now() - found.mtimeMs;
  if (heldMs > longestHoldMs) return true;
  const [pid, name] = holding.split(' ');
  if (!name) return heldMs > writingMs;
  // A restarted container gives its processes the numbers they had before.
  const isFromBeforeUs = Number(pid) === process.pid && heldMs > process.uptime() * 1000;
  return isFromBeforeUs || !isAlive(Number(pid));
}
