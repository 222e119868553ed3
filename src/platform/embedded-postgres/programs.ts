import { chmod, copyFile, lstat, mkdir, mkdtemp, readdir, readFile, rm, stat, symlink } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { z } from 'zod';
import { type Account, canReach } from './account.ts';
import { EmbeddedPostgresError, ignoring, systemCode } from './embedded-postgres-error.ts';

const Links = z.array(z.object({ source: z.string(), target: z.string() }));
const Package = z.object({ version: z.string() });

/**
 * The folder whose `native/bin` holds PostgreSQL's programs, complete and readable for the account: the installed package, or else a copy
 * in the temporary folder, created once for each version.
 *
 * @throws EmbeddedPostgresError when there are none for this system
 */
export async function findPrograms(account: Account | undefined): Promise<string> {
  const installed = installedPackage();
  const isComplete = await completeLinks(installed);
  if (isComplete && (await canReach(account, postgresIn(installed)))) return installed;
  const copy = (await findCopy(installed)) ?? (await makeCopy(installed));
  if (await canReach(account, postgresIn(copy))) return copy;
  throw new EmbeddedPostgresError(
    `PostgreSQL does not run as root, and the user it runs as cannot enter ${tmpdir()}: set TMPDIR to a folder that every user can enter.`,
  );
}

const postgresIn = (folder: string) =>
  path.join(folder, 'native', 'bin', process.platform === 'win32' ? 'postgres.exe' : 'postgres');

function installedPackage(): string {
  const system = `${process.platform === 'win32' ? 'windows' : process.platform}-${process.arch}`;
  try {
    const wrapper = createRequire(import.meta.url).resolve('embedded-postgres');
    return path.join(path.dirname(createRequire(wrapper).resolve(`@embedded-postgres/${system}`)), '..');
  } catch (error) {
    if (systemCode(error) !== 'MODULE_NOT_FOUND') throw error;
    throw new EmbeddedPostgresError(
      `The embedded PostgreSQL for ${system} is not installed: run npm install without omitting optional dependencies, or set DATABASE_URL to your own PostgreSQL.`,
    );
  }
}

/** Restores the links between libraries, which npm cannot pack and the package's install script may not have made. */
async function completeLinks(folder: string): Promise<boolean> {
  for (const { source, target } of await linksOf(folder)) {
    const link = path.join(folder, target);
    if (await stat(link).catch(ignoring('ENOENT'))) continue;
    try {
      await symlink(path.relative(path.dirname(target), source), link);
    } catch (error) {
      if (systemCode(error) !== 'EEXIST') return false;
    }
  }
  return true;
}

async function linksOf(folder: string): Promise<z.output<typeof Links>> {
  const text = await readFile(path.join(folder, 'native', 'pg-symlinks.json'), 'utf8').catch(ignoring('ENOENT'));
  return text === undefined ? [] : Links.parse(JSON.parse(text));
}

async function copyPrefix(installed: string): Promise<string> {
  const { version } = Package.parse(JSON.parse(await readFile(path.join(installed, 'package.json'), 'utf8')));
  return `latchkey-postgres-${version}-`;
}

async function findCopy(installed: string): Promise<string | undefined> {
  const prefix = await copyPrefix(installed);
  const files = await filesOf(installed);
  for (const name of await readdir(tmpdir())) {
    const copy = path.join(tmpdir(), name);
    if (name.startsWith(prefix) && (await isOurs(copy)) && (await isWhole(installed, copy, files))) return copy;
  }
  return undefined;
}

// In a folder where anyone may write, a name proves nothing: only this account could have created a folder that it owns, and `makeCopy`
// makes it readable for others as its last step.
async function isOurs(copy: string): Promise<boolean> {
  const found = await lstat(copy).catch(ignoring('ENOENT'));
  return Boolean(found?.isDirectory() && found.uid === process.getuid?.() && (found.mode & 0o777) === 0o755);
}

/** Systems delete old files in their temporary folder one by one. */
async function isWhole(installed: string, copy: string, files: readonly string[]): Promise<boolean> {
  const sameSize = async (file: string) => {
    const found = await lstat(path.join(copy, file)).catch(ignoring('ENOENT'));
    return found?.size === (await lstat(path.join(installed, file))).size;
  };
  const checks = await Promise.all(files.map(sameSize));
  return checks.every(Boolean) && completeLinks(copy);
}

async function makeCopy(installed: string): Promise<string> {
  const copy = await mkdtemp(path.join(tmpdir(), await copyPrefix(installed)));
  try {
    for (const file of await filesOf(installed)) {
      await makeFolder(copy, path.dirname(file));
      await copyFile(path.join(installed, file), path.join(copy, file));
      const { mode } = await stat(path.join(installed, file));
      await chmod(path.join(copy, file), mode & 0o100 ? 0o755 : 0o644);
    }
    await completeLinks(copy);
    await chmod(copy, 0o755);
    return copy;
  } catch (error) {
    await rm(copy, { recursive: true, force: true });
    throw error;
  }
}

/** Also with a umask that would deny it to others. */
async function makeFolder(root: string, relative: string): Promise<void> {
  if (relative === '.') return;
  await makeFolder(root, path.dirname(relative));
  const made = await mkdir(path.join(root, relative)).then(() => true, ignoring('EEXIST'));
  if (made) await chmod(path.join(root, relative), 0o755);
}

/** Everything but links, relative to the package. */
async function filesOf(folder: string): Promise<string[]> {
  const entries = await readdir(path.join(folder, 'native'), { recursive: true, withFileTypes: true });
  return entries
    .filter((entry) => entry.isFile())
    .map((entry) => path.relative(folder, path.join(entry.parentPath, entry.name)));
}
