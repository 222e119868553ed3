import {
  missingProgram,
  type RunningProgram,
  signInAtDovecot,
  startApache,
  startDovecot,
} from '../../../support/debian-programs.ts';
import { api, standardInstallation } from '../../../support/installation.ts';
import { startLatchkey } from '../../../support/latchkey.ts';
import { RecordingApi, sendAsWritten } from '../../../support/recording-api.ts';

const redirectUri = 'https://app.example/callback';
const client_secret = 'a secret without spaces';

/** Programs without any support for Latchkey, configured as in their own documentation. */
describe('a program from Debian', () => {
  const latchkey = startLatchkey({
    apply: {
      ...standardInstallation,
      clients: [
        ...standardInstallation.clients,
        {
          client_id: 'apache',
          client_secret,
          redirect_uris: [redirectUri],
          scope: 'openid profile email',
          first_party: true,
        },
        {
          client_id: 'mail-server',
          client_secret: 'SecretOfTheMailServer',
          grant_types: ['client_credentials'],
          introspects: [api],
        },
      ],
    },
  });

  const apache = () => {
    let running: RunningProgram<string>;
    let behind: RecordingApi;
    beforeAll(async () => {
      behind = await RecordingApi.open();
      running = await startApache(`
        OIDCProviderMetadataURL ${latchkey.issuer}/.well-known/openid-configuration
        OIDCClientID apache
        OIDCClientSecret "${client_secret}"
        OIDCRedirectURI ${redirectUri}
        OIDCScope "openid profile email"
        OIDCCryptoPassphrase "a passphrase of the test"
        OIDCXForwardedHeaders X-Forwarded-Proto X-Forwarded-Host
        ProxyPass / http://${behind.address}/
        <Location />
          AuthType openid-connect
          Require valid-user
        </Location>`);
    });
    afterAll(async () => {
      await running?.stop();
      behind?.close();
    });
    const cookies = new Map<string, string>();
    const visit = async (address: string) => {
      const { pathname, search } = new URL(address);
      const cookie = [...cookies].map(([name, value]) => `${name}=${value}`).join('; ');
      // Only browsers are redirected to sign in, programs get 401.
      const accept = 'text/html';
      const forwarded = {
        accept,
        host: 'app.example',
        'x-forwarded-host': 'app.example',
        'x-forwarded-proto': 'https',
      };
      const answer = await sendAsWritten(running.address, pathname + search, { headers: { ...forwarded, cookie } });
      for (const each of [answer.headers['set-cookie'] ?? []].flat()) {
        const [, name = '', value = ''] = /^([^=]+)=([^;]*)/.exec(each) ?? [];
        cookies.set(name, value);
      }
      return { ...answer, location: String(answer.headers.location ?? '') };
    };

    test('signs a user in with its defaults: RS256, a nonce, no PKCE', async () => {
      const asked = await visit('https://app.example/private?page=1');
      if (asked.status !== 302) throw new Error(`${asked.status} ${asked.text} ${running.output()}`);
      expect(asked.location).toMatch(new RegExp(`^${latchkey.issuer}/oauth/authorize\\?(?!.*code_challenge)`));
      const { url } = await latchkey.visit(latchkey.browser(), asked.location);
      expect(url).toMatch(/^https:\/\/app\.example\/callback\?/);
      const back = await visit(url);
      if (back.status !== 302) throw new Error(`${back.status} ${back.text} ${running.output()}`);
      expect(back.location).toBe('https://app.example/private?page=1');
      expect(await visit(back.location)).toMatchObject({ status: 200, text: 'served' });
      expect(behind.seen.at(-1)?.headers).toMatchObject({
        oidc_claim_sub: [expect.stringMatching(/^[0-9a-f-]{36}$/)],
        oidc_claim_email: ['alice@example.com'],
        oidc_claim_preferred_username: ['alice'],
      });
    });
  };

  const dovecot = () => {
    let running: RunningProgram<string>;
    beforeAll(async () => {
      const introspection = new URL(`${latchkey.issuer}/oauth/introspect`);
      Object.assign(introspection, { username: 'mail-server', password: 'SecretOfTheMailServer' });
      running = await startDovecot(`introspection_url = ${introspection.href}
introspection_mode = post
active_attribute = active
active_value = true
username_attribute = sub
scope = read
`);
    });
    afterAll(() => running?.stop());

    test('signs users in with a token (OAUTHBEARER, RFC 7628), each only as themselves, until it is revoked', async () => {
      const { access_token } = await latchkey.tokens({ resource: api, scope: 'openid read' });
      const { body } = await latchkey.post('/oauth/introspect', { token: access_token }, 'mail-server');
      const signIn = (user: string, token = access_token) => signInAtDovecot(running.address, user, token);
      const answer = await signIn(String(body.sub));
      if (!answer.startsWith('OK')) throw new Error(`${answer} ${running.output()}`);
      expect(await signIn('somebody-else')).toMatch(/^FAIL/);
      expect(await signIn(String(body.sub), 'lk_at_unknown')).toMatch(/^FAIL/);
      await latchkey.post('/oauth/revoke', { token: access_token }, 'web-app');
      expect(await signIn(String(body.sub))).toMatch(/^FAIL/);
    });
  };

  for (const [name, tests] of [
    ['mod_auth_openidc', apache],
    ['Dovecot', dovecot],
  ] as const) {
    const missing = missingProgram(name);
    if (missing === undefined) describe(name, tests);
    else describe.skip(`${name}: ${missing}`, tests);
  }
});
