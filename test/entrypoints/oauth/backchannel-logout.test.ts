import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { text } from 'node:stream/consumers';
import { createRemoteJWKSet, jwtVerify } from 'jose';
import { eventually } from '../../support/eventually.ts';
import { clientSecrets, password, redirectUri, standardInstallation } from '../../support/installation.ts';
import { startLatchkey } from '../../support/latchkey.ts';
import { withStalls } from '../../support/stalls.ts';

describe('signing out', () => {
  let app: Server;
  const received: string[] = [];
  let failures = 0;
  const latchkey = startLatchkey({
    prepare: async () => {
      app = createServer(async (request, response) => {
        const logout_token = new URLSearchParams(await text(request)).get('logout_token') ?? '';
        received.push(logout_token);
        failures -= 1;
        response.writeHead(failures >= 0 ? 503 : 200).end();
      }).listen(0, '127.0.0.1');
      await new Promise((resolve) => app.once('listening', resolve));
      const backchannel_logout_uri = `http://127.0.0.1:${(app.address() as AddressInfo).port}/logout`;
      const client = {
        client_id: 'told',
        client_secret: clientSecrets['web-app'],
        redirect_uris: [redirectUri],
        first_party: true,
        scope: 'openid',
      };
      return {
        apply: {
          ...standardInstallation,
          clients: [{ ...client, backchannel_logout_uri, backchannel_logout_session_required: true }],
        },
      };
    },
  });
  afterAll(() => app.close());

  const untilTold = (count: number) =>
    eventually(
      () => received.length,
      (length) => length >= count,
      { withinMs: 120_000 },
    );

  test('sends the clients of the session a signed logout token, and retries if one is unavailable (OIDC Back-Channel Logout 1.0 §2.5)', async () => {
    failures = 1;
    const browser = latchkey.browser();
    const tokens = await latchkey.tokens({ client_id: 'told', scope: 'openid', resource: null }, browser);
    const signOut = async () => browser.submit(await browser.get('/oauth/logout'), { logout: 'yes' });
    expect((await withStalls(signOut)).ownMs).toBeLessThan(5000);
    await untilTold(2);

    const jwks = createRemoteJWKSet(new URL(`${latchkey.issuer}/oauth/jwks`));
    const { payload } = await jwtVerify(received[1] ?? '', jwks, {
      issuer: latchkey.issuer,
      audience: 'told',
      typ: 'logout+jwt',
    });
    const { sub, sid } = JSON.parse(Buffer.from(tokens.id_token.split('.')[1] ?? '', 'base64url').toString());
    expect(payload).toMatchObject({ sub, sid, events: { 'http://schemas.openid.net/event/backchannel-logout': {} } });
    await eventually(
      () => latchkey.auditEvents('backchannel_logout.delivered'),
      ({ length }) => length === 1,
    );
  });

  test('sends them, too, when the session is signed out from another browser (OIDC Back-Channel Logout 1.0 §2.4)', async () => {
    const claims = (token = '') => JSON.parse(Buffer.from(token.split('.')[1] ?? '', 'base64url').toString());
    const subjectAndSession = (token?: string) => `${claims(token).sub} ${claims(token).sid}`;
    const mine = latchkey.browser();
    await mine.submit(await mine.get('/sign-in'), { login: 'bob', password });
    const options = { client_id: 'told', scope: 'openid', resource: null };
    const tokens = [await latchkey.tokens(options, undefined, 'bob'), await latchkey.tokens(options, undefined, 'bob')];
    const before = received.length;
    await mine.submit(await mine.get('/account/sessions/sign-out-others'), {}, 'sign-out-others');
    await untilTold(before + 2);
    const told = received.slice(before).map(subjectAndSession);
    expect(told.sort()).toEqual(tokens.map(({ id_token }) => subjectAndSession(id_token)).sort());
  });
});
