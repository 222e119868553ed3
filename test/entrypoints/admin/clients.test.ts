import { type AdminApi, asOwner, asService } from '../../support/admin.ts';
import { eventually } from '../../support/eventually.ts';
import { redirectUri } from '../../support/installation.ts';
import { startLatchkey } from '../../support/latchkey.ts';

describe('clients in the admin API', () => {
  const latchkey = startLatchkey();
  let owner: AdminApi;
  beforeAll(async () => {
    owner = await asOwner(latchkey);
  });

  test('are registered, read, changed, and disabled', async () => {
    const made = await owner.post('/clients', {
      client_id: 'inbox',
      client_name: 'Inbox',
      redirect_uris: [redirectUri],
    });
    expect(made).toMatchObject({ status: 201, body: { client_id: 'inbox', type: 'web', enabled: true, version: 1 } });
    const secret = String(made.body.client_secret);
    expect(await latchkey.isLetIn('inbox', secret)).toBe(true);

    const read = await owner.get('/clients/inbox');
    expect(read.body).toMatchObject({ client_name: 'Inbox', redirect_uris: [redirectUri] });
    expect(JSON.stringify(read.body)).not.toContain(secret);
    expect(read.headers.get('etag')).toBe('"1"');
    expect(await owner.get('/clients/inbox', { headers: { 'if-none-match': '"1"' } })).toMatchObject({ status: 304 });

    const changed = await owner.patch('/clients/inbox', { client_name: 'Inbox 2' }, { headers: { 'if-match': '"1"' } });
    expect(changed).toMatchObject({ status: 200, body: { client_name: 'Inbox 2', version: 2 } });
    const late = await owner.patch('/clients/inbox', { client_name: 'Lost' }, { headers: { 'if-match': '"1"' } });
    expect(late).toMatchObject({ status: 412, body: { type: 'urn:latchkey:problem:precondition_failed' } });

    expect(await owner.post('/clients/inbox/disable')).toMatchObject({ status: 200, body: { enabled: false } });
    expect(await latchkey.isLetIn('inbox', secret)).toBe(false);
    expect(await owner.patch('/clients/inbox', { enabled: true })).toMatchObject({
      status: 200,
      body: { enabled: true },
    });
    expect(await latchkey.isLetIn('inbox', secret)).toBe(true);
    const actions = (await latchkey.auditEvents('client.disabled')).filter(({ target_id }) => target_id === 'inbox');
    expect(actions).toMatchObject([{ actor_kind: 'client', actor_id: expect.stringMatching(/^owner-/) }]);
  });

  test('have several secrets that rotate with an overlap', async () => {
    const { body } = await owner.post('/clients', { client_id: 'rotating', grant_types: ['client_credentials'] });
    const first = String(body.client_secret);
    const second = await owner.post('/clients/rotating/secrets', { label: 'second', expires_in_days: 30 });
    expect(second.status).toBe(201);
    const rotated = await owner.post('/clients/rotating/secrets/rotate', { overlap_seconds: 60 });
    expect(rotated.body.previous_expires_at).toMatch(/Z$/);
    // The field of the previous version, for one release.
    expect(rotated.body.previous_end_at).toBe(rotated.body.previous_expires_at);
    const third = String(rotated.body.client_secret);
    for (const secret of [first, String(second.body.client_secret), third])
      expect(await latchkey.isLetIn('rotating', secret)).toBe(true);
    await latchkey.advance(61);
    expect(await latchkey.isLetIn('rotating', first)).toBe(false);
    expect(await latchkey.isLetIn('rotating', third)).toBe(true);
    await owner.post(`/clients/rotating/secrets/${rotated.body.id}/revoke`);
    expect(await latchkey.isLetIn('rotating', third)).toBe(false);
    const { body: list } = await owner.get('/clients/rotating/secrets');
    expect(list.items).toHaveLength(3);
    expect(list.items[0]).toMatchObject({ id: rotated.body.id, revoked_at: expect.stringMatching(/Z$/) });
  });

  test('have numbered secrets that show their last characters and their last use', async () => {
    const { body } = await owner.post('/clients', { client_id: 'numbered', grant_types: ['client_credentials'] });
    const secret = String(body.client_secret);
    const second = await owner.post('/clients/numbered/secrets', { label: 'second' });
    expect(second.body).toMatchObject({ number: 2, last_four: String(second.body.client_secret).slice(-4) });
    const list = async () => (await owner.get('/clients/numbered/secrets')).body.items;
    expect(await list()).toMatchObject([
      { number: 2, last_used_at: null },
      { number: 1, last_four: secret.slice(-4), last_used_at: null },
    ]);
    expect(await latchkey.isLetIn('numbered', `${secret}x`)).toBe(false);
    const position = async () => (await latchkey.database.query('select position from change_counter')).rows;
    const before = await position();
    expect(await latchkey.isLetIn('numbered', secret)).toBe(true);
    const used = await eventually(list, ([, first]) => first?.last_used_at !== null);
    expect(used).toMatchObject([{ last_used_at: null }, { last_used_at: expect.stringMatching(/Z$/) }]);
    // Other nodes are not notified: this would evict the client every second.
    expect(await position()).toEqual(before);
    await owner.post(`/clients/numbered/secrets/${used[1]?.id}/revoke`);
    expect((await owner.post('/clients/numbered/secrets', {})).body).toMatchObject({ number: 3 });
  });

  test('have an owner and a risk, which sets the default lifetime of their secrets', async () => {
    await owner.post('/users', { username: 'responsible', password: 'correct horse battery staple' });
    const grant_types = ['client_credentials'];
    const classified = { client_id: 'classified', grant_types, owner: { user: 'responsible' }, risk: 'high' };
    const made = await owner.post('/clients', classified);
    expect(made).toMatchObject({ status: 201, body: { owner: { user: 'responsible' }, risk: 'high' } });
    const { items } = (await owner.get('/clients/classified/secrets')).body;
    const lastsDays = (secret: Record<string, unknown> | undefined) =>
      (Date.parse(String(secret?.expires_at)) - Date.parse(String(secret?.created_at))) / 86_400_000;
    expect(lastsDays(items[0])).toBe(30);
    const asked = await owner.post('/clients/classified/secrets', { expires_in_days: 300 });
    expect(Date.parse(String(asked.body.expires_at))).toBeGreaterThan(Date.now() + 290 * 86_400_000);

    const changed = await owner.patch('/clients/classified', { owner: { client_id: 'classified' }, risk: null });
    expect(changed.body).toMatchObject({ owner: { client_id: 'classified' } });
    expect(changed.body.risk).toBeUndefined();
    expect((await owner.post('/clients/classified/secrets', {})).body.expires_at).toBeNull();
    const renamed = await owner.patch('/clients/classified', { client_name: 'Classified' });
    expect(renamed.body).toMatchObject({ owner: { client_id: 'classified' } });
    const [event] = (await latchkey.auditEvents('client.updated')).filter(
      ({ target_id }) => target_id === 'classified',
    );
    expect(event?.details).toMatchObject({ changed: { owner: { old: { user: 'responsible' } } } });
    expect((await owner.patch('/clients/classified', { owner: null })).body.owner).toBeUndefined();
  });

  test.each([
    ['nobody', { owner: { user: 'nobody-at-all' } }, 400, { pointer: '/owner' }],
    ['no kind of owner', { owner: 'responsible' }, 400, { pointer: '/owner' }],
    ['no risk that there is', { risk: 'extreme' }, 400, { pointer: '/risk' }],
  ])('are refused with an owner or risk that is %s', async (_, body, status, problem) => {
    expect(await owner.patch('/clients/inbox', body)).toMatchObject({ status, body: problem });
  });

  test('get another owner only from a caller who may read that user, whether or not it exists', async () => {
    const registrar = await asService(latchkey, owner, {
      permissions: ['latchkey:client:write', 'latchkey:permission:give'],
    });
    const grant_types = ['client_credentials'];
    for (const user of ['responsible', 'nobody-at-all'])
      expect(await registrar.post('/clients', { client_id: 'given', grant_types, owner: { user } })).toMatchObject({
        status: 403,
        body: { permission: 'latchkey:user:read' },
      });
  });

  test('are searched, filtered, sorted and paged to the end', async () => {
    for (const n of [1, 2, 3, 4, 5])
      await owner.post('/clients', { client_id: `many-${n}`, grant_types: ['client_credentials'] });
    const seen: string[] = [];
    let link: string | null = '/clients?q=many-&limit=2&type=service&enabled=true';
    while (link) {
      const page = await owner.get(link);
      seen.push(...page.body.items.map(({ client_id }) => String(client_id)));
      link = /^<\/admin\/v1([^>]+)>; rel="next"/.exec(page.headers.get('link') ?? '')?.[1] ?? null;
    }
    expect(seen).toEqual(['many-1', 'many-2', 'many-3', 'many-4', 'many-5']);
    const newest = await owner.get('/clients?q=many-&sort=-created_at&limit=3');
    expect(newest.body.items.map(({ client_id }) => client_id)).toEqual(['many-5', 'many-4', 'many-3']);
    const { body } = await owner.get(`/clients?q=many-&sort=-created_at&limit=3&cursor=${newest.body.next}`);
    expect(body).toMatchObject({ items: [{ client_id: 'many-2' }, { client_id: 'many-1' }], next: null });
    expect((await owner.get('/clients?q=%25')).body.items).toEqual([]);
  });

  test.each([
    ['a member that is not known', { client_id: 'x', redirect_urls: [] }, '/redirect_urls'],
    ['a wrong redirect URI', { client_id: 'x', redirect_uris: ['nowhere'] }, '/redirect_uris/0'],
    ['a client_id with a space', { client_id: 'my app' }, '/client_id'],
    ['two wrong members, both named', { client_id: '', first_party: 'yes' }, '/client_id'],
  ])('are refused with %s', async (_, body, pointer) => {
    const refused = await owner.post('/clients', body);
    expect(refused).toMatchObject({ status: 400, body: { pointer } });
    expect(refused.headers.get('content-type')).toContain('application/problem+json');
  });
});
