import { realpath, stat } from 'node:fs/promises';
import path from 'node:path';
import { EmbeddedPostgresError } from './embedded-postgres-error.ts';

/** The account that runs PostgreSQL instead of root, which it refuses. */
export type Account = { uid: number; gid: number };

// `nobody` on nearly every system. It must have a name, or initdb refuses it.
const nobody: Account = { uid: 65_534, gid: 65_534 };

/** The account to run as, `undefined` for the one of this process; an existing cluster can only be run by its owner. */
export async function accountFor(cluster: string | undefined): Promise<Account | undefined> {
  if (process.getuid?.() !== 0) return undefined;
  if (!cluster) return nobody;
  const { uid, gid } = await stat(cluster);
  return uid === 0 ? nobody : { uid, gid };
}

/** Whether the account may pass through every folder above, and enter (or execute) the last. */
export async function canReach(account: Account | undefined, target: string): Promise<boolean> {
  if (!account) return true;
  for (let at = await realpath(target); ; at = path.dirname(at)) {
    if (!maySearch(account, await stat(at))) return false;
    if (at === path.dirname(at)) return true;
  }
}

function maySearch(account: Account, { uid, gid, mode }: { uid: number; gid: number; mode: number }): boolean {
  if (uid === account.uid) return (mode & 0o100) !== 0;
  if (gid === account.gid) return (mode & 0o010) !== 0;
  return (mode & 0o001) !== 0;
}

/**
 * The `-D` argument with which PostgreSQL, started by `account` in the working directory `cluster`, finds it.
 *
 * The working directory is entered before root privileges are dropped, and Linux lets a process reach it through `/proc/self/cwd` without
 * passing through the folders above. So the cluster can be in the data folder even below one that others cannot enter (`/root`), and no
 * other place is needed.
 *
 * @throws EmbeddedPostgresError where that is not possible
 */
export async function dataArgument(account: Account | undefined, cluster: string): Promise<string> {
  if (await canReach(account, cluster)) return cluster;
  if (process.platform === 'linux') return '/proc/self/cwd';
  throw new EmbeddedPostgresError(
    `PostgreSQL does not run as root, and the user it runs as cannot enter ${path.dirname(cluster)}: choose a data folder that every user can enter, or start as an ordinary user.`,
  );
}
