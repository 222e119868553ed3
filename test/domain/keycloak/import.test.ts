import { pbkdf2Sync } from 'node:crypto';
import { hash } from '@node-rs/argon2';
import { generateSync, ScureBase32Plugin } from 'otplib';
import { type AdminApi, asOwner } from '../../support/admin.ts';
import { withConfiguration } from '../../support/configuration-file.ts';
import { startLatchkey } from '../../support/latchkey.ts';

const secret = 'seven wild horses';
const salt = Buffer.from('a salt of sixteen');

/** In the format of Keycloak's exports: JSON in strings in JSON. */
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
/** In the format of Keycloak's exports: the secret is a text, and the app has its Base32 form. */
const app = (value: string | undefined, more: Record<string, unknown> = {}) => ({
  type: 'otp',
  ...(value && { secretData: JSON.stringify({ value }) }),
  credentialData: JSON.stringify({
    subType: 'totp',
    digits: 6,
    counter: 0,
    period: 30,
    algorithm: 'HmacSHA1',
    ...more,
  }),
});
const encodedSecret = 'DJMQFC73VGFHW7D4QJ2AONSWG4TFOQ2A';
const appSecret = 'DJmQfC73VGFhw7D4QJ8A';
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
        credentials: [await argon2(), { type: 'webauthn' }, app(undefined)],
        realmRoles: ['Sales', 'offline_access', 'owner'],
      },
      ...{ requiredActions: ['CONFIGURE_TOTP'], clientRoles: { account: ['manage-account'], shop: ['buyer'] } },
    },
    {
      ...{ id: ids.ben, username: 'ben@example.com', email: 'ben@example.com', enabled: true },
      ...{ credentials: [pbkdf2('sha256', 27_500)], groups: ['/staff/team'] },
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
    {
      ...{
        username: 'gus',
        credentials: [pbkdf2('sha256', 27_500), app(appSecret), app(`${appSecret}2`), app('too short')],
      },
      ...{ realmRoles: ['default-roles-acme'], email: 'gus@localhost' },
    },
    {
      ...{ username: 'hal', email: 'hal@example.com', emailVerified: true },
      credentials: [
        pbkdf2('sha256', 27_500),
        app(appSecret, { subType: 'hotp' }),
        app(`${encodedSecret}======`, { secretEncoding: 'BASE32', digits: 8, period: 60, algorithm: 'HmacSHA256' }),
      ],
      federatedIdentities: [
        { identityProvider: 'github', userId: '4711', userName: 'hal' },
        { identityProvider: 'corp', userId: 'hal@corp' },
        { identityProvider: 'facebook', userId: '1' },
      ],
    },
    {
      ...{ username: 'ira', email: 'ira@example.com', emailVerified: true },
      ...{ credentials: [pbkdf2('sha256', 27_500)], requiredActions: ['UPDATE_PASSWORD', 'VERIFY_EMAIL'] },
      federatedIdentities: [{ identityProvider: 'github', userId: '4711' }],
    },
    {
      username: 'jo',
      credentials: [
        {
          ...{ type: 'password', algorithm: 'pbkdf2-sha256', hashIterations: 27_500, salt: salt.toString('base64') },
          hashedSaltedValue: pbkdf2Sync(secret, salt, 27_500, 64, 'sha256').toString('base64'),
        },
      ],
    },
    { username: 'kim', credentials: [{ type: 'password', value: secret }] },
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
    { clientId: 'native', publicClient: true, redirectUris: ['com.example.app:/callback'] },
    { clientId: 'odd', secret: 'a secret of the odd', redirectUris: ['http://far.example/callback'] },
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
      { name: 'lead', composite: true, composites: { realm: ['member'], client: { shop: ['buyer'] } } },
      { name: 'member' },
    ],
    client: { account: [{ name: 'view-profile' }], shop: [{ name: 'buyer' }] },
  },
  groups: [
    { name: 'staff', realmRoles: ['Sales'], subGroups: [{ name: 'team', path: '/staff/team', realmRoles: ['lead'] }] },
  ],
  identityProviders: [
    { alias: 'google', providerId: 'google' },
    { alias: 'github', providerId: 'github' },
    { alias: 'corp', providerId: 'oidc', config: { issuer: 'https://idp.corp.example' } },
    { alias: 'facebook', providerId: 'facebook' },
  ],
  bruteForceProtected: true,
  authenticationFlows: [{ alias: 'browser', builtIn: true }, { alias: 'browser with cards' }],
  clientScopes: [{ name: 'profile' }, { name: 'employee' }],
  passwordPolicy: 'length(12)',
  smtpServer: { host: 'mail.example' },
});

describe('importing a Keycloak realm', () => {
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
  const letsIn = async (login: string, code?: string) => {
    const browser = latchkey.browser();
    let page = await browser.submit(await browser.get('/sign-in'), { login, password: secret }, '/sign-in');
    if (code !== undefined) page = await browser.submit(page, { code }, '/sign-in');
    return new URL(page.url).pathname === '/account';
  };
  const idOf = async (name: string) => (await owner.get(`/users/${name}`)).body.id;

  test('only reports what it would do, unless it is told to import', async () => {
    const planned = await run(await realm());
    expect(planned.dry_run).toBe(true);
    expect(planned.changes.map(({ kind, id }) => `${kind} ${id}`)).toEqual(
      expect.arrayContaining(['role sales', 'client shop', 'client robot', 'client phone', 'user ann', 'user ben']),
    );
    expect((await owner.get('/users/ann')).status).toBe(404);
    expect((await owner.get('/clients/shop')).status).toBe(404);
  });

  test('imports users with their ids and passwords, clients and roles, and changes no existing record', async () => {
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
      roles: ['lead', 'member', 'sales'],
    });
    expect(await user('dan')).toMatchObject({ enabled: false, has_password: false });
    expect(await idOf('cid')).not.toBe(alice.id);
    expect(await user('alice')).toEqual(alice);
    for (const name of ['eve', 'service-account-robot']) expect((await owner.get(`/users/${name}`)).status).toBe(404);
    for (const login of ['ann', 'ann@example.com', 'ben@example.com', 'cid', 'jo'])
      expect(await letsIn(login)).toBe(true);
    for (const login of ['dan', 'gus', 'hal', 'ira', 'kim']) expect(await letsIn(login)).toBe(false);
    expect(await user('gus')).toMatchObject({ email: null, roles: ['sales'] });
    expect(await user('ira')).toMatchObject({ has_password: false, email_verified: false });
    const base32 = new ScureBase32Plugin().encode(Buffer.from(appSecret));
    const epoch = latchkey.seconds;
    expect(await letsIn('gus', generateSync({ secret: base32, epoch }))).toBe(true);
    const other = { digits: 8, period: 60, algorithm: 'sha256' } as const;
    const code = generateSync({ secret: encodedSecret, epoch, ...other });
    expect([await letsIn('hal', code), await letsIn('hal', code)]).toEqual([true, false]);
    const accounts = async (name: string) =>
      ((await owner.get(`/users/${name}/identities`)).body.items as { issuer: string; subject: string }[]).map(
        ({ issuer, subject }) => `${issuer} ${subject}`,
      );
    expect(await accounts('hal')).toEqual(['https://github.com 4711', 'https://idp.corp.example hal@corp']);
    expect(await accounts('ira')).toEqual([]);
    expect((await owner.get('/clients/native')).body).toMatchObject({ application_type: 'native' });
    expect((await owner.get('/clients/odd')).status).toBe(404);

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
      /^user ben@example.com: not imported: groups, but for their realm roles \(\/staff\/team\)/,
      /^user ann: not imported: sign-in methods \(webauthn\), an authenticator app without its secret/,
      /^user gus: gets no e-mail address: gus@localhost is none/,
      /^user gus: not imported: another authenticator app .*too short/,
      /^user hal: not imported: .*HOTP.*, linked accounts \(facebook\)/,
      /^user ira: the password was temporary \(UPDATE_PASSWORD\); they choose a new password/,
      /^user ira: not imported: linked accounts \(github: another user has this account\), required actions/,
      /^user kim: the file has the password in plain text; they choose/,
      /^client odd: not imported: .*https:/,
      /^role lead: does not contain other roles here/,
      /^role lead: the roles of clients that it contains/,
      /^client shop: redirect URI https:\/\/shop\.example\/\*/,
      /^client shop: the password grant/,
      /^client legacy: .*saml/,
      /^client masked: .*no secret/,
      /^client web-app: not imported/,
      /^role owner: not imported/,
      /^realm groups: 1 groups/,
      /^realm identity providers: 4/,
      /^user ann: not imported: .*roles \(owner\), roles of clients \(shop\), required actions \(CONFIGURE_TOTP\)/,
      /^user fay: gets no e-mail address: another user of the file has it/,
      /^user fay: not imported: linked accounts \(google\)/,
      /^user fay: the password is in another directory/,
      /^client shop: not imported: CORS origins \(https:\/\/cdn\.example\), redirect URIs after sign-out, the device grant, protocol mappers/,
      /^client robot: not imported: the roles of its service account \(Sales\)/,
      /^role sales: not imported: a role of this name exists/,
      /^role default-roles-acme: new users do not get Sales/,
      /^realm client roles: client roles of \(shop\)/,
      /^realm settings: not imported: sign-in flows \(browser with cards\), client scopes \(employee\), brute force detection .*, the password policy, the mail server/,
    ])
      expect(problems).toContainEqual(expect.stringMatching(pattern));

    const again = await run(await realm(), '--apply');
    expect(again.changes).toEqual([]);
  });

  test('is refused for a file that is not a realm', async () => {
    const result = await withConfiguration({ users: [] }, (file) => latchkey.command(['import', 'keycloak', file]));
    expect(result).toMatchObject({ code: 2, stderr: expect.stringContaining('not a realm') });
    const told = async (content: unknown) =>
      (await withConfiguration(content, (file) => latchkey.command(['import', 'keycloak', file]))).stderr;
    expect(await told([{ realm: 'one' }, { realm: 'two' }])).toContain('several realms');
    expect(await told({ realm: 'acme', users: [{ username: 'ann', enabled: 'yes' }] })).toContain('users.0.enabled');
  });
});
