import { generateKeyPairSync, randomUUID } from 'node:crypto';
import { pageRouter } from '../../../src/entrypoints/pages/index.ts';
import { type AdminApi, asOwner } from '../../support/admin.ts';
import { type ConsoleBrowser, consoleAs, wordsOf } from '../../support/console.ts';
import { api, password } from '../../support/installation.ts';
import { startLatchkey } from '../../support/latchkey.ts';
import { MailServer } from '../../support/mail-server.ts';
import type { Page } from '../../support/user-agent.ts';

/** Sample records that the table refers to, one of each kind. */
type Samples = {
  webhook: string;
  consent: string;
  grant: string;
  key: string;
  ownKey: string;
  session: string;
  secret: string;
  trust: string;
  provider: string;
  identity: string;
  passkey: string;
  browser: string;
};
const server = encodeURIComponent(api);

/**
 * Every form of the console and the account. `asks`: it grants or removes permissions, changes how someone signs in, or shows a secret, so
 * it requires a fresh proof (ASVS 5.0 §7.5.1, §7.5.3). Otherwise: why it does not.
 */
const forms: Record<string, { asks: (samples: Samples) => string } | { asksNothing: string }> = {
  '/console/new-client': { asks: () => '/console/new-client' },
  '/console/clients/:client_id/change': { asks: () => '/console/clients/spa/change' },
  '/console/clients/:client_id/secrets/add': { asks: () => '/console/clients/service/secrets/add' },
  '/console/clients/:client_id/secrets/rotate': { asks: () => '/console/clients/service/secrets/rotate' },
  '/console/clients/:client_id/secrets/:secret_id/revoke': {
    asks: ({ secret }) => `/console/clients/service/secrets/${secret}/revoke`,
  },
  '/console/clients/:client_id/disable': { asks: () => '/console/clients/spa/disable' },
  '/console/clients/:client_id/enable': { asks: () => '/console/clients/spa/enable' },
  '/console/clients/:client_id/revoke': { asks: () => '/console/clients/spa/revoke' },
  '/console/clients/:subject/roles/assign': { asks: () => '/console/clients/service/roles/assign' },
  '/console/clients/:subject/roles/:role/remove': { asks: () => '/console/clients/service/roles/auditor/remove' },
  '/console/new-api': { asks: () => '/console/new-api' },
  '/console/apis/:identifier/change': { asks: () => `/console/apis/${server}/change` },
  '/console/apis/:identifier/scopes/add': { asks: () => `/console/apis/${server}/scopes/add` },
  '/console/apis/:identifier/scopes/:scope/change': { asks: () => `/console/apis/${server}/scopes/read/change` },
  '/console/apis/:identifier/scopes/:scope/remove': { asks: () => `/console/apis/${server}/scopes/read/remove` },
  '/console/apis/:identifier/disable': { asks: () => `/console/apis/${server}/disable` },
  '/console/apis/:identifier/enable': { asks: () => `/console/apis/${server}/enable` },
  '/console/apis/:identifier/revoke': { asks: () => `/console/apis/${server}/revoke` },
  '/console/new-api-key': { asks: () => '/console/new-api-key' },
  '/console/api-keys/:key_id/change': { asks: ({ key }) => `/console/api-keys/${key}/change` },
  '/console/api-keys/:key_id/rotate': { asks: ({ key }) => `/console/api-keys/${key}/rotate` },
  '/console/api-keys/:key_id/disable': { asks: ({ key }) => `/console/api-keys/${key}/disable` },
  '/console/api-keys/:key_id/enable': { asks: ({ key }) => `/console/api-keys/${key}/enable` },
  '/console/api-keys/:key_id/revoke': { asks: ({ key }) => `/console/api-keys/${key}/revoke` },
  '/console/credentials/:kind/:id/revoke': { asks: ({ key }) => `/console/credentials/api_key/${key}/revoke` },
  '/console/audit-log/export': { asks: () => '/console/audit-log/export' },
  '/console/new-webhook': { asks: () => '/console/new-webhook' },
  '/console/webhooks/:webhook_id/change': { asks: ({ webhook }) => `/console/webhooks/${webhook}/change` },
  '/console/webhooks/:webhook_id/rotate-secret': {
    asks: ({ webhook }) => `/console/webhooks/${webhook}/rotate-secret`,
  },
  '/console/webhooks/:webhook_id/test': { asks: ({ webhook }) => `/console/webhooks/${webhook}/test` },
  '/console/webhooks/:webhook_id/redeliver': { asks: ({ webhook }) => `/console/webhooks/${webhook}/redeliver` },
  '/console/webhooks/:webhook_id/disable': { asks: ({ webhook }) => `/console/webhooks/${webhook}/disable` },
  '/console/webhooks/:webhook_id/enable': { asks: ({ webhook }) => `/console/webhooks/${webhook}/enable` },
  '/console/webhooks/:webhook_id/delete': { asks: ({ webhook }) => `/console/webhooks/${webhook}/delete` },
  '/console/webhooks/:webhook_id/deliveries/:delivery_id/redeliver': {
    asks: ({ webhook }) => `/console/webhooks/${webhook}/deliveries/${webhook}/redeliver`,
  },
  '/console/new-user': { asks: () => '/console/new-user' },
  '/console/users/:subject/change': { asks: () => '/console/users/bob/change' },
  '/console/users/:subject/password-link': { asks: () => '/console/users/bob/password-link' },
  '/console/users/:subject/password': { asks: () => '/console/users/bob/password' },
  '/console/users/:subject/enrolment-link': { asks: () => '/console/users/bob/enrolment-link' },
  '/console/users/:subject/reset-factors': { asks: () => '/console/users/bob/reset-factors' },
  '/console/users/:subject/sessions/:session_id/revoke': {
    asks: ({ session }) => `/console/users/bob/sessions/${session}/revoke`,
  },
  '/console/users/:subject/verify-email': { asks: () => '/console/users/bob/verify-email' },
  '/console/users/:subject/unverify-email': { asks: () => '/console/users/bob/unverify-email' },
  '/console/users/:subject/disable': { asks: () => '/console/users/bob/disable' },
  '/console/users/:subject/enable': { asks: () => '/console/users/bob/enable' },
  '/console/users/:subject/revoke': { asks: () => '/console/users/bob/revoke' },
  '/console/users/:subject/roles/assign': { asks: () => '/console/users/bob/roles/assign' },
  '/console/users/:subject/roles/:role/remove': { asks: () => '/console/users/bob/roles/auditor/remove' },
  '/console/new-role': { asks: () => '/console/new-role' },
  '/console/roles/:role/change': { asks: () => '/console/roles/sample/change' },
  '/console/roles/:role/delete': { asks: () => '/console/roles/sample/delete' },
  '/console/consents/:consent_id/revoke': { asks: ({ consent }) => `/console/consents/${consent}/revoke` },
  '/console/grants/:grant_id/revoke': { asks: ({ grant }) => `/console/grants/${grant}/revoke` },
  '/console/new-trust': { asks: () => '/console/new-trust' },
  '/console/new-identity-provider': { asks: () => '/console/new-identity-provider' },
  '/console/trusts/:trust_id/change': { asks: ({ trust }) => `/console/trusts/${trust}/change` },
  '/console/trusts/:trust_id/disable': { asks: ({ trust }) => `/console/trusts/${trust}/disable` },
  '/console/trusts/:trust_id/enable': { asks: ({ trust }) => `/console/trusts/${trust}/enable` },
  '/console/trusts/:trust_id/workloads/:client_id/delete': {
    asks: ({ trust }) => `/console/trusts/${trust}/workloads/job/delete`,
  },
  '/console/users/:subject/identities/link': { asks: () => '/console/users/bob/identities/link' },
  '/console/users/:subject/identities/:identity_id/unlink': {
    asks: ({ passkey }) => `/console/users/bob/identities/${passkey}/unlink`,
  },
  '/console/trusts/:trust_id/explain': { asks: ({ trust }) => `/console/trusts/${trust}/explain` },
  '/console/new-secret': { asks: () => '/console/new-secret' },
  '/console/register-credential': { asks: () => '/console/register-credential' },
  '/console/generate-secret': { asks: () => '/console/generate-secret' },
  '/console/find-secret': { asks: () => '/console/find-secret' },
  '/console/secrets/:path/reveal': { asks: () => '/console/secrets/sample%2Fa/reveal' },
  '/console/secrets/:path/new-version': { asks: () => '/console/secrets/sample%2Fa/new-version' },
  '/console/secrets/:path/generate': { asks: () => '/console/secrets/sample%2Fa/generate' },
  '/console/secrets/:path/replaced': { asks: () => '/console/secrets/sample%2Fa/replaced' },
  '/console/secrets/:path/change': { asks: () => '/console/secrets/sample%2Fa/change' },
  '/console/secrets/:path/versions/:number/delete': { asks: () => '/console/secrets/sample%2Fa/versions/1/delete' },
  '/console/secrets/:path/versions/:number/undelete': { asks: () => '/console/secrets/sample%2Fa/versions/1/undelete' },
  '/console/secrets/:path/versions/:number/destroy': { asks: () => '/console/secrets/sample%2Fa/versions/1/destroy' },
  '/console/secrets/:path/versions/:number/rollback': { asks: () => '/console/secrets/sample%2Fa/versions/1/rollback' },
  '/console/secrets/:path/delete': { asks: () => '/console/secrets/sample%2Fa/delete' },
  '/console/vault/rotate': { asks: () => '/console/vault/rotate' },
  '/console/vault/seal': { asks: () => '/console/vault/seal' },
  '/console/vault/unseal': { asks: () => '/console/vault/unseal' },
  '/console/rotate-key': { asks: () => '/console/rotate-key' },
  '/account/keys/new': { asks: () => '/account/keys/new' },
  '/account/keys/:key_id/change': { asks: ({ ownKey }) => `/account/keys/${ownKey}/change` },
  '/account/keys/:key_id/rotate': { asks: ({ ownKey }) => `/account/keys/${ownKey}/rotate` },
  '/account/keys/:key_id/disable': { asks: ({ ownKey }) => `/account/keys/${ownKey}/disable` },
  '/account/keys/:key_id/enable': { asks: ({ ownKey }) => `/account/keys/${ownKey}/enable` },
  '/account/keys/:key_id/revoke': { asks: ({ ownKey }) => `/account/keys/${ownKey}/revoke` },
  '/account/security/app/new': { asks: () => '/account/security/app/new' },
  '/account/security/app/remove': { asks: () => '/account/security/app/remove' },
  '/account/security/passkeys/new': { asks: () => '/account/security/passkeys/new' },
  '/account/security/passkeys/:id/rename': { asks: ({ passkey }) => `/account/security/passkeys/${passkey}/rename` },
  '/account/security/browsers/:browser_id/forget': {
    asks: ({ browser }) => `/account/security/browsers/${browser}/forget`,
  },
  '/account/security/passkeys/:id/remove': { asks: ({ passkey }) => `/account/security/passkeys/${passkey}/remove` },
  '/account/security/providers/:trust_id/connect': {
    asks: ({ provider }) => `/account/security/providers/${provider}/connect`,
  },
  '/account/security/providers/:identity_id/disconnect': {
    asks: ({ identity }) => `/account/security/providers/${identity}/disconnect`,
  },
  '/account/security/recovery-codes/new': { asks: () => '/account/security/recovery-codes/new' },
  '/console/first-steps/hide': { asksNothing: 'it changes what the person sees, and nothing else' },
  '/console/first-steps/show': { asksNothing: 'it changes what the person sees, and nothing else' },
  '/account/password': { asksNothing: 'it asks for the present password in its own form, each time' },
  '/account/apps/:consent_id/revoke-access': {
    asksNothing: 'it only takes away, from an app, and a victim of theft needs it',
  },
  '/account/sessions/sign-out-others': { asksNothing: 'it only ends sessions, and a victim of theft needs it' },
  '/account/sessions/:uid/sign-out': { asksNothing: 'it only ends a session, and a victim of theft needs it' },
  '/account/data': { asksNothing: 'it holds nothing that the account pages do not show, and no secret' },
  '/account/language': { asksNothing: 'it changes the language of mail to the person, and nothing else' },
  '/sign-in': { asksNothing: 'it is the proof' },
  '/console/settings/sign-in-policy': { asks: () => '/console/settings/sign-in-policy' },
  '/console/settings/test-mail': { asks: () => '/console/settings/test-mail' },
  '/account/email': { asks: () => '/account/email' },
  '/account/delete': { asks: () => '/account/delete' },
  '/account/email/confirm/:secret': { asksNothing: 'the request for the change asked; a one-time secret is the proof' },
  '/undo-email-change/:secret': { asksNothing: 'a one-time secret is the proof, and a victim of theft needs it' },
  '/sign-in/backchannel-logout/:trust_id': { asksNothing: 'the signed token of a provider is the proof' },
  '/forgot-password': { asksNothing: 'it mails a link to the account, and changes nothing' },
  '/setup/:secret': { asksNothing: 'a one-time secret is the proof' },
  '/second-factor/:secret': { asksNothing: 'a one-time secret and the password are the proof' },
  '/password/:secret': { asksNothing: 'a one-time secret is the proof' },
  '/interaction/:uid/sign-in': { asksNothing: 'it is the proof' },
  '/interaction/:uid/switch-account': { asksNothing: 'it leads to the proof' },
  '/interaction/:uid/select-account': {
    asksNothing: 'it goes on with who is signed in, or leads to the proof; an app decides how fresh a sign-in must be',
  },
  '/interaction/:uid/consent': {
    asksNothing:
      'permissions of Latchkey or of secrets need a fresh sign-in before; otherwise an app decides (max_age, OIDC Core §3.1.2.1)',
  },
};

const registered = pageRouter({
  config: { apiKeyEnvironments: ['dev'] },
  admin: { deps: { credentialKinds: [] } },
} as never)
  .stack.filter(({ methods }) => methods.some((method) => !['GET', 'HEAD'].includes(method)))
  .map(({ path }) => String(path));
const asking = Object.entries(forms).flatMap(([path, form]) => ('asks' in form ? [[path, form.asks] as const] : []));

describe('a form of the console or the account', () => {
  let mail: MailServer;
  const latchkey = startLatchkey({
    prepare: async () => {
      mail = await MailServer.open();
      return { env: mail.settings };
    },
  });
  afterAll(() => mail.close());
  let owner: AdminApi;
  let samples: Samples;
  let alice: ConsoleBrowser;

  beforeAll(async () => {
    owner = await asOwner(latchkey);
    alice = await consoleAs(latchkey);
    await latchkey.tokens({}, latchkey.browser(), 'bob');
    await owner.post('/roles', { name: 'sample', permissions: [{ pattern: 'read', resource: api }] });
    await owner.put('/roles/auditor/assignments/user/bob', {});
    await owner.put('/roles/auditor/assignments/client/service', {});
    await owner.post('/secrets/sample%2Fa/versions', { data: { n: 1 } });
    const idIn = async (path: string, name: string) => String((await owner.get(path)).body.items[0]?.[name]);
    const keyOf = async (user: string) =>
      String((await owner.post('/api-keys', { name: 'a key', owner: { user }, environment: 'dev' })).body.id);
    const jwk = generateKeyPairSync('ec', { namedCurve: 'P-256' }).publicKey.export({ format: 'jwk' });
    const trust = {
      ...{ name: 'platform', issuer: 'https://platform.example', jwks: { keys: [jwk] } },
      conditions: [{ claim: 'sub', equals: 'job' }],
      permissions: { [api]: ['read'] },
    };
    const idp = { name: 'idp', kind: 'login', issuer: 'https://idp.example', login: { client_id: 'latchkey' } };
    const linked = { issuer: idp.issuer, subject: 'alice' };
    const hook = { url: 'https://hooks.example/events', events: ['role.created'] };
    samples = {
      passkey: randomUUID(),
      browser: randomUUID(),
      trust: String((await owner.post('/trusts', trust)).body.id),
      provider: String((await owner.post('/trusts', idp)).body.id),
      identity: String((await owner.post('/users/alice/identities', linked)).body.id),
      webhook: String((await owner.post('/webhooks', hook)).body.id),
      consent: await idIn('/consents?user=bob', 'consent_id'),
      grant: await idIn('/grants?user=bob', 'id'),
      session: await idIn('/users/bob/sessions', 'session_id'),
      secret: await idIn('/clients/service/secrets', 'id'),
      key: await keyOf('bob'),
      ownKey: await keyOf('alice'),
    };
    await owner.patch('/sign-in-policy', { remember_browser_days: 30 });
    const resources = { [`${latchkey.issuer}/admin`]: ['latchkey:user:read', 'latchkey:role:read'], [api]: ['read'] };
    const { client_id, redirect_uri } = adminApp;
    await owner.post('/clients', { client_id, redirect_uris: [redirect_uri], resources });
    await latchkey.advance(10 * 60 + 1);
  });

  const adminApp = { client_id: 'admin-app', redirect_uri: 'https://app.example/callback' };
  const csrf = async () => {
    const { html } = await alice.agent.get('/account/password');
    return /name="csrf" value="([^"]*)"/.exec(html)?.[1] ?? '';
  };
  const send = async (path: string, fields: Record<string, string> = {}) =>
    alice.agent.post(path, new URLSearchParams({ csrf: await csrf(), ...fields }));
  const changes = async () => {
    const { rows } = await latchkey.database.query(
      `select count(*)::int as n from audit_events where action not in ('session.refused', 'session.started', 'secret.described')`,
    );
    return rows[0].n;
  };

  /** A passkey and an authenticator app of alice, and a browser in which she skips them. */
  const addFactors = async ({ passkey, browser }: Samples) => {
    await latchkey.database.query(
      `insert into remembered_browsers (id, user_id, user_epoch, digest, created_at, last_used_at, expires_at)
        select $1, id, epoch, 'digest', latchkey_now(), latchkey_now(), latchkey_now() + interval '1 day' from users where username = 'alice'`,
      [browser],
    );
    await latchkey.database.query(
      `insert into factors (id, user_id, kind, name, passkey_id, public_key, sign_count, is_backed_up, created_at)
        select $1, id, 'passkey', 'Laptop', 'id', 'key', 0, false, now() from users where username = 'alice'`,
      [passkey],
    );
    await latchkey.database.query(
      `insert into factors (id, user_id, kind, key_id, sealed, created_at)
        select $1, id, 'totp', (select min(id) from server_keys), 'sealed', now() from users where username = 'alice'`,
      [randomUUID()],
    );
  };

  test('is in the table of what requires a fresh proof, and so is every other form', () => {
    expect(Object.keys(forms).toSorted()).toEqual([...new Set(registered)].toSorted());
  });

  test.each(asking)('%s does nothing without a fresh proof', async (_, pathOf) => {
    const path = pathOf(samples);
    const before = await changes();
    const isOfFactors = path.startsWith('/account/security/');
    if (isOfFactors) await addFactors(samples);
    for (const answer of [await send(path, filled), await send(path, { ...filled, password_again: 'a guess' })]) {
      expect({ path, status: answer.status }).toEqual({ path, status: 422 });
      expect(answer.html).toContain(isOfFactors ? 'name="code"' : 'name="password_again"');
      await latchkey.database.query('delete from throttles');
    }
    expect((await alice.agent.get(path)).html).toContain(isOfFactors ? 'name="code"' : 'name="password_again"');
    expect(await changes()).toBe(before);
    if (isOfFactors) await latchkey.database.query('delete from factors; delete from remembered_browsers');
  });

  test.each([
    ['giving the owner role', '/users/bob/roles/assign', { role: 'owner' }, 'role.assigned'],
    ['changing the e-mail address of another user', '/users/bob/change', { email: 'b@example.com' }, 'user.updated'],
    ['changing one’s own', '/users/alice/change', { email: 'a@example.com' }, 'user.updated'],
    ['making a role', '/new-role', { name: 'made', permissions: `read at ${api}` }, 'role.created'],
    ['changing a role', '/roles/sample/change', { permissions: `read at ${api}` }, 'role.updated'],
    ['registering an API', '/new-api', { identifier: 'https://new.example', name: 'New' }, 'resource_server.created'],
    ['enabling a user', '/users/bob/enable', {}, 'user.updated'],
  ])('%s works with a fresh proof, which is accepted for ten minutes', async (_, path, fields, action) => {
    if (path.endsWith('/enable'))
      await latchkey.database.query("update users set enabled = false where username = 'bob'");
    const count = async () => (await latchkey.auditEvents(action)).length;
    const before = await count();
    await latchkey.advance(10 * 60 + 1);
    expect((await alice.act(path, fields)).status).toBe(422);
    expect(await count()).toBe(before);
    expect((await alice.act(path, { ...fields, password_again: password })).status).toBe(200);
    expect(await count()).toBe(before + 1);
    await latchkey.advance(9 * 60);
    expect((await alice.get('/clients/spa/disable')).html).not.toContain('name="password_again"');
    expect((await latchkey.auditEvents('session.confirmed')).at(-1)).toMatchObject({ details: { amr: ['pwd'] } });
  });

  test('does not accept a late consent as a fresh proof', async () => {
    const agent = latchkey.browser();
    const sign = await agent.get(latchkey.authorizeUrl({ prompt: 'consent' }));
    const consent = await agent.submit(sign, { login: 'alice', password }, '/sign-in');
    await latchkey.advance(20 * 60);
    const end = await agent.submit(consent, { decision: 'allow' }, '/consent');
    expect(new URL(end.url).searchParams.get('code')).toMatch(/^lk_ac_/);
    expect((await agent.get('/console/clients/spa/disable')).html).toContain('name="password_again"');
    expect((await agent.get(latchkey.authorizeUrl({ max_age: '600' }))).html).toContain('name="password"');
  });

  test('is not replaced by an app: consent to permissions of Latchkey needs a fresh sign-in, which counts once', async () => {
    const admin = `${latchkey.issuer}/admin`;
    const { client_id, redirect_uri } = adminApp;
    const agent = latchkey.browser();
    await agent.submit(await agent.get('/sign-in'), { login: 'alice', password }, '/sign-in');
    const asked = (resource: string, scope: string, more = {}) =>
      agent.get(latchkey.authorizeUrl({ client_id, redirect_uri, resource, scope, ...more }));
    const endOf = async (page: Page) =>
      new URL((await agent.submit(page, { decision: 'allow' }, '/consent')).url).searchParams.get('code');
    await latchkey.advance(10 * 60 + 1);
    expect((await asked(api, 'openid read')).html).toContain('value="allow"');
    const { url } = await asked(admin, 'latchkey:user:read', { prompt: 'none' });
    expect(new URL(url).searchParams.get('error')).toBe('login_required');

    const signIn = await asked(admin, 'latchkey:user:read');
    expect(signIn.html).not.toContain('value="allow"');
    const consent = await agent.submit(signIn, { login: 'alice', password }, '/sign-in');
    await latchkey.advance(10 * 60 + 1);
    expect(await endOf(consent)).toMatch(/^lk_ac_/);
    expect(new URL((await asked(admin, 'latchkey:user:read')).url).searchParams.get('code')).toMatch(/^lk_ac_/);
    expect((await asked(admin, 'latchkey:user:read latchkey:role:read')).html).not.toContain('value="allow"');
  });

  test('accepts a proof only in the session in which it was given', async () => {
    const other = await consoleAs(latchkey);
    await latchkey.advance(10 * 60 + 1);
    const page = await alice.act('/users/bob/change', { name: 'Bob', password_again: password });
    expect(wordsOf(page)).toContain('Saved.');
    expect((await other.get('/users/bob/change')).html).toContain('name="password_again"');
  });
});

const filled = { role: 'owner', name: 'n', email: 'e@example.com', client_id: 'c', identifier: 'https://i.example' };
