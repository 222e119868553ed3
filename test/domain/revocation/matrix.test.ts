import { type AdminApi, asOwner } from '../../support/admin.ts';
import { eventually } from '../../support/eventually.ts';
import { api, clientSecrets, jwtApi, standardInstallation } from '../../support/installation.ts';
import { startLatchkey } from '../../support/latchkey.ts';
import type { UserAgent } from '../../support/user-agent.ts';

// Introspects all tokens, and is never revoked.
const checker = {
  client_id: 'checker',
  client_secret: 'the secret of the checker',
  grant_types: ['client_credentials'],
  introspects: [api, jwtApi],
};
const latchkey = startLatchkey({
  apply: { ...standardInstallation, clients: [...standardInstallation.clients, checker] },
});

/** The credentials in each row; bob's, at web-app, in one session, unless stated otherwise. */
const credentials = [
  ...['access token', 'JWT', 'refresh token', 'session'],
  ...["another session's access token", "another client's access token", "another person's access token"],
  ...["service's access token", "service's JWT", 'client secret'],
] as const;
type Credential = (typeof credentials)[number];
type Issued = Record<Exclude<Credential, 'session' | 'client secret'>, string> & {
  browser: UserAgent;
  consent: string;
};
type Handle = (issued: Issued) => unknown | Promise<unknown>;

const family = ['access token', 'JWT', 'refresh token'] as const;
const ofClient = [...family, "another session's access token", "another person's access token"] as const;
const ofPerson = [...family, 'session', "another session's access token", "another client's access token"] as const;
const ofServices = ["service's access token", "service's JWT"] as const;
const ofApi = [
  ...(['access token', "another session's access token", "another client's access token"] as const),
  ...(["another person's access token", "service's access token"] as const),
];

const inQuestion = 'The browser in question';

describe('every kind of revocation', () => {
  let owner: AdminApi;
  let nodes: string[] = [];
  beforeAll(async () => {
    owner = await asOwner(latchkey);
    nodes = [latchkey.issuer, (await latchkey.startNode()).address];
  });

  async function issue(): Promise<Issued> {
    const browser = latchkey.browser(inQuestion);
    const of = async (options: Record<string, string>, where = latchkey.browser(), login = 'bob') =>
      (await latchkey.tokens(options, where, login)).access_token;
    const first = await latchkey.tokens({}, browser, 'bob');
    const jwt = await latchkey.tokens({ scope: 'openid report:read', resource: jwtApi }, browser, 'bob');
    const service = async (resource: string) => (await latchkey.clientCredentials({ resource })).body.access_token;
    const consents = await owner.get('/consents?user=bob&client_id=web-app&standing=true');
    return {
      browser,
      consent: String(consents.body.items[0]?.consent_id),
      'access token': first.access_token,
      'refresh token': first.refresh_token,
      JWT: jwt.access_token,
      "another session's access token": await of({}),
      "another client's access token": await of({ client_id: 'post-app', scope: 'openid read' }, browser),
      "another person's access token": await of({}, latchkey.browser(), 'alice'),
      "service's access token": await service(api),
      "service's JWT": await service(jwtApi),
    };
  }

  async function isSignedIn(browser: UserAgent, node: string): Promise<boolean> {
    const headers = {
      cookie: browser.cookieHeader(`${latchkey.issuer}/account`),
      'x-forwarded-host': new URL(latchkey.issuer).host,
    };
    return (await fetch(`${node}/account`, { headers, redirect: 'manual' })).status === 200;
  }

  async function isAlive(issued: Issued, credential: Credential, node: string): Promise<boolean> {
    if (credential === 'session') return isSignedIn(issued.browser, node);
    if (credential === 'client secret') return latchkey.isLetIn('web-app', clientSecrets['web-app'], node);
    if (credential !== 'refresh token') return latchkey.isActive(issued[credential], 'checker', node);
    // Its client, which may be disabled itself, introspects it; a refresh would change the token of the next check.
    return latchkey.isActive(issued[credential], 'web-app', node);
  }

  async function living(issued: Issued, node: string): Promise<Credential[]> {
    const alive = await Promise.all(credentials.map((credential) => isAlive(issued, credential, node)));
    return credentials.filter((_, n) => alive[n]);
  }

  const revoke = (handleOf: Handle) => async (issued: Issued) =>
    owner.post('/revocations', { handle: await handleOf(issued) });
  const sessionId = async () => {
    const { body } = await owner.get('/users/bob/sessions?limit=200');
    return body.items.find(({ user_agent }) => user_agent === inQuestion)?.session_id;
  };
  const grantId = async () => {
    const { body } = await owner.get('/grants?user=bob&client_id=web-app&limit=200');
    const session_id = await sessionId();
    return body.items.find((grant) => grant.session_id === session_id)?.id;
  };

  test.each<[string, (issued: Issued) => Promise<{ status: number }>, readonly Credential[]]>([
    ['an access token', revoke((issued) => ({ token: issued['access token'] })), ['access token']],
    ['a JWT', revoke(({ JWT }) => ({ token: JWT })), ['JWT']],
    ['a refresh token', revoke((issued) => ({ token: issued['refresh token'] })), ['access token', 'refresh token']],
    [
      'a session',
      revoke(async () => ({ session_id: await sessionId() })),
      [...family, 'session', "another client's access token"],
    ],
    ['a grant', revoke(async () => ({ grant_id: await grantId() })), family],
    ['a person', revoke(() => ({ user: 'bob' })), ofPerson],
    ['a client', revoke(() => ({ client_id: 'web-app' })), ofClient],
    ['a service', revoke(() => ({ client_id: 'service' })), ofServices],
    ['an API of opaque tokens', revoke(() => ({ resource_server: api })), ofApi],
    ['an API of JWTs', revoke(() => ({ resource_server: jwtApi })), ['JWT', "service's JWT"]],
    [
      'a consent',
      ({ consent }) => owner.post(`/consents/${consent}/revoke`),
      [...family, "another session's access token"],
    ],
    ['the person, stopped', () => owner.post('/users/bob/disable'), ofPerson],
    ['the client, stopped', () => owner.post('/clients/web-app/disable'), [...ofClient, 'client secret']],
    [
      'all up to a moment',
      revoke(() => ({ issued_before: new Date().toISOString() })),
      credentials.filter((credential) => credential !== 'client secret'),
    ],
  ])('by %s: what works before is refused after on both nodes, and nothing else changes', async (_, act, dying) => {
    const issued = await issue();
    for (const node of nodes) expect(await living(issued, node)).toEqual([...credentials]);
    const expected = credentials.filter((credential) => !dying.includes(credential));
    const { status } = await act(issued);
    expect([200, 204]).toContain(status);
    expect(await living(issued, latchkey.issuer)).toEqual(expected);
    // What the other node caches of a client may be late (test/domain/clients/known-clients.test.ts measures it).
    if (dying.includes('client secret'))
      await eventually(
        () => isAlive(issued, 'client secret', nodes[1] ?? ''),
        (isIt) => !isIt,
      );
    expect(await living(issued, nodes[1] ?? '')).toEqual(expected);
    await owner.patch('/users/bob', { enabled: true });
    await owner.patch('/clients/web-app', { enabled: true });
    if ((await owner.get('/clients')).status === 401) owner = await asOwner(latchkey);
  });
});
