import { pbkdf2Sync } from 'node:crypto';
import { hash } from '@node-rs/argon2';
import { type AdminApi, asOwner } from '../../support/admin.ts';
import { withConfiguration } from '../../support/configuration-file.ts';
import { startLatchkey } from '../../support/latchkey.ts';

const secret = 'seven wild horses';
const salt = Buffer.from('a salt of sixteen');

/** As Keycloak exports it: JSON in texts in JSON. */
const stored = (algorithm: string, hashIterations: number, value: string, additionalParameters = {}, of = salt) => ({
  type: 'password',
  secretData: JSON.stringify({ value, salt: of.toString('base64'), additionalParameters: {} }),
  credentialData: JSON.stringify({ hashIterations, algorithm, additionalParameters }),
});
const pbkdf2 = (algorithm: 'sha256' | 'sha512' | 'sha1', iterations: number) =>
  stored(
    algorithm === 'sha1' ? 'pbkdf2' : `pbkdf2-${algorithm}`,
    iterations,
    pbkdf2Sync(secret, salt, iterations, 64, algorithm).toString('base64'),
  );
const argon2 = async () => {
  const phc = await hash(secret, { algorithm: 2, memoryCost: 7168, timeCost: 5, parallelism: 1 });
  const [, , , , of = '', value = ''] = phc.split('$');
  const more = { hashLength: ['32'], memory: ['7168'], type: ['id'], version: ['1.3'], parallelism: ['1'] };
  return stored('argon2', 5, value, more, Buffer.from(of, 'base64'));
};
const ids = {
  ann: '4f5b0c1e-6d0a-4c57-9d8e-0a4b6f1c2d31',
  ben: '4f5b0c1e-6d0a-4c57-9d8e-0a4b6f1c2d32',
};

const realm = async (more: { takenId?: string } = {}) => ({
  realm: 'acme',
  users: [
    {
      ...{
        id: ids.ann,
        username: 'ann',
        email: 'ann@example.com',
        emailVerified: true,
        firstName: 'Ann',
        lastName: 'Ax',
      },
      ...{
        enabled: true,
        credentials: [await argon2(), { type: 'otp' }],
        realmRoles: ['Sales', 'offline_access', 'owner'],
      },
      ...{ requiredActions: ['CONFIGURE_TOTP'], clientRoles: { account: ['manage-account'], shop: ['buyer'] } },
    },
    {
      ...{ id: ids.ben, username: 'ben@example.com', email: 'ben@example.com', enabled: true },
      ...{ credentials: [pbkdf2('sha256', 27_500)], groups: ['/staff'] },
    },
    { id: more.takenId, username: 'cid', enabled: true, credentials: [pbkdf2('sha512', 210_000)] },
    { username: 'dan', enabled: false, credentials: [pbkdf2('sha1', 20_000)] },
    { username: 'eve', email: 'ALICE@example.com', enabled: true, credentials: [pbkdf2('sha256', 27_500)] },
    { username: 'alice', enabled: true, credentials: [pbkdf2('sha256', 27_500)], realmRoles: ['Sales'] },
    {
      username: 'fay',
      email: 'ann@example.com',
      federationLink: 'ldap',
      federatedIdentities: [{ identityProvider: 'google' }],
    },
    { username: 'service-account-robot', serviceAccountClientId: 'robot', realmRoles: ['default-roles-acme', 'Sales'] },
  ],
  clients: [
    { clientId: 'account', redirectUris: ['/realms/acme/account/*'] },
    {
      ...{ clientId: 'shop', name: 'Shop of Acme', secret: 'a secret of the shop', directAccessGrantsEnabled: true },
      redirectUris: ['https://shop.example/callback', 'https://shop.example/*'],
      webOrigins: ['https://cdn.example'],
      attributes: { 'post.logout.redirect.uris': '+', 'oauth2.device.authorization.grant.enabled': 'true' },
      protocolMappers: [{ name: 'department', protocol: 'openid-connect' }],
    },
    { clientId: 'robot', secret: 'a secret of the robot', standardFlowEnabled: false, serviceAccountsEnabled: true },
    { clientId: 'phone', publicClient: true, redirectUris: ['https://phone.example/callback'] },
    { clientId: 'legacy', protocol: 'saml' },
    { clientId: 'masked', secret: '**********', redirectUris: ['https://masked.example/'] },
    { clientId: 'web-app', secret: 'a secret of another', redirectUris: ['https://evil.example/'] },
  ],
  roles: {
    realm: [
      { name: 'Sales', description: 'Sells' },
      { name: 'sales' },
      { name: 'default-roles-acme', composite: true, composites: { realm: ['Sales', 'offline_access'] } },
      { name: 'owner' },
    ],
    client: { account: [{ name: 'view-profile' }], shop: [{ name: 'buyer' }] },
  },
  groups: [{ name: 'staff' }],
  identityProviders: [{ alias: 'google' }],
  authenticationFlows: [{ alias: 'browser', builtIn: true }, { alias: 'browser with cards' }],
  clientScopes: [{ name: 'profile' }, { name: 'employee' }],
  passwordPolicy: 'length(12)',
  smtpServer: { host: 'mail.example' },
});

describe('importing a realm of Keycloak', () => {
  const latchkey = startLatchkey();
  let owner: AdminApi;
  beforeAll(async () => {
    owner = await asOwner(latchkey);
  });

  type Result = { dry_run: boolean; changes: { kind: string; id: string }[]; unmatched: Record<string, string>[] };
  const run = async (content: unknown, ...options: string[]) =>
    withConfiguration(content, (file) =>
      latchkey.commandJson(['import', 'keycloak', file, ...options]),
    ) as Promise<unknown> as Promise<Result>;
  const letsIn = async (login: string) => {
    const browser = latchkey.browser();
    const page = await browser.submit(await browser.get('/sign-in'), { login, password: secret }, '/sign-in');
    return new URL(page.url).pathname === '/account';
  };
  const idOf = async (name: string) => (await owner.get(`/users/${name}`)).body.id;

  test('only tells what it would do, unless it is told to do it', async () => {
    const planned = await run(await realm());
    expect(planned.dry_run).toBe(true);
    expect(planned.changes.map(({ kind, id }) => `${kind} ${id}`)).toEqual(
      expect.arrayContaining(['role sales', 'client shop', 'client robot', 'client phone', 'user ann', 'user ben']),
    );
    expect((await owner.get('/users/ann')).status).toBe(404);
    expect((await owner.get('/clients/shop')).status).toBe(404);
  });

  test('brings users with their ids and passwords, clients and roles, and leaves what is here', async () => {
    const alice = (await owner.get('/users/alice')).body;
    const { unmatched, changes } = await run(await realm({ takenId: String(alice.id) }), '--apply');
    expect(JSON.stringify(changes)).not.toContain(secret);
    const user = async (name: string) => (await owner.get(`/users/${name}`)).body;
    expect(await user('ann')).toMatchObject({
      ...{ id: ids.ann, name: 'Ann Ax', email: 'ann@example.com', email_verified: true, email_verified_by: 'import' },
      roles: ['sales'],
    });
    expect(await user('ben')).toMatchObject({
      id: ids.ben,
      email: 'ben@example.com',
      email_verified: false,
      roles: [],
    });
    expect(await user('dan')).toMatchObject({ enabled: false, has_password: false });
    expect(await idOf('cid')).not.toBe(alice.id);
    expect(await user('alice')).toEqual(alice);
    for (const name of ['eve', 'service-account-robot']) expect((await owner.get(`/users/${name}`)).status).toBe(404);
    for (const login of ['ann', 'ann@example.com', 'ben@example.com', 'cid']) expect(await letsIn(login)).toBe(true);
    expect(await letsIn('dan')).toBe(false);

    expect(await latchkey.isLetIn('shop', 'a secret of the shop')).toBe(true);
    expect((await owner.get('/clients/shop')).body).toMatchObject({
      ...{ client_name: 'Shop of Acme', redirect_uris: ['https://shop.example/callback'], resources: {} },
    });
    expect((await owner.get('/clients/phone')).body).toMatchObject({ token_endpoint_auth_method: 'none' });
    expect((await owner.get('/clients/web-app')).body.redirect_uris).not.toContain('https://evil.example/');
    for (const client of ['account', 'legacy', 'masked'])
      expect((await owner.get(`/clients/${client}`)).status).toBe(404);
    expect((await owner.get('/roles/sales')).body).toMatchObject({ description: 'Sells', permissions: [] });

    const problems = unmatched.map(({ kind, name, problem }) => `${kind} ${name}: ${problem}`);
    for (const pattern of [
      /^user dan: password hash: no counterpart of the algorithm pbkdf2; they choose a new password/,
      /^user eve: not imported: a user with this e-mail address exists/,
      /^user alice: not imported: a user of this name exists/,
      /^user cid: gets another sub/,
      /^user ben@example.com: gets the username ben/,
      /^user ben@example.com: not imported: groups/,
      /^user ann: not imported: sign-in methods \(otp\)/,
      /^client shop: redirect URI https:\/\/shop\.example\/\*/,
      /^client shop: the password grant/,
      /^client legacy: .*saml/,
      /^client masked: .*no secret/,
      /^client web-app: not imported/,
      /^role owner: not imported/,
      /^realm groups: 1 groups/,
      /^realm identity providers: 1/,
      /^user ann: not imported: .*roles \(owner\), roles of clients \(shop\), required actions \(CONFIGURE_TOTP\)/,
      /^user fay: gets no e-mail address: another user of the file has it/,
      /^user fay: not imported: linked identities/,
      /^user fay: the password is in another directory/,
      /^client shop: not imported: CORS origins \(https:\/\/cdn\.example\), redirect URIs after sign-out, the device grant, protocol mappers/,
      /^client robot: not imported: the roles of its service account \(Sales\)/,
      /^role sales: not imported: a role of this name exists/,
      /^role default-roles-acme: every user has Sales by it/,
      /^realm client roles: client roles of \(shop\)/,
      /^realm settings: not imported: sign-in flows \(browser with cards\), client scopes \(employee\), the password policy, the mail server/,
    ])
      expect(problems).toContainEqual(expect.stringMatching(pattern));

    const again = await run(await realm(), '--apply');
    expect(again.changes).toEqual([]);
  });

  test('is refused for what is no realm', async () => {
    const result = await withConfiguration({ users: [] }, (file) => latchkey.command(['import', 'keycloak', file]));
    expect(result).toMatchObject({ code: 2, stderr: expect.stringContaining('not a realm') });
    const told = async (content: unknown) =>
      (await withConfiguration(content, (file) => latchkey.command(['import', 'keycloak', file]))).stderr;
    expect(await told([{ realm: 'one' }, { realm: 'two' }])).toContain('several realms');
    expect(await told({ realm: 'acme', users: [{ username: 'ann', enabled: 'yes' }] })).toContain('users.0.enabled');
  });
});
