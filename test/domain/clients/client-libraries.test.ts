import { generateKeyPair, SignJWT } from 'jose';
import { type AdminApi, asOwner } from '../../support/admin.ts';
import { eventually } from '../../support/eventually.ts';
import { sendForm } from '../../support/http.ts';
import { clientSecrets, redirectUri, standardInstallation } from '../../support/installation.ts';
import { basic, startLatchkey } from '../../support/latchkey.ts';

const clientSecret = clientSecrets['web-app'];
const web = { client_secret: clientSecret, redirect_uris: [redirectUri], scope: 'openid profile', first_party: true };
const loopbacks = [
  'http://localhost/callback',
  'http://127.0.0.1:8080/callback',
  'http://[::1]/callback',
  'https://localhost./callback',
  'https://app.localhost/callback',
  'https://127.1.2.3/callback',
  'https://[::ffff:127.0.0.1]/callback',
];
const key = await generateKeyPair('ES256', { extractable: true });

/** Default behaviour of client libraries that other servers accept. */
describe('client libraries work unmodified', () => {
  const latchkey = startLatchkey({
    apply: {
      ...standardInstallation,
      clients: [
        ...standardInstallation.clients,
        { ...web, client_id: 'waived' },
        { ...web, client_id: 'on-this-computer', redirect_uris: loopbacks },
        { ...web, client_id: 'installed', application_type: 'native', redirect_uris: ['com.example.app:/callback'] },
        { ...web, client_id: 'in-the-browser', token_endpoint_auth_method: 'none', client_secret: undefined },
      ],
    },
  });
  let owner: AdminApi;
  beforeAll(async () => {
    owner = await asOwner(latchkey);
  });
  const ask = (form: Record<string, string>, headers: Record<string, string> = {}) =>
    sendForm(latchkey.issuer, '/oauth/introspect', { token: 'x', ...form }, headers);

  test.each([
    { registered: 'client_secret_basic', client_id: 'web-app' as const },
    { registered: 'client_secret_post', client_id: 'post-app' as const },
  ])('a secret may be sent by Basic and in the body where $registered is registered', async ({ client_id }) => {
    const client_secret = clientSecrets[client_id];
    expect(await ask({ client_id, client_secret })).toMatchObject({ status: 200 });
    expect(await ask({}, { authorization: basic(client_id, client_secret) })).toMatchObject({ status: 200 });
    expect(await ask({ client_id, client_secret: `${client_secret}x` })).toMatchObject({ status: 401 });
  });

  test('a refusal names the registered method to a caller with a secret of the client, and to no one else', async () => {
    const jwks = { keys: [{ kty: 'OKP', crv: 'Ed25519', x: '11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo' }] };
    await owner.post('/clients', { ...web, client_id: 'moved' });
    await owner.patch('/clients/moved', { token_endpoint_auth_method: 'private_key_jwt', jwks });
    await eventually(
      () => ask({}, { authorization: basic('moved', clientSecret) }),
      ({ status }) => status === 401,
    );
    const inBody = { client_id: 'moved', client_secret: clientSecret };
    for (const answer of [await ask({}, { authorization: basic('moved', clientSecret) }), await ask(inBody)]) {
      expect(answer.body).toEqual({
        error: 'invalid_client',
        error_description: 'this client is registered with private_key_jwt, not with a secret',
      });
      expect(answer.headers.get('www-authenticate')).toMatch(/error="invalid_client"/);
    }
    const others = [
      await ask({ client_id: 'moved', client_secret: `${clientSecret}x` }),
      await ask({ client_id: 'unknown', client_secret: clientSecret }),
      await ask({ client_id: 'in-the-browser', client_secret: clientSecret }),
      await ask({ client_id: 'moved' }),
    ];
    for (const { status, body } of others)
      expect([status, body.error_description]).toEqual([401, 'client authentication failed']);
  });

  test('guesses of the unused secret of such a client are throttled like any other', async () => {
    await owner.post('/clients', { ...web, client_id: 'guessed' });
    await owner.patch('/clients/guessed', { token_endpoint_auth_method: 'none' });
    const guess = (client_secret: string) => ask({ client_id: 'guessed', client_secret });
    await eventually(
      () => guess(clientSecret),
      ({ body }) => String(body.error_description).includes('registered with none'),
    );
    await Promise.all(Array.from({ length: 101 }, (_, wrong) => guess(`wrong ${wrong}`)));
    expect((await guess(clientSecret)).body.error_description).toBe('client authentication failed');
  });

  test('client_secret_jwt: registration and refusal say what to use instead', async () => {
    const instead = /private_key_jwt .*client_secret_basic/;
    const { status, body } = await owner.post('/clients', {
      ...web,
      client_id: 'hmac',
      token_endpoint_auth_method: 'client_secret_jwt',
    });
    expect([status, JSON.stringify(body)]).toEqual([400, expect.stringMatching(instead)]);
    const assertionBy = (client_id: string) =>
      new SignJWT({ jti: crypto.randomUUID() })
        .setProtectedHeader({ alg: 'HS256' })
        .setIssuer(client_id)
        .setSubject(client_id)
        .setAudience(latchkey.issuer)
        .setExpirationTime('1m')
        .sign(new TextEncoder().encode(clientSecret));
    const client_assertion_type = 'urn:ietf:params:oauth:client-assertion-type:jwt-bearer';
    for (const client_id of ['web-app', 'nobody']) {
      const answer = await ask({ client_assertion_type, client_assertion: await assertionBy(client_id) });
      expect([answer.status, answer.body]).toEqual([
        401,
        { error: 'invalid_client', error_description: expect.stringMatching(instead) },
      ]);
    }
    const signed = await new SignJWT({ sub: 'web-app' }).setProtectedHeader({ alg: 'ES256' }).sign(key.privateKey);
    expect((await ask({ client_assertion_type, client_assertion: signed })).body.error_description).toBe(
      'client authentication failed',
    );
  });

  const withoutChallenge = { code_challenge: null, code_challenge_method: null, resource: null };
  const asked = (client_id: string, options: Record<string, string | null> = {}) =>
    latchkey.authorizeUrl({ client_id, ...withoutChallenge, scope: 'openid', nonce: 'n-0S6_WzA2Mj', ...options });
  const codeFor = async (client_id: string) => {
    const page = await latchkey.visit(latchkey.browser(), asked(client_id));
    return new URL(page.url).searchParams.get('code') ?? '';
  };
  const redeem = (client_id: string, code: string, more = {}) =>
    latchkey.post(
      '/oauth/token',
      { grant_type: 'authorization_code', code, redirect_uri: redirectUri, ...more },
      client_id,
    );

  test('PKCE is waived for a confidential web client that sends openid and a nonce (RFC 9700 §2.1.1)', async () => {
    const answer = await redeem('waived', await codeFor('waived'));
    expect(answer).toMatchObject({ status: 200, body: { id_token: expect.any(String) } });
    const form = { client_id: 'waived', response_type: 'code', redirect_uri: redirectUri, scope: 'openid' };
    expect(await latchkey.post('/oauth/par', { ...form, nonce: 'n' }, 'waived')).toMatchObject({ status: 201 });
    expect(await latchkey.post('/oauth/par', form, 'waived')).toMatchObject({ status: 400 });
  });

  test('a code_verifier for a code without a challenge is refused (RFC 9700 §4.8.2)', async () => {
    const code_verifier = 'a'.repeat(43);
    const answer = await redeem('waived', await codeFor('waived'), { code_verifier });
    expect(answer).toMatchObject({ status: 400, body: { error: 'invalid_grant' } });
  });

  test('a code with a challenge is not redeemed without its verifier (RFC 7636 §4.6)', async () => {
    const { code } = await latchkey.code({ client_id: 'waived', scope: 'openid', resource: null, nonce: 'n' });
    expect(await redeem('waived', code)).toMatchObject({ status: 400, body: { error: 'invalid_grant' } });
  });

  test.each([
    { what: 'without a nonce', client_id: 'waived', options: { nonce: null } },
    { what: 'with an empty nonce', client_id: 'waived', options: { nonce: '' } },
    { what: 'without openid', client_id: 'waived', options: { scope: 'profile', nonce: null } },
    { what: 'of a public client', client_id: 'in-the-browser', options: {} },
    { what: 'of a native client', client_id: 'installed', options: { redirect_uri: 'com.example.app:/callback' } },
    ...loopbacks.map((redirect_uri) => ({
      what: `to ${redirect_uri}`,
      client_id: 'on-this-computer',
      options: { redirect_uri },
    })),
  ])('a request $what needs PKCE (RFC 9700 §2.1.1)', async ({ client_id, options }) => {
    const page = await latchkey.browser().get(asked(client_id, options));
    const answered = page.url.startsWith(latchkey.issuer) ? page.html : decodeURIComponent(page.url);
    expect(answered.replaceAll('+', ' ')).toMatch(/policy requires PKCE/);
    expect(answered).not.toMatch(/[?&#]code=/);
  });

  const reasons = {
    newline: /client_secret:? ends with a line break/,
    ascii: /client_secret:? must be printable ASCII/,
    placeholder: /client_secret:? is a placeholder/,
    reference: /client_secret:? must be the secret itself: only .*latchkey apply.* resolves references/,
  };
  test.each([
    ['a trailing newline', 'the secret of an app\n', reasons.newline],
    ['a Windows line break', 'the secret of an app\r\n', reasons.newline],
    ['a line break within', 'the secret of\nan app', reasons.ascii],
    ['a tab', 'the secret of\tan app', reasons.ascii],
    ['umlauts', 'das Geheimnis für die App', reasons.ascii],
    ['a no-break space', 'the secret of\u00a0an app', reasons.ascii],
    ['a shell placeholder', `\${GRAFANA_CLIENT_SECRET}`, reasons.placeholder],
    ['a placeholder with a default', `\${SECRET:-change-me-please}`, reasons.placeholder],
    ['a placeholder within', `prefix-\${GRAFANA_CLIENT_SECRET}`, reasons.placeholder],
    ['a bare variable', '$GRAFANA_CLIENT_SECRET', reasons.placeholder],
    ['a Kubernetes variable', '$(GRAFANA_CLIENT_SECRET)', reasons.placeholder],
    ['a template', '{{ .Values.grafana.secret }}', reasons.placeholder],
    ['a Windows variable', '%GRAFANA_CLIENT_SECRET%', reasons.placeholder],
    ['a gap to fill in', '<your client secret>', reasons.placeholder],
    ['a variable by reference', { env: 'HOME' }, reasons.reference],
    ['a file by reference', { file: '/etc/passwd' }, reasons.reference],
  ])('a client secret with %s is refused with the reason', async (_what, client_secret, reason) => {
    const { status, body } = await owner.post('/clients', { ...web, client_id: 'refused', client_secret });
    expect([status, JSON.stringify(body).replaceAll('\\"', '"')]).toEqual([400, expect.stringMatching(reason)]);
    expect(JSON.stringify(body)).not.toContain('root:');
  });

  test.each([
    'all printable ASCII: !"#$%&\'()*+,-./:;<=>?@[\\]^_`{|}~',
    '$2b$12$abcdefghijklmnop',
    '100%certain%2Bsecret',
    'a<b>c and {d} and $5',
  ])('the client secret %j is accepted, and authenticates', async (client_secret) => {
    const client_id = `odd-${crypto.randomUUID().slice(0, 8)}`;
    expect(await owner.post('/clients', { ...web, client_id, client_secret })).toMatchObject({ status: 201 });
    expect(await ask({}, { authorization: basic(client_id, client_secret) })).toMatchObject({ status: 200 });
    expect(await ask({ client_id, client_secret })).toMatchObject({ status: 200 });
  });

  test.each([
    ['a trailing newline', { password: 'correct horse battery\n' }],
    ['a NUL', { password: 'correct horse\u0000battery' }],
    ['half a character', { password: 'correct horse \ud800 battery' }],
    ['a placeholder', { password: `\${ADMIN_PASSWORD}` }],
    ['a reference', { password: { env: 'HOME' } }],
  ])('a password with %s is refused, because no one could sign in with it', async (_what, given) => {
    const { status, body } = await owner.post('/users', { username: 'nobody-yet', ...given });
    expect([status, JSON.stringify(body)]).toEqual([400, expect.stringMatching(/\/password/)]);
  });
});
