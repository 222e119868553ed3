import { execFile } from 'node:child_process';
import { cp, mkdir, symlink } from 'node:fs/promises';
import path from 'node:path';
import { promisify } from 'node:util';

const run = promisify(execFile);
const root = path.join(import.meta.dirname, '../..');

/** What `npm install` would put there, from what is installed here: our packages as they are packed, and other ones. */
export async function installPacked(modules: string, names: readonly string[], ours = ['guard']): Promise<void> {
  for (const name of ours) {
    const into = path.join(modules, '@latchkey', name);
    const source = path.join(root, 'packages', name);
    await mkdir(into, { recursive: true });
    await cp(path.join(source, 'package.json'), path.join(into, 'package.json'));
    await run(path.join(root, 'node_modules/.bin/tsc'), ['-p', source, '--outDir', path.join(into, 'dist')]);
  }
  for (const name of ['jose', ...names]) await symlink(path.join(root, 'node_modules', name), path.join(modules, name));
}
