import { type AdminApi, asOwner } from '../../support/admin.ts';
import { eventually } from '../../support/eventually.ts';
import type { RunningServer } from '../../support/hosted-server.ts';
import { api, clientSecrets, jwtApi, password, standardInstallation } from '../../support/installation.ts';
import { basic, startLatchkey } from '../../support/latchkey.ts';
import { report, rounds } from '../../support/report.ts';
import type { UserAgent } from '../../support/user-agent.ts';

// Introspects all tokens, and is never revoked.
const checker = {
  client_id: 'checker',
  client_secret: 'the secret of the checker',
  grant_types: ['client_credentials'],
  introspects: [api, jwtApi],
};
/** The largest clock skew, in seconds, with which a node still issues tokens. */
const mostSkew = 1.9;

type Kind = 'access token' | 'JWT' | 'refresh token' | 'code' | 'session' | "service's token" | "service's JWT";
type Issued = {
  tokens: Record<Exclude<Kind, 'session' | 'code'>, string>;
  code: Awaited<ReturnType<ReturnType<typeof startLatchkey>['code']>>;
  browser: UserAgent;
};

const underGrant: Kind[] = ['access token', 'JWT', 'refresh token', 'code'];
const ofServices: Kind[] = ["service's token", "service's JWT"];
const ofApi: Kind[] = ['access token', "service's token"];

describe('on two nodes whose clocks differ', () => {
  const latchkey = startLatchkey({
    apply: { ...standardInstallation, clients: [...standardInstallation.clients, checker] },
  });
  let owner: AdminApi;
  let other: RunningServer;
  let nodes: string[] = [];
  const clocks = new Map<RunningServer, number>();
  beforeAll(async () => {
    owner = await asOwner(latchkey);
    other = await latchkey.startNode();
    nodes = [latchkey.issuer, other.address];
  });

  /** Sets how far the clock of a node is ahead; the node notices within half a second. */
  async function setClock(node: RunningServer, seconds: number): Promise<void> {
    await node.advance(seconds - (clocks.get(node) ?? 0));
    clocks.set(node, seconds);
  }

  async function serviceToken(resource: string, node: string, secret: string = clientSecrets.service) {
    const response = await fetch(`${node}/oauth/token`, {
      method: 'POST',
      headers: { authorization: basic('service', secret), 'x-forwarded-host': new URL(latchkey.issuer).host },
      body: new URLSearchParams({ grant_type: 'client_credentials', resource }),
    });
    return { status: response.status, body: (await response.json()) as { access_token: string } };
  }

  async function issue(): Promise<Issued> {
    const browser = latchkey.browser();
    const first = await latchkey.tokens({}, browser, 'bob');
    const jwt = await latchkey.tokens({ scope: 'openid report:read', resource: jwtApi }, browser, 'bob');
    const code = await latchkey.code({}, browser, 'bob');
    // Last, so that they are the newest when something is revoked.
    const refreshed = await latchkey.refresh(first.refresh_token);
    const services = await Promise.all([api, jwtApi].map((resource) => serviceToken(resource, latchkey.issuer)));
    return {
      browser,
      code,
      tokens: {
        'access token': refreshed.body.access_token,
        JWT: jwt.access_token,
        'refresh token': refreshed.body.refresh_token,
        "service's token": String(services[0]?.body.access_token),
        "service's JWT": String(services[1]?.body.access_token),
      },
    };
  }

  /** A node may cache the disabled state of an owner for a second (DESIGN.md §8). */
  async function issueSoon(): Promise<Issued> {
    const issued = await eventually(
      () => issue().catch(() => undefined),
      (got) => got !== undefined && got.tokens["service's token"] !== 'undefined',
    );
    return issued as Issued;
  }

  async function living({ tokens, browser }: Issued, node: string): Promise<Kind[]> {
    const looks = Object.entries(tokens).map(async ([kind, token]) => {
      const asked = kind === 'refresh token' ? 'web-app' : 'checker';
      return (await latchkey.isActive(token, asked, node)) ? [kind as Kind] : [];
    });
    const headers = {
      cookie: browser.cookieHeader(`${latchkey.issuer}/account`),
      'x-forwarded-host': new URL(latchkey.issuer).host,
    };
    const { status } = await fetch(`${node}/account`, { headers, redirect: 'manual' });
    return [...(await Promise.all(looks)).flat(), ...(status === 200 ? (['session'] as const) : [])];
  }

  /** The active credentials on both nodes; codes and refresh tokens are tested by use, once none should be active. */
  async function left(issued: Issued, ending: readonly Kind[]): Promise<Kind[]> {
    const found = new Set((await Promise.all(nodes.map((node) => living(issued, node)))).flat());
    if (ending.includes('code') && (await latchkey.redeem(issued.code, other.address)).status === 200)
      found.add('code');
    const refreshed = () => latchkey.refresh(issued.tokens['refresh token'], 'web-app', other.address);
    if (ending.includes('refresh token') && (await refreshed()).status === 200) found.add('refresh token');
    return ending.filter((kind) => found.has(kind));
  }

  /** At the other node. */
  const there = () => ({ node: other.address });
  const revoke = (handle: unknown) => owner.post('/revocations', { handle }, there());
  const stopAndStart = async (stop: string, start: string) => {
    await owner.post(stop, undefined, there());
    return owner.patch(start, { enabled: true }, there());
  };

  async function changeOwnPassword(): Promise<unknown> {
    const browser = latchkey.browser();
    await browser.submit(await browser.get('/sign-in'), { login: 'bob', password }, '/sign-in');
    const page = await browser.get('/account/password');
    const fields = { current_password: password, password, password_repeated: password };
    return browser.submit(page, fields, '/account/password');
  }

  type Act = [string, () => Promise<unknown>, readonly Kind[]];
  const ofPerson: Kind[] = [...underGrant, 'session'];
  const acts: Act[] = [
    ['revoking a person', () => revoke({ user: 'bob' }), ofPerson],
    ['setting their password', () => owner.post('/users/bob/password', { password }, there()), ofPerson],
    ['stopping a person and letting them in again', () => stopAndStart('/users/bob/disable', '/users/bob'), ofPerson],
    ['their changing it', changeOwnPassword, ofPerson],
    ['revoking a client', () => revoke({ client_id: 'web-app' }), underGrant],
    ['stopping and starting a client', () => stopAndStart('/clients/web-app/disable', '/clients/web-app'), underGrant],
    ['revoking a service', () => revoke({ client_id: 'service' }), ofServices],
    ['stopping and starting a service', () => stopAndStart('/clients/service/disable', '/clients/service'), ofServices],
    ['revoking an API', () => revoke({ resource_server: api }), ofApi],
    [
      '`revoke --before` now',
      async () =>
        revoke({ issued_before: (await latchkey.database.query('select latchkey_now() as now')).rows[0].now }),
      [...ofPerson, ...ofServices],
    ],
  ];

  test.each(acts)('%s revokes all that was issued before, and nothing issued after', async (name, act, ending) => {
    for (let round = 0; round < rounds(1); round += 1) {
      const [here, away] = round % 2 === 0 ? [mostSkew, -mostSkew] : [0, 0];
      // Issued by a node that is ahead, revoked by one that is behind: the times do not show the order.
      await setClock(other, away);
      await setClock(latchkey.server, 0);
      const warm = await issue();
      expect(await living(warm, other.address)).toHaveLength(6);
      await setClock(latchkey.server, here);
      const youngest = await serviceToken(api, latchkey.issuer);
      const refreshed = await latchkey.refresh(warm.tokens['refresh token']);
      warm.tokens["service's token"] = youngest.body.access_token;
      warm.tokens['access token'] = refreshed.body.access_token;
      warm.tokens['refresh token'] = refreshed.body.refresh_token;
      await act();
      // And the reverse: tokens that a node that is behind issues right afterwards are accepted.
      await setClock(latchkey.server, -here);
      const fresh = await (name.startsWith('stopping') ? issueSoon() : issue());
      if (name.includes('`revoke')) owner = await asOwner(latchkey);
      expect(await left(warm, ending)).toEqual([]);
      expect(await Promise.all(nodes.map((node) => living(fresh, node)))).toEqual([
        expect.arrayContaining(Object.keys(fresh.tokens).concat('session')),
        expect.arrayContaining(Object.keys(fresh.tokens).concat('session')),
      ]);
      expect(await latchkey.redeem(fresh.code, other.address)).toMatchObject({ status: 200 });
    }
    report(`${name}: ${rounds(1)} rounds with clocks up to ${2 * mostSkew} s apart`);
  });

  test('a revoked secret gets no token from the next request on, on a node that has it cached', async () => {
    const { body: made } = await owner.post('/clients/service/secrets', {}, there());
    const secret = String(made.client_secret);
    await eventually(
      () => serviceToken(api, latchkey.issuer, secret),
      ({ status }) => status === 200,
    );
    await owner.post(`/clients/service/secrets/${made.id}/revoke`, undefined, there());
    expect(await serviceToken(api, latchkey.issuer, secret)).toMatchObject({
      status: 401,
      body: { error: 'invalid_client' },
    });
    expect(await serviceToken(api, latchkey.issuer)).toMatchObject({ status: 200 });
  });
});
