import { execFile } from 'node:child_process';
import { mkdir, rm, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { promisify } from 'node:util';
import { bootstrapped } from '../../support/admin.ts';
import { startLatchkey } from '../../support/latchkey.ts';

const root = path.join(import.meta.dirname, '../../..');
const folder = path.join(root, 'test/output/generated-client');
const run = promisify(execFile);
const bin = (name: string) => path.join(root, 'node_modules/.bin', name);

const program = `
import { clientsCreate, clientsList, clientsSecretsRotate, defaults, revocationsCreate, rolesAssignmentsPut, usersGet } from './client.ts';
defaults.baseUrl = process.argv[2] ?? '';
defaults.headers = { authorization: \`Bearer \${process.env.TOKEN}\` };
const made = await clientsCreate({ client_id: 'generated', grant_types: ['client_credentials'] });
if (made.status !== 201) throw new Error(JSON.stringify(made));
const rotated = await clientsSecretsRotate('generated', { overlap_seconds: 60 });
if (rotated.status !== 201) throw new Error(JSON.stringify(rotated));
const endsAt: string = rotated.data.previous_expires_at;
const listed = await clientsList({ q: 'generated', $type: 'service' });
await rolesAssignmentsPut('auditor', 'user', 'bob', {});
const bob = await usersGet('bob');
const planned = await revocationsCreate({ handle: { user: 'bob' }, dry_run: true });
const refused = await clientsCreate({ client_id: 'generated', grant_types: ['client_credentials'] });
const detail = refused.status === 409 ? refused.data.detail : 'was not refused';
console.log(JSON.stringify({
  endsAt,
  names: listed.status === 200 && listed.data.items.map(({ client_id }) => client_id),
  roles: bob.status === 200 && bob.data.roles,
  planned: planned.status === 200 && planned.data.dry_run,
  detail,
}));
`;

describe('a client generated from the OpenAPI document', () => {
  const latchkey = startLatchkey();
  afterAll(() => rm(folder, { recursive: true, force: true }));

  test('compiles, and works with the API', async () => {
    const token = await bootstrapped(latchkey);
    const document = await fetch(`${latchkey.issuer}/admin/v1/openapi.json`);
    await mkdir(folder, { recursive: true });
    await writeFile(path.join(folder, 'openapi.json'), await document.text());
    await run(bin('oazapfts'), ['openapi.json', 'client.ts'], { cwd: folder });
    await writeFile(path.join(folder, 'program.ts'), program);
    const options = [
      '--ignoreConfig',
      '--noEmit',
      '--strict',
      '--skipLibCheck',
      '--module',
      'nodenext',
      '--target',
      'esnext',
      '--types',
      'node',
      '--allowImportingTsExtensions',
    ];
    await run(bin('tsc'), [...options, 'program.ts'], { cwd: folder });
    const { stdout } = await run(process.execPath, ['program.ts', latchkey.issuer], {
      cwd: folder,
      env: { ...process.env, TOKEN: token },
    });
    expect(JSON.parse(stdout)).toEqual({
      endsAt: expect.stringMatching(/Z$/),
      names: ['generated'],
      roles: ['auditor'],
      planned: true,
      detail: 'A client with the client_id "generated" already exists.',
    });
  });
});
