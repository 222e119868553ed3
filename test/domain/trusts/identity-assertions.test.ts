import { decodeJwt } from 'jose';
import { type AdminApi, asOwner, asService } from '../../support/admin.ts';
import { ForeignIssuer, type SignOptions } from '../../support/foreign-issuer.ts';
import type { RunningServer } from '../../support/hosted-server.ts';
import { api, jwtApi, password, standardInstallation } from '../../support/installation.ts';
import { type Answer, basic, startLatchkey } from '../../support/latchkey.ts';
import { proofsOf } from '../../support/proofs.ts';

const grant_type = 'urn:ietf:params:oauth:grant-type:jwt-bearer';
const rolesApi = 'https://roles.example';
const clientSecret = 'the secret of the assistant';
const apply = {
  ...standardInstallation,
  resource_servers: [
    ...standardInstallation.resource_servers,
    { identifier: rolesApi, name: 'Roles', assignment_required: true, scopes: [{ name: 'plan:read' }] },
  ],
  clients: [
    ...standardInstallation.clients,
    {
      client_id: 'assistant',
      client_secret: clientSecret,
      redirect_uris: ['https://assistant.example/callback'],
      resources: { [api]: ['read', 'write'], [jwtApi]: ['report:read'], [rolesApi]: ['*'] },
    },
    {
      client_id: 'checker',
      client_secret: 'the secret of the checker',
      grant_types: ['client_credentials'],
      introspects: [api, jwtApi, rolesApi],
    },
  ],
};

describe('an identity assertion (ID-JAG)', () => {
  const latchkey = startLatchkey({ apply });
  const typ = 'oauth-id-jag+jwt';
  const subject = '00u-bob';
  let owner: AdminApi;
  let other: RunningServer;
  let provider: ForeignIssuer;
  let trust_id: string;

  const trust = async (issuer: ForeignIssuer, given: Record<string, unknown> = {}): Promise<string> => {
    const input = { name: crypto.randomUUID(), kind: 'id_jag', issuer: issuer.issuer, jwks: { keys: issuer.keys } };
    const permissions = { [api]: ['read'], [jwtApi]: ['report:read'], [rolesApi]: ['*'] };
    const { status, body } = await owner.post('/trusts', { ...input, permissions, ...given });
    if (status !== 201) throw new Error(JSON.stringify(body));
    return String(body.id);
  };
  const link = async (user: string, issuer = provider.issuer, sub = subject): Promise<string> => {
    const { status, body } = await owner.post(`/users/${user}/identities`, { issuer, subject: sub });
    if (status !== 201) throw new Error(JSON.stringify(body));
    return String(body.id);
  };
  beforeAll(async () => {
    owner = await asOwner(latchkey);
    other = await latchkey.startNode();
    provider = await ForeignIssuer.named('https://idp.example', { alg: 'ES256', typ });
    trust_id = await trust(provider);
    await link('bob');
  });

  const assertion = (claims: Record<string, unknown> = {}, options: SignOptions = {}, issuer = provider) => {
    const good = { sub: subject, aud: latchkey.issuer, client_id: 'assistant', resource: api, scope: 'read' };
    const exp = Math.floor(Date.now() / 1000) + 300;
    return issuer.sign({ ...good, exp, nbf: undefined, ...claims }, options);
  };
  const present = (
    text: string,
    parameters: Record<string, string> = {},
    { client_id = 'assistant', node = latchkey.issuer } = {},
  ): Promise<Answer> => latchkey.post('/oauth/token', { grant_type, assertion: text, ...parameters }, client_id, node);
  const told = async (token: string, node = latchkey.issuer) =>
    (await latchkey.post('/oauth/introspect', { token }, 'checker', node)).body;
  const given = async (issuer = provider, claims: Record<string, unknown> = {}) =>
    (await present(await assertion(claims, {}, issuer))).body.access_token;
  const refusal = { error: 'invalid_grant', error_description: 'grant request is invalid' };
  /** A separate provider and trust, with an account that is linked to bob. */
  const another = async (more: Record<string, unknown> = {}) => {
    const issuer = await ForeignIssuer.named(`https://${crypto.randomUUID()}.example`, { alg: 'ES256', typ });
    return { issuer, trust: await trust(issuer, more), identity: await link('bob', issuer.issuer) };
  };

  test('gives the named client an access token of the linked user, and no refresh token', async () => {
    const answer = await present(await assertion());
    expect([answer.status, answer.body]).toEqual([
      200,
      { access_token: expect.any(String), expires_in: 600, scope: 'read', token_type: 'Bearer' },
    ]);
    const { body: bob } = await owner.get('/users/bob');
    const token = await told(answer.body.access_token);
    expect(token).toMatchObject({ active: true, sub: bob.id, username: 'bob', client_id: 'assistant', aud: api });
    expect(await told(answer.body.access_token, other.address)).toMatchObject({ active: true, scope: 'read' });
    const events = await latchkey.auditEvents('access_token.issued');
    expect(events).toContainEqual(
      expect.objectContaining({
        ...{ actor_id: 'assistant', target_kind: 'user', target_id: bob.id },
        details: expect.objectContaining({ grant_type: 'id_jag', trust_id }),
      }),
    );
    const report = await present(await assertion({ resource: [api, jwtApi], scope: undefined }), { resource: jwtApi });
    expect(decodeJwt(report.body.access_token)).toMatchObject({ sub: bob.id, client_id: 'assistant', aud: jwtApi });
  });

  test('is listed as a supported grant profile', async () => {
    const response = await fetch(`${latchkey.issuer}/.well-known/oauth-authorization-server`);
    const metadata = (await response.json()) as Record<string, unknown>;
    expect(metadata.grant_types_supported).toContain(grant_type);
    expect(metadata.authorization_grant_profiles_supported).toEqual(['urn:ietf:params:oauth:grant-profile:id-jag']);
  });

  test('is for the API in any spelling of its address, and for a default scope if it names none', async () => {
    const spelled = await assertion({ resource: 'HTTPS://API.example/', scope: undefined });
    expect((await present(spelled)).body).toMatchObject({ scope: 'read' });
    const asked = await present(await assertion(), { resource: 'https://API.example/' });
    expect((await told(asked.body.access_token)).aud).toBe(api);
    const either = await present(await assertion({ resource: [api, jwtApi] }));
    expect(either).toMatchObject({ status: 400, body: { error: 'invalid_target' } });
  });

  test.each<[what: string, reason: string, make: () => Promise<string>]>([
    ['is for another server', 'audience', () => assertion({ aud: 'https://other.example' })],
    ['is for another server, too', 'audience', () => assertion({ aud: [latchkey.issuer, 'https://other.example'] })],
    ['names another client', 'another client', () => assertion({ client_id: 'web-app' })],
    ['names no client', 'client', () => assertion({ client_id: undefined })],
    ['names a list of clients', 'client', () => assertion({ client_id: ['assistant'] })],
    ['is over', 'expiry', () => assertion({ exp: Math.floor(Date.now() / 1000) - 60 })],
    ['has no end', 'expiry', () => assertion({ exp: undefined })],
    ['lasts a day', 'one_time', () => assertion({ exp: Math.floor(Date.now() / 1000) + 86_400 })],
    ['has no id', 'one_time', () => assertion({ jti: undefined })],
    ['has no time of issue', 'issued_at', () => assertion({ iat: undefined })],
    ['has no type', 'type', () => assertion({}, { header: { typ: undefined } })],
    ['is a plain JWT, such as an ID token', 'type', () => assertion({}, { header: { typ: 'JWT' } })],
    ['is an access token', 'type', () => assertion({}, { header: { typ: 'at+jwt' } })],
    ['is of an account that is not linked', 'linked to no user', () => assertion({ sub: '00u-eve' })],
    ['is of the account in another case', 'linked to no user', () => assertion({ sub: '00U-BOB' })],
    ['is of an account that PostgreSQL cannot store', 'linked to no user', () => assertion({ sub: '00u\u0000' })],
    [
      'names a user of this server',
      'linked to no user',
      async () => assertion({ sub: String((await owner.get('/users/bob')).body.id) }),
    ],
    ['has a resource that is no text', 'resource', () => assertion({ resource: { api } })],
    ['has a scope that is no text', 'scope', () => assertion({ scope: ['read'] })],
    [
      'is signed with another key',
      'signature',
      async () =>
        assertion({}, { key: (await ForeignIssuer.named('https://idp.example', { alg: 'ES256' })).privateKey }),
    ],
    [
      'is of another trusted issuer, with the same sub',
      'linked to no user',
      async () => {
        const stranger = await ForeignIssuer.named(`https://${crypto.randomUUID()}.example`, { alg: 'ES256', typ });
        await trust(stranger);
        return assertion({}, {}, stranger);
      },
    ],
    [
      'is of an issuer that is trusted for workloads only',
      'type',
      async () => {
        const workloads = await ForeignIssuer.named(`https://${crypto.randomUUID()}.example`, { alg: 'ES256', typ });
        await trust(workloads, { kind: 'workload', conditions: [{ claim: 'sub', equals: subject }] });
        await link('bob', workloads.issuer);
        return assertion({}, {}, workloads);
      },
    ],
  ])('that %s is refused like any other; the log says: %s', async (_, reason, make) => {
    const answer = await present(await make());
    expect([answer.status, answer.body]).toEqual([400, refusal]);
    const [last] = (await latchkey.auditEvents('trust.refused')).slice(-1);
    expect(String(last?.reason)).toContain(reason);
  });

  test('sent 30 times at once on both nodes is accepted once (RFC 7523 §3)', async () => {
    const text = await assertion();
    const answers = await Promise.all(
      Array.from({ length: 30 }, (_, n) => present(text, {}, { node: n % 2 ? latchkey.issuer : other.address })),
    );
    const [won, ...others] = answers.toSorted((a, b) => a.status - b.status);
    expect(won?.status).toBe(200);
    // On a busy machine, some requests wait too long for the first one and get 503 with Retry-After.
    for (const { status } of others) expect([400, 503]).toContain(status);
    expect(await present(text)).toMatchObject({ status: 400, body: refusal });
  });

  test('is accepted only from an authenticated client', async () => {
    const text = await assertion({ client_id: 'spa' });
    expect(await present(text, {}, { client_id: 'spa' })).toMatchObject({
      status: 401,
      body: { error: 'invalid_client' },
    });
    const form = { grant_type, assertion: await assertion() };
    expect((await latchkey.post('/oauth/token', form)).status).toBe(401);
    expect((await latchkey.post('/oauth/token', { ...form, client_id: 'assistant' })).status).toBe(401);
    expect(await present(form.assertion, {}, { client_id: 'web-app' })).toMatchObject({ status: 400, body: refusal });
  });

  test.each<[what: string, claims: Record<string, unknown>, parameters: Record<string, string>, error: string]>([
    ['a scope that it does not say', {}, { scope: 'read write' }, 'invalid_scope'],
    ['a scope that the trust does not give', { scope: 'read write' }, { scope: 'read write' }, 'invalid_scope'],
    ['nothing but a scope that the trust does not give', { scope: 'write' }, {}, 'invalid_scope'],
    ['OpenID Connect', { scope: 'openid read' }, { scope: 'openid read' }, 'invalid_scope'],
    ['an API that it is not for', {}, { resource: jwtApi }, 'invalid_target'],
    ['an unknown API', { resource: 'https://unknown.example' }, {}, 'invalid_target'],
  ])('gets no token for %s', async (_, claims, parameters, error) => {
    expect(await present(await assertion(claims), parameters)).toMatchObject({ status: 400, body: { error } });
  });

  test('gets the scopes that it names and that trust and client allow', async () => {
    const { body } = await present(await assertion({ scope: 'openid read write admin' }));
    expect(body.scope).toBe('read');
  });

  test('gets a sensitive scope only if the trust names it, and nothing at the admin API', async () => {
    const admin = `${latchkey.issuer}/admin`;
    const wide = await another({ permissions: { [api]: ['*'], [admin]: ['latchkey:user:read'] } });
    const of = (claims: object) => assertion({ ...claims }, {}, wide.issuer);
    expect((await present(await of({ scope: 'read write' }))).body.scope).toBe('read');
    await owner.patch('/clients/assistant', { resources: { [admin]: ['latchkey:user:read'] } });
    const asked = await of({ resource: admin, scope: 'latchkey:user:read' });
    expect(await present(asked)).toMatchObject({ status: 400, body: { error: 'invalid_scope' } });
    const exact = await another({ permissions: { [api]: ['read', 'write'] } });
    expect((await present(await assertion({ scope: 'read write' }, {}, exact.issuer))).body.scope).toBe('read write');
  });

  test('gets what the roles of the user allow, where the API requires roles, and no longer than the trust allows', async () => {
    const { issuer } = await another({ access_token_ttl_seconds: 90, permissions: { [rolesApi]: ['*'] } });
    const asked = () => assertion({ resource: rolesApi, scope: 'plan:read' }, {}, issuer);
    expect((await present(await asked())).body.error).toBe('invalid_scope');
    await owner.post('/roles', { name: 'planner', permissions: [{ resource: rolesApi, pattern: 'plan:*' }] });
    await owner.put('/roles/planner/assignments/user/bob', {});
    const { body } = await present(await asked());
    expect(body).toMatchObject({ expires_in: 90, scope: 'plan:read' });
    await owner.delete('/roles/planner/assignments/user/bob');
    expect(await told(body.access_token)).not.toMatchObject({ scope: 'plan:read' });
  });

  test.each<[what: string, end: (made: Awaited<ReturnType<typeof another>>) => Promise<unknown>]>([
    ['unlinking the account', ({ identity }) => owner.delete(`/users/bob/identities/${identity}`)],
    ['disabling the trust', ({ trust: id }) => owner.post(`/trusts/${id}/disable`)],
    ['disabling the user', () => owner.post('/users/bob/disable')],
    ['a new password of the user', () => owner.post('/users/bob/password', {})],
    ['disabling the client', () => owner.post('/clients/assistant/disable')],
  ])('%s revokes its tokens on both nodes at once, and gets none afterwards', async (_, end) => {
    const made = await another();
    const tokens = [await given(made.issuer), await given(made.issuer, { resource: jwtApi, scope: 'report:read' })];
    for (const token of tokens) expect(await told(token)).toMatchObject({ active: true });
    expect(((await end(made)) as { status: number }).status).toBeLessThan(300);
    for (const node of [latchkey.issuer, other.address])
      for (const token of tokens) expect(await told(token, node)).toEqual({ active: false });
    // Undoing it reactivates none of them.
    await owner.patch('/users/bob', { enabled: true });
    await owner.patch('/clients/assistant', { enabled: true });
    await owner.patch(`/trusts/${made.trust}`, { enabled: true });
    await owner.post('/users/bob/identities', { issuer: made.issuer.issuer, subject });
    for (const token of tokens) expect(await told(token)).toEqual({ active: false });
    expect(await given(made.issuer)).toEqual(expect.any(String));
  });

  test('gets no token for a disabled user, nor with a disabled trust', async () => {
    const { issuer, trust: id } = await another();
    await owner.post('/users/bob/disable');
    expect(await present(await assertion({}, {}, issuer))).toMatchObject({ status: 400, body: refusal });
    await owner.patch('/users/bob', { enabled: true });
    await owner.post(`/trusts/${id}/disable`);
    expect(await present(await assertion({}, {}, issuer))).toMatchObject({ status: 400, body: refusal });
  });

  test('gets less at once when its trust allows less', async () => {
    const { issuer, trust: id } = await another({ permissions: { [api]: ['read', 'write'] } });
    const { access_token } = (await present(await assertion({ scope: 'read write' }, {}, issuer))).body;
    await owner.patch(`/trusts/${id}`, { permissions: { [api]: ['read'] } });
    for (const node of [latchkey.issuer, other.address]) expect((await told(access_token, node)).scope).toBe('read');
  });

  test('gets a token bound to the key that the client proves (RFC 9449 §5)', async () => {
    const { prove, jkt } = await proofsOf();
    const ask = async (headers: Record<string, string>) => {
      const response = await fetch(`${latchkey.issuer}/oauth/token`, {
        method: 'POST',
        headers: { authorization: basic('assistant', clientSecret), ...headers },
        body: new URLSearchParams({ grant_type, assertion: await assertion() }),
      });
      return (await response.json()) as { access_token: string; token_type: string };
    };
    const bound = await ask({ dpop: await prove('POST', `${latchkey.issuer}/oauth/token`) });
    expect(bound.token_type).toBe('DPoP');
    expect(await told(bound.access_token)).toMatchObject({ active: true, token_type: 'DPoP', cnf: { jkt } });
  });

  test('is explained to administrators, without being used up', async () => {
    const explained = async (text: string) =>
      (await owner.post(`/trusts/${trust_id}/explanation`, { assertion: text })).body;
    const text = await assertion();
    expect(await explained(text)).toMatchObject({ accepted: true, client_id: 'assistant', user: 'bob' });
    expect(await present(text)).toMatchObject({ status: 200 });
    const failed = async (claims: Record<string, unknown>) => {
      const { checks } = (await explained(await assertion(claims))) as unknown as {
        checks: { check: string; passed: boolean }[];
      };
      return checks.filter(({ passed }) => passed === false).map(({ check }) => check);
    };
    expect(await failed({ sub: 'nobody', client_id: 'none' })).toEqual(['user', 'client_registered']);
    expect(await failed({ client_id: undefined, aud: 'x' })).toEqual(['audience', 'client']);
  });

  test('is trusted without conditions only from this server', async () => {
    const input = { name: 'x', kind: 'id_jag', issuer: 'https://new.example', jwks: { keys: provider.keys } };
    expect(await owner.post('/trusts', { ...input, audience: 'https://other.example' })).toMatchObject({ status: 400 });
    const plain = await asService(latchkey, owner, { permissions: ['latchkey:trust:write'] });
    expect(await plain.post('/trusts', { ...input, permissions: { [api]: ['read'] } })).toMatchObject({ status: 403 });
  });

  test('is accepted for no user with keys that someone with only the permission to write trusts has set', async () => {
    const issuer = 'https://accounts.example';
    const input = { kind: 'id_jag', issuer, jwks: { keys: provider.keys } };
    const tried = async (permissions: string[]) => {
      const writer = await asService(latchkey, owner, { permissions: ['latchkey:trust:write', ...permissions] });
      const { status, body } = await writer.post('/trusts', { ...input, name: crypto.randomUUID() });
      return `${status} ${body.detail ?? ''}`;
    };
    expect(await tried([])).toMatch(/^403.*latchkey:user:link/);
    expect(await tried(['latchkey:user:link'])).toMatch(/^201/);
    // A user with permissions has an account at the issuer: its keys could sign assertions about them.
    const username = crypto.randomUUID().slice(0, 8);
    await owner.post('/users', { username, password, roles: ['owner'] });
    await owner.post(`/users/${username}/identities`, { issuer, subject: 'root' });
    expect(await tried(['latchkey:user:link'])).toMatch(/^403/);
  });

  test('is about a user who can be linked only by an administrator with all permissions of that user', async () => {
    const linker = await asService(latchkey, owner, { permissions: ['latchkey:user:link', 'latchkey:user:read'] });
    const account = { issuer: provider.issuer, subject: '00u-mallory' };
    expect(await linker.post('/users/alice/identities', account)).toMatchObject({ status: 403 });
    const reader = await asService(latchkey, owner, { permissions: ['latchkey:user:read'] });
    expect(await reader.post('/users/bob/identities', account)).toMatchObject({ status: 403 });
    expect(await linker.post('/users/nobody/identities', account)).toMatchObject({ status: 404 });
    const { status, body } = await linker.post('/users/bob/identities', account);
    expect(status).toBe(201);
    // One account belongs to one user.
    expect(await owner.post('/users/alice/identities', account)).toMatchObject({ status: 409 });
    expect((await reader.get('/users/bob/identities')).body.items).toContainEqual(expect.objectContaining(account));
    expect(await linker.delete(`/users/alice/identities/${body.id}`)).toMatchObject({ status: 404 });
    expect(await linker.delete(`/users/bob/identities/${body.id}`)).toMatchObject({ status: 204 });
    const events = await latchkey.auditEvents('identity.unlinked');
    expect(events.at(-1)).toMatchObject({ details: { identity_id: body.id, issuer: provider.issuer } });
  });
});
