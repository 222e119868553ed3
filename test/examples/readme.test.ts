import { execFile, spawn } from 'node:child_process';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { promisify } from 'node:util';
import { eventually } from '../support/eventually.ts';
import { freePort } from '../support/free-port.ts';
import { startLatchkey } from '../support/latchkey.ts';
import { testRootKey } from '../support/server.ts';

const run = promisify(execFile);
const root = path.join(import.meta.dirname, '../..');

/** The README as a newcomer uses it: the program saved, everything after the start pasted at once, on another port than 3000. */
describe('the README', () => {
  const latchkey = startLatchkey({ apply: {} });
  let folder = '';
  let [program, port] = ['', 0];
  let env: NodeJS.ProcessEnv = {};
  let pasted: string[] = [];

  beforeAll(async () => {
    port = await freePort();
    folder = await mkdtemp(path.join(os.tmpdir(), 'latchkey-readme-'));
    const readme = (await readFile(path.join(root, 'README.md'), 'utf8')).replaceAll('4001', String(port));
    const [, afterStart = ''] = readme.split('## Protect your first API');
    const blocks = [...afterStart.matchAll(/^```(\w+)\n([\s\S]*?)^```/gm)].map(([, language, code = '']) => ({
      language,
      code,
    }));
    program = path.join(folder, 'api.mjs');
    await writeFile(program, blocks.find(({ language }) => language === 'js')?.code ?? '');
    pasted = blocks.flatMap(({ language, code }) => (language === 'sh' ? [code] : []));
    env = {
      PATH: `${path.join(root, 'bin')}:${path.dirname(process.execPath)}:${process.env.PATH}`,
      DATABASE_URL: latchkey.database.url,
      LATCHKEY_ROOT_KEY: testRootKey,
    };
  });
  afterAll(() => rm(folder, { recursive: true, force: true }));

  test('works pasted at once, whatever the port of the server', async () => {
    const script = `${pasted.join('\n')}\nkill %1`;
    const { stdout } = await run('bash', ['-uc', `set -m\n${script}`], { cwd: folder, env });
    const [, service = '', key = ''] = /^([\s\S]*?)(HTTP\/1[\s\S]*)$/.exec(stdout) ?? [];
    const expected = ['No.', 'Hello billing, here are the orders.', 'No.'];
    expect(service.split('\n').filter((line) => expected.includes(line))).toEqual(expected);
    expect(key.match(/^HTTP\/1.1 \d+/gm)).toEqual(['HTTP/1.1 200', 'HTTP/1.1 200', 'HTTP/1.1 429']);
    expect(key).toMatch(/^x-latchkey-subject: billing/im);
  });

  test("'s API answers 503 while the server is away, and goes on", async () => {
    const nobody = `http://127.0.0.1:${await freePort()}`;
    const api = spawn(process.execPath, [program], {
      env: { ...env, API_SECRET: 'none', ISSUER: nobody },
      stdio: 'ignore',
    });
    try {
      const ask = () =>
        fetch(`http://127.0.0.1:${port}`, { headers: { authorization: 'Bearer lk_at_unknown' } }).then(
          ({ status }) => status,
          () => 0,
        );
      await eventually(ask, (status) => status !== 0);
      expect([await ask(), await ask()]).toEqual([503, 503]);
    } finally {
      api.kill();
    }
  });
});
