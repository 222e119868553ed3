import { execFile } from 'node:child_process';
import { cp, mkdir, readFile, symlink, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { promisify } from 'node:util';

const run = promisify(execFile);
const root = path.join(import.meta.dirname, '../..');

/** Installs modules like `npm install`, from the ones that are installed here: our packages as packed, and others. */
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

type Packed = { installed: string; files: string[]; dependencies: string[] };

/** Packs one of our packages, and installs the tarball in a project, with its dependencies and the types of Node. */
export async function installTarball(name: string, project: string): Promise<Packed> {
  const installed = path.join(project, 'node_modules', '@latchkey', name);
  const packing = ['pack', '--workspace', `@latchkey/${name}`, '--pack-destination', project, '--json'];
  const { stdout } = await run('npm', packing, { cwd: root });
  const [{ filename, files }] = JSON.parse(stdout.slice(stdout.indexOf('[')));
  await mkdir(installed, { recursive: true });
  await run('tar', ['-xzf', path.join(project, filename), '-C', installed, '--strip-components', '1']);
  const dependencies = Object.keys(
    JSON.parse(await readFile(path.join(installed, 'package.json'), 'utf8')).dependencies ?? {},
  );
  for (const each of [...dependencies, '@types'])
    await symlink(path.join(root, 'node_modules', each), path.join(project, 'node_modules', each));
  await writeFile(path.join(project, 'package.json'), '{"type":"module"}');
  return { installed, files: files.map((file: { path: string }) => file.path), dependencies };
}

/** Runs a program in a project with Node without TypeScript, and checks it with strict TypeScript. @returns its output */
export async function runAndCheck(project: string, program: string, ...given: string[]): Promise<string> {
  await writeFile(path.join(project, 'use.js'), program);
  await writeFile(path.join(project, 'use.ts'), program);
  const { stdout } = await run(process.execPath, ['use.js', ...given], { cwd: project });
  const flags = ['--noEmit', '--strict', '--module', 'nodenext', '--target', 'es2024', '--types', 'node', 'use.ts'];
  await run(path.join(root, 'node_modules/.bin/tsc'), flags, { cwd: project });
  return stdout;
}
