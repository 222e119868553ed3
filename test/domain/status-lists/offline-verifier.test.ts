import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { eventually } from '../../support/eventually.ts';
import { freePort } from '../../support/free-port.ts';
import { jwtApi } from '../../support/installation.ts';
import { startLatchkey } from '../../support/latchkey.ts';
import { statusOf } from '../../support/status-list.ts';

const root = path.join(import.meta.dirname, '../../..');

/** The program in the page on APIs, changed to use another issuer and port. */
function shownProgram(issuer: string, port: number): string {
  const page = readFileSync(path.join(root, 'docs/protect-an-api.md'), 'utf8');
  const [, program = ''] = /`reports-with-status\.mjs`:\n\n```js\n([\s\S]*?)^```/m.exec(page) ?? [];
  return program
    .replaceAll('http://localhost:3000', issuer)
    .replaceAll('https://reports.example', jwtApi)
    .replaceAll('4002', String(port));
}

describe('an API with only the key set and the lists, as in the documentation', () => {
  const latchkey = startLatchkey();
  let api: ChildProcess | undefined;
  let address = '';
  beforeAll(async () => {
    const port = await freePort();
    address = `http://127.0.0.1:${port}`;
    api = spawn(process.execPath, ['--input-type=module', '-'], { cwd: root, stdio: ['pipe', 'inherit', 'inherit'] });
    api.stdin?.end(shownProgram(latchkey.issuer, port));
    await eventually(
      () => fetch(address).catch(() => undefined),
      (answer) => answer !== undefined,
    );
  });
  afterAll(async () => {
    if (api?.kill()) await once(api, 'exit');
  });

  const newToken = async () =>
    (await latchkey.clientCredentials({ resource: jwtApi, scope: 'report:read' })).body.access_token;
  const use = async (token: string) => (await fetch(address, { headers: { authorization: `Bearer ${token}` } })).status;

  test('refuses the revoked token and accepts the others', async () => {
    const [revoked, other] = [await newToken(), await newToken()];
    await latchkey.post('/oauth/revoke', { token: revoked }, 'service');
    await eventually(
      () => statusOf(latchkey, revoked),
      (status) => status === 1,
    );
    expect(await use(revoked)).toBe(401);
    expect(await use(other)).toBe(200);
    expect(await use(await newToken())).toBe(200);
    expect(await use('no token')).toBe(401);
  });
});
