import { decodeJwt } from 'jose';
import { type AdminApi, asOwner, asService } from '../../support/admin.ts';
import { clientSecrets, password, redirectUri, standardInstallation } from '../../support/installation.ts';
import { startLatchkey } from '../../support/latchkey.ts';

const installation = {
  ...standardInstallation,
  clients: [
    {
      client_id: 'dashboard',
      client_secret: clientSecrets['web-app'],
      first_party: true,
      redirect_uris: [redirectUri],
      scope: 'openid groups',
    },
  ],
};

describe('groups', () => {
  const latchkey = startLatchkey({ apply: installation });
  let owner: AdminApi;
  beforeAll(async () => {
    owner = await asOwner(latchkey);
    await owner.post('/roles', { name: 'readers', exported_as: 'readers' });
    await owner.post('/roles', { name: 'not-exported' });
    await owner.put('/roles/readers/assignments/user/alice', {});
  });
  const groupsOf = async (login: string) => {
    const request = { client_id: 'dashboard', scope: 'openid groups', resource: null };
    const { id_token } = await latchkey.tokens(request, latchkey.browser(), login);
    return decodeJwt(id_token).groups;
  };

  test.each(['system:masters', 'System:masters', 'a,b', 'a b', '', 'a"b', ' x', 'x'.repeat(65), 'a\nb', '*'])(
    'are never called %j',
    async (exported_as) => {
      expect(await owner.post('/roles', { name: 'badly-named', exported_as })).toMatchObject({ status: 400 });
      expect(await owner.patch('/roles/not-exported', { exported_as })).toMatchObject({ status: 400 });
    },
  );

  test('are separate from role names, and a role name is unique', async () => {
    expect(await owner.post('/roles', { name: 'another', exported_as: 'readers' })).toMatchObject({ status: 409 });
    expect(await owner.patch('/roles/not-exported', { exported_as: 'readers' })).toMatchObject({ status: 409 });
    expect(await owner.patch('/roles/owner', { exported_as: 'owners' })).toMatchObject({ status: 409 });
  });

  test('are set, changed, assigned and removed only with a permission of their own', async () => {
    const permissions = ['latchkey:role:*', 'latchkey:user:*'];
    const manager = await asService(latchkey, owner, { permissions });
    const exporter = await asService(latchkey, owner, { permissions: [...permissions, 'latchkey:group:export'] });
    const acts: [string, string, unknown?][] = [
      ['POST', '/roles', { name: 'fresh', exported_as: 'fresh' }],
      ['PATCH', '/roles/not-exported', { exported_as: 'sneaky' }],
      ['PATCH', '/roles/readers', { exported_as: null }],
      ['PATCH', '/roles/readers', { exported_as: 'writers' }],
      ['PUT', '/roles/readers/assignments/user/bob', {}],
      ['DELETE', '/roles/readers/assignments/user/alice'],
      ['DELETE', '/roles/readers'],
      ['POST', '/users', { username: 'mallory', roles: ['readers'] }],
    ];
    for (const [method, path, body] of acts) {
      const answer = await manager.call(method, path, { body });
      expect({ path, ...answer }).toMatchObject({
        status: 403,
        body: { detail: expect.stringContaining('latchkey:group:export') },
      });
    }
    // A role without a group, or an unchanged group, needs no more than before.
    expect(await manager.patch('/roles/readers', { description: 'Readers', exported_as: 'readers' })).toMatchObject({
      status: 200,
      body: { exported_as: 'readers' },
    });
    expect(await manager.put('/roles/not-exported/assignments/user/bob', {})).toMatchObject({ status: 204 });
    for (const [method, path, body] of acts.slice(0, 5))
      expect((await exporter.call(method, path, { body })).status).toBeLessThan(300);
    const [event] = (await latchkey.auditEvents('role.updated')).slice(-1);
    expect(event).toMatchObject({ target_id: 'readers', details: { exported_as: 'writers' } });
    await exporter.patch('/roles/readers', { exported_as: 'readers' });
  });

  test('cannot be joined by taking over the account of a member: that requires the same permission', async () => {
    const permissions = ['latchkey:user:*'];
    const manager = await asService(latchkey, owner, { permissions });
    const exporter = await asService(latchkey, owner, { permissions: [...permissions, 'latchkey:group:export'] });
    const email = 'frank@example.com';
    await owner.post('/users', { username: 'frank', email, roles: ['readers'] });
    const acts: [string, string, unknown?][] = [
      ['PATCH', '/users/frank', { email: 'mallory@example.com' }],
      ['POST', '/users/frank/verify-email', { email }],
      ['POST', '/users/frank/password', {}],
      ['POST', '/users/frank/password-link'],
    ];
    for (const [method, path, body] of acts) {
      expect({ path, ...(await manager.call(method, path, { body })) }).toMatchObject({
        status: 403,
        body: { detail: expect.stringContaining('latchkey:group:export') },
      });
    }
    expect(await exporter.post('/users/frank/password', {})).toMatchObject({ status: 200 });
    await owner.delete('/roles/readers/assignments/user/frank');
    expect(await manager.post('/users/frank/password', {})).toMatchObject({ status: 200 });
  });

  test('are those of roles that are still assigned', async () => {
    const username = 'dora';
    await owner.post('/users', { username, password });
    await owner.put(`/roles/readers/assignments/user/${username}`, { until: new Date(Date.now() + 120_000) });
    const read = async () => groupsOf(username);
    expect(await read()).toEqual(['readers']);
    await latchkey.advance(121);
    expect(await read()).toEqual([]);
  });

  test('are at most 64 a user, also when many are assigned at once', async () => {
    const names = Array.from({ length: 67 }, (_, n) => `g${n}`);
    for (const name of names) await owner.post('/roles', { name, exported_as: name });
    const made = await owner.post('/users', { username: 'erin', roles: names.slice(0, 62) });
    expect(made).toMatchObject({ status: 201 });
    const give = (name: string) => owner.put(`/roles/${name}/assignments/user/erin`, {});
    const statuses = (await Promise.all(names.slice(62).map(give))).map(({ status }) => status);
    expect(statuses.sort()).toEqual([204, 204, 409, 409, 409]);
    await owner.post('/roles', { name: 'later' });
    expect(await give('later')).toMatchObject({ status: 204 });
    expect(await owner.patch('/roles/later', { exported_as: 'one-more' })).toMatchObject({ status: 409 });
  });
});
