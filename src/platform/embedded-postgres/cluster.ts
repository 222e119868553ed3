import { randomBytes } from 'node:crypto';
import { chown, mkdir, mkdtemp, readdir, rename, rm, stat, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { dataArgument } from './account.ts';
import { EmbeddedPostgresError, ignoring } from './embedded-postgres-error.ts';
import { type ClusterRecord, readRecord, writeRecord } from './record.ts';
import { runProgram, type ServerPrograms } from './run.ts';

/** The paths of one data folder. */
export type Folder = ReturnType<typeof folderOf>;

/** The superuser, and the database. */
export const clusterName = 'latchkey';

const draftPrefix = 'postgres.new-';

export function folderOf(dataDir: string) {
  const inside = (name: string) => path.join(dataDir, name);
  return {
    dataDir,
    cluster: inside('postgres'),
    record: inside('postgres.json'),
    log: inside('postgres.log'),
    lock: inside('postgres.lock'),
  };
}

export async function hasCluster({ cluster }: Folder): Promise<boolean> {
  return (await stat(path.join(cluster, 'PG_VERSION')).catch(ignoring('ENOENT'))) !== undefined;
}

/** The record of an existing cluster. @throws EmbeddedPostgresError when it was lost */
export async function getRecord(folder: Folder): Promise<ClusterRecord> {
  const record = await readRecord(folder.record);
  if (record) return record;
  throw new EmbeddedPostgresError(
    `${folder.record}, which holds the password of ${folder.cluster}, is missing: restore it, or remove that folder to start with an empty database.`,
  );
}

/**
 * Creates the cluster under another name and moves it to its place when it is complete: after a crash it exists completely or not at all.
 */
export async function makeCluster(folder: Folder, place: ServerPrograms): Promise<void> {
  const draft = await mkdtemp(path.join(folder.dataDir, draftPrefix));
  const password = randomBytes(24).toString('base64url');
  try {
    const cluster = path.join(draft, 'cluster');
    await mkdir(cluster, { mode: 0o700 });
    await writeFile(path.join(draft, 'password'), password, { mode: 0o600 });
    if (place.account) await giveTo(place.account, [path.join(draft, 'password'), cluster, draft]);
    const args = [...initialSettings, `--pgdata=${await dataArgument(place.account, cluster)}`];
    await runProgram(place, { name: 'initdb', args, cwd: cluster });
    await writeRecord(folder.record, { password });
    await rename(cluster, folder.cluster);
  } finally {
    await rm(draft, { recursive: true, force: true });
  }
}

// The built-in locale compares and maps letters the same on every system, whatever its C library.
const initialSettings = [
  `--username=${clusterName}`,
  '--pwfile=../password',
  '--auth=scram-sha-256',
  '--encoding=UTF8',
  '--locale=C',
  '--locale-provider=builtin',
  '--builtin-locale=C.UTF-8',
  '--no-instructions',
];

async function giveTo({ uid, gid }: { uid: number; gid: number }, paths: string[]): Promise<void> {
  for (const each of paths) await chown(each, uid, gid);
}

/** Leftovers of a process that was killed while it created one: they may contain the password of the present cluster. */
export async function removeDrafts({ dataDir }: Folder): Promise<void> {
  for (const name of await readdir(dataDir)) {
    if (name.startsWith(draftPrefix))
      await rm(path.join(dataDir, name), { recursive: true, force: true, maxRetries: 5 });
  }
}
