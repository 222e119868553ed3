import { consoleAs, consoleOfNew, linkOn, sectionsOn, stateOn, wordsOf } from '../../support/console.ts';
import { password } from '../../support/installation.ts';
import { startLatchkey } from '../../support/latchkey.ts';

describe('access to the console', () => {
  const latchkey = startLatchkey();
  const all = [
    'Clients',
    'APIs',
    'API keys',
    'Users',
    'Roles',
    'All credentials',
    'Sessions',
    'Consents',
    'Grants',
    'Signing keys',
  ];
  const everything = expect.arrayContaining([...all, 'Audit log']);

  test('requires a sign-in first, and then continues to the requested page', async () => {
    const agent = latchkey.browser();
    const page = await agent.get('/console/clients?type=service');
    expect(page.url).toContain('/sign-in');
    const after = await agent.submit(page, { login: 'alice', password }, '/sign-in');
    expect(after.url).toBe(`${latchkey.issuer}/console/clients?type=service`);
    expect(sectionsOn(after)).toEqual(everything);
  });

  test('is refused to users without a role, who see a message and no link to it', async () => {
    const bob = await consoleAs(latchkey, 'bob');
    for (const path of ['', '/clients', '/users/alice/disable', '/audit-log'])
      expect(await bob.get(path)).toMatchObject({ status: 403 });
    expect(wordsOf(await bob.get())).toContain('The console is for administrators');
    expect((await bob.agent.get('/')).html).not.toContain('/console');
    expect((await bob.agent.get('/account')).html).not.toContain('/console');
    const alice = await consoleAs(latchkey);
    expect((await alice.agent.get('/')).html).toContain('href="/console"');
    expect((await alice.agent.get('/account')).html).toContain('href="/console"');
  });

  test('lets an auditor see everything and change nothing, not even with a forged form', async () => {
    const auditor = await consoleOfNew(latchkey, 'auditor');
    const shown = sectionsOn(await auditor.get());
    expect(shown).toEqual(everything);
    // Permissions for secrets must be named: a role that sees everything else does not list them.
    expect([...shown, 'Secrets'].toSorted()).toEqual(sectionsOn(await (await consoleAs(latchkey)).get()).toSorted());
    const page = await auditor.get('/clients/web-app');
    expect(page.status).toBe(200);
    for (const label of ['Edit', 'Disable', 'Add secret', 'Rotate', 'Revoke'])
      expect(linkOn(page, label)).toBeUndefined();
    for (const path of acts) {
      expect({ path, status: (await auditor.get(path)).status }).toEqual({ path, status: 403 });
      expect({ path, status: (await auditor.forge(path, { role: 'owner' })).status }).toEqual({ path, status: 403 });
    }
    const refused = wordsOf(await auditor.get('/clients/web-app/disable'));
    expect(refused).toContain('This needs "latchkey:client:disable".');
  });

  test('lets an operator disable and revoke, and grant no permissions', async () => {
    const operator = await consoleOfNew(latchkey, 'operator');
    const page = await operator.get('/clients/spa');
    expect(linkOn(page, 'Disable')).toBe('/console/clients/spa/disable');
    for (const path of ['/clients/service/secrets/add', '/users/bob/roles/assign', '/users/bob/password', '/new-role'])
      expect({ path, status: (await operator.forge(path, { role: 'auditor', name: 'mine' })).status }).toEqual({
        path,
        status: 403,
      });
    expect(stateOn(await operator.act('/clients/spa/disable'))).toBe('Disabled');
    expect(linkOn(await operator.get('/clients/spa'), 'Enable')).toBeUndefined();
  });

  test('does not let an administrator grant what only an owner holds', async () => {
    const administrator = await consoleOfNew(latchkey, 'administrator');
    const page = await administrator.act('/users/bob/roles/assign', { role: 'owner' });
    expect(page.status).toBe(403);
    expect(wordsOf(page)).toContain('You cannot grant or change a permission that you do not hold yourself');
    expect(page.html).toMatch(/value="owner" selected/);
    const reset = await administrator.act('/users/alice/password');
    expect(reset.status).toBe(403);
    expect(reset.html).not.toMatch(/[a-z2-9]{6}-[a-z2-9]{6}-/);
  });

  test('is checked at every request', async () => {
    const operator = await consoleOfNew(latchkey, 'operator');
    const page = await operator.get('/clients/native/disable');
    const alice = await consoleAs(latchkey);
    const username = /users\/(operator-[\w-]+)/.exec((await alice.get('/users?sort=-created_at')).html)?.[1];
    await alice.act(`/users/${username}/roles/operator/remove`);
    expect((await operator.send(page)).status).toBe(403);
    expect(stateOn(await alice.get('/clients/native'))).toBe('Active');
  });

  test('is refused to every form that was not on a page of ours', async () => {
    const alice = await consoleAs(latchkey);
    for (const path of acts)
      expect({ path, status: (await alice.forge(path, {}, false)).status }).toEqual({ path, status: 403 });
    const page = await alice.get('/clients/native/disable');
    const foreign = await alice.agent.submit(page, {}, '/console/', { origin: 'https://evil.example' });
    expect(foreign.status).toBe(403);
    expect(stateOn(await alice.get('/clients/native'))).toBe('Active');
  });
});

const nobodys = '00000000-0000-7000-8000-0000000000ff';
const api = encodeURIComponent('https://api.example');

/** All actions of the console. */
const acts = [
  '/new-webhook',
  ...['change', 'disable', 'enable', 'delete', 'rotate-secret', 'test', 'redeliver'].map(
    (act) => `/webhooks/${nobodys}/${act}`,
  ),
  `/webhooks/${nobodys}/deliveries/${nobodys}/redeliver`,
  '/clients/web-app/disable',
  '/clients/web-app/enable',
  '/clients/web-app/revoke',
  '/clients/web-app/secrets/add',
  '/clients/web-app/secrets/rotate',
  `/clients/web-app/secrets/${nobodys}/revoke`,
  '/clients/service/roles/assign',
  '/clients/service/roles/owner/remove',
  `/apis/${api}/disable`,
  `/apis/${api}/enable`,
  `/apis/${api}/revoke`,
  `/apis/${api}/change`,
  `/apis/${api}/scopes/add`,
  `/apis/${api}/scopes/read/change`,
  `/apis/${api}/scopes/read/remove`,
  '/new-api-key',
  ...['change', 'rotate', 'disable', 'enable', 'revoke'].map((act) => `/api-keys/${nobodys}/${act}`),
  '/users/bob/change',
  '/users/bob/password',
  '/users/bob/password-link',
  '/users/bob/sessions/none/revoke',
  '/users/bob/disable',
  '/users/bob/enable',
  '/users/bob/revoke',
  '/users/bob/roles/assign',
  '/users/alice/roles/owner/remove',
  '/new-role',
  '/rotate-key',
  '/new-secret',
  '/generate-secret',
  '/register-credential',
  '/find-secret',
  '/vault/rotate',
  '/vault/seal',
  '/vault/unseal',
  ...[
    'reveal',
    'new-version',
    'generate',
    'change',
    'replaced',
    'delete',
    'versions/1/rollback',
    'versions/1/delete',
    'versions/1/destroy',
  ].map((act) => `/secrets/any%2Fpath/${act}`),
  '/roles/owner/change',
  '/roles/owner/delete',
  `/consents/${nobodys}/revoke`,
  `/grants/${nobodys}/revoke`,
];
