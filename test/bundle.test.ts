import { execFile } from 'node:child_process';
import {
  cp,
  mkdir,
  mkdtemp,
  readdir,
  readFile,
  realpath,
  rm,
  stat,
  symlink,
  utimes,
  writeFile,
} from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { promisify } from 'node:util';

const root = path.join(import.meta.dirname, '..');
const bundles = 'node_modules/.cache/latchkey/bundles';
const run = promisify(execFile);

/** A copy of the program whose bundle reports itself on stderr. */
async function copyOfProgram(): Promise<string> {
  const copy = await realpath(await mkdtemp(path.join(tmpdir(), 'latchkey-program-')));
  await mkdir(path.join(copy, 'node_modules'));
  for (const part of ['bin', 'src', 'packages/secrets/src', 'package.json', 'package-lock.json']) {
    await cp(path.join(root, part), path.join(copy, part), { recursive: true });
  }
  for (const name of (await readdir(path.join(root, 'node_modules'))).filter((each) => each !== '.cache')) {
    await symlink(path.join(root, 'node_modules', name), path.join(copy, 'node_modules', name));
  }
  await run(process.execPath, ['bin/make-bundle.js'], { cwd: copy });
  const [bundle = ''] = await readdir(path.join(copy, bundles));
  const entry = path.join(copy, bundles, bundle, 'latchkey.js');
  await writeFile(entry, `process.stderr.write('from the bundle\\n');\n${await readFile(entry, 'utf8')}`);
  return copy;
}

describe('a command of a program that has a bundle', () => {
  let copy = '';
  beforeAll(async () => {
    copy = await copyOfProgram();
  });
  afterAll(() => rm(copy, { recursive: true, force: true }));

  const version = () => run(process.execPath, ['bin/latchkey.js', '--version'], { cwd: copy });
  const fromBundle = { stdout: '0.1.0\n', stderr: 'from the bundle\n' };
  const fromSources = { stdout: '0.1.0\n', stderr: '' };

  test('runs from it, while the sources are unchanged', async () => {
    expect(await version()).toMatchObject(fromBundle);
  });

  test.each(['src/server/version.ts', 'packages/secrets/src/index.ts', 'package-lock.json'])(
    'runs from the sources after a change of %s, and from the bundle once that is undone',
    async (name) => {
      const file = path.join(copy, name);
      const [content, { atime, mtime }] = [await readFile(file, 'utf8'), await stat(file)];
      await writeFile(file, `${content}\n`);
      expect(await version()).toMatchObject(fromSources);
      await writeFile(file, content);
      await utimes(file, atime, mtime);
      expect(await version()).toMatchObject(fromBundle);
    },
  );

  test('runs from the sources after a file was added, or removed', async () => {
    const file = path.join(copy, 'src/server/added.ts');
    await writeFile(file, '');
    expect(await version()).toMatchObject(fromSources);
    await rm(file);
    expect(await version()).toMatchObject(fromBundle);
    await rm(path.join(copy, 'src/server/demo.ts'));
    expect(await version()).toMatchObject(fromSources);
  });

  test('runs from the sources without a bundle', async () => {
    await rm(path.join(copy, bundles), { recursive: true });
    expect(await version()).toMatchObject(fromSources);
  });
});
