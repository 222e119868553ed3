import { execFile } from 'node:child_process';
import { cp, mkdir, symlink } from 'node:fs/promises';
import path from 'node:path';
import { promisify } from 'node:util';

const run = promisify(execFile);
const root = path.join(import.meta.dirname, '../..');

/** What `npm install` would put there, from what is installed here: the guard as it is packed, and other packages. */
export async function installPacked(modules: string, names: readonly string[]): Promise<void> {
  const into = path.join(modules, '@latchkey/guard');
  const guard = path.join(root, 'packages/guard');
  await mkdir(into, { recursive: true });
  await cp(path.join(guard, 'package.json'), path.join(into, 'package.json'));
  await run(path.join(root, 'node_modules/.bin/tsc'), ['-p', guard, '--outDir', path.join(into, 'dist')]);
  for (const name of ['jose', ...names]) await symlink(path.join(root, 'node_modules', name), path.join(modules, name));
}
