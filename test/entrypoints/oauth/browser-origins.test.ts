import { type AdminApi, asOwner } from '../../support/admin.ts';
import { sendForm } from '../../support/http.ts';
import { clientSecrets, standardInstallation } from '../../support/installation.ts';
import { basic, startLatchkey } from '../../support/latchkey.ts';

const extension = 'chrome-extension://abcdefghijklmnopabcdefghijklmnop';
const apps = [
  {
    client_id: 'wrapped-app',
    application_type: 'native',
    token_endpoint_auth_method: 'none',
    redirect_uris: ['app://bundle/callback', 'capacitor://localhost/callback', `${extension}/callback.html`],
    scope: 'openid',
  },
  {
    client_id: 'listing-app',
    token_endpoint_auth_method: 'none',
    redirect_uris: ['https://listing.example/callback'],
    allowed_cors_origins: ['https://other.example:8443', extension],
    scope: 'openid',
  },
  {
    client_id: 'listing-web-app',
    client_secret: clientSecrets['web-app'],
    redirect_uris: ['https://client.example/callback'],
    allowed_cors_origins: ['https://explorer.example'],
    scope: 'openid',
  },
];

describe('a page that calls the token endpoint', () => {
  const latchkey = startLatchkey({
    apply: { ...standardInstallation, clients: [...standardInstallation.clients, ...apps] },
  });
  let owner: AdminApi;
  beforeAll(async () => {
    owner = await asOwner(latchkey);
  });

  /** Whether the page may read the response, whatever its result for the refresh token. */
  const isAdmitted = async (client_id: string, origin: string) => {
    const form = { grant_type: 'refresh_token', refresh_token: 'none', client_id };
    const { headers, body } = await sendForm(latchkey.issuer, '/oauth/token', form, { origin });
    const allowed = headers.get('access-control-allow-origin');
    expect(body.error).toBe(allowed === null ? 'invalid_request' : 'invalid_grant');
    return allowed === origin;
  };

  test.each<[string, string, boolean]>([
    ['wrapped-app', 'app://bundle', true],
    ['wrapped-app', 'capacitor://localhost', true],
    ['wrapped-app', extension, true],
    ['wrapped-app', 'app://other', false],
    ['wrapped-app', 'app://bundle/', false],
    ['wrapped-app', 'app://bundle:80', false],
    ['wrapped-app', 'APP://bundle', false],
    ['wrapped-app', 'capacitor://localhost.evil.test', false],
    ['wrapped-app', 'http://localhost', false],
    ['wrapped-app', 'null', false],
    ['native', 'http://localhost:49152', true],
    ['native', 'http://127.0.0.1:1', true],
    ['native', 'http://[::1]:65535', true],
    ['native', 'http://localhost', true],
    ['native', 'https://localhost:49152', false],
    ['native', 'http://localhost:49152/', false],
    ['native', 'http://localhost:99999', false],
    ['native', 'http://localhost.evil.test:49152', false],
    ['native', 'http://user@localhost:49152', false],
    ['native', 'http://127.0.0.2:49152', false],
    ['native', 'com.example.app:', false],
    ['spa', 'http://localhost:49152', false],
    ['listing-app', 'https://listing.example', true],
    ['listing-app', 'https://other.example:8443', true],
    ['listing-app', extension, true],
    ['listing-app', 'https://other.example', false],
  ])('as %s from %s: %s (RFC 6454 §6.2, RFC 8252 §7.3)', async (client_id, origin, expected) => {
    expect(await isAdmitted(client_id, origin)).toBe(expected);
  });

  test('may use a client with a secret only from the origins that its registration lists', async () => {
    const authorization = basic('listing-web-app', clientSecrets['web-app']);
    const form = { grant_type: 'refresh_token', refresh_token: 'none' };
    const from = async (origin: string) => {
      const { headers } = await sendForm(latchkey.issuer, '/oauth/token', form, { origin, authorization });
      return headers.get('access-control-allow-origin');
    };
    expect(await from('https://explorer.example')).toBe('https://explorer.example');
    expect(await from('https://client.example')).toBeNull();
  });

  test.each([
    ['https://app.example/', 'must be written as browsers send it: https://app.example'],
    ['https://App.Example', 'must be written as browsers send it: https://app.example'],
    ['https://app.example:443', 'must be written as browsers send it: https://app.example'],
    ['app://Bundle/index.html', 'must be written as browsers send it: app://bundle'],
    ['https://user@app.example', 'must be written as browsers send it: https://app.example'],
    ['https://*.example', 'must list each origin: "*" is not a wildcard here'],
    ['*', 'must list each origin: "*" is not a wildcard here'],
    ['null', 'must be an origin, such as https://app.example or capacitor://localhost'],
    ['app.example', 'must be an origin, such as https://app.example or capacitor://localhost'],
    ['com.example.app:/callback', 'must be an origin, such as https://app.example or capacitor://localhost'],
    ['file:///index.html', 'must be an origin, such as https://app.example or capacitor://localhost'],
    ['javascript://app.example', 'must be an origin, such as https://app.example or capacitor://localhost'],
    ['http://app.example', 'must begin with https://: an http page can be modified in transit'],
  ])('is not registered by %s, and the refusal says why', async (origin, detail) => {
    const { status, body } = await owner.patch('/clients/listing-app', { allowed_cors_origins: [extension, origin] });
    expect(status).toBe(400);
    expect(body).toMatchObject({ errors: [{ pointer: '/allowed_cors_origins/1', detail }] });
  });

  test('is registered by the API, the configuration file and the command line alike, and shown again', async () => {
    const allowed_cors_origins = ['capacitor://localhost', 'http://localhost:8100'];
    const made = ['client', 'create', 'made-app', '--type', 'spa', '--redirect-uri', 'https://made.example/'];
    await latchkey.commandJson([...made, ...allowed_cors_origins.flatMap((origin) => ['--cors-origin', origin])]);
    expect(await isAdmitted('made-app', 'capacitor://localhost')).toBe(true);
    expect((await owner.get('/clients/made-app')).body).toMatchObject({ allowed_cors_origins });
    expect((await owner.get('/clients/listing-app')).body).toMatchObject({
      allowed_cors_origins: apps[1]?.allowed_cors_origins,
    });
    const { status } = await owner.patch('/clients/made-app', { allowed_cors_origins: null });
    expect(status).toBe(200);
    expect((await owner.get('/clients/made-app')).body).not.toHaveProperty('allowed_cors_origins');
    expect(await isAdmitted('made-app', 'capacitor://localhost')).toBe(false);
  });

  test('is registered at most twenty times for one client', async () => {
    const allowed_cors_origins = Array.from({ length: 21 }, (_, n) => `https://app${n}.example`);
    const { status, body } = await owner.patch('/clients/listing-app', { allowed_cors_origins });
    expect([status, body]).toMatchObject([400, { pointer: '/allowed_cors_origins' }]);
  });
});
