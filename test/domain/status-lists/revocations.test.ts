import { setTimeout as sleep } from 'node:timers/promises';
import { type AdminApi, asOwner } from '../../support/admin.ts';
import { eventually } from '../../support/eventually.ts';
import { jwtApi, redirectUri, standardInstallation } from '../../support/installation.ts';
import { type Answer, startLatchkey } from '../../support/latchkey.ts';
import { report } from '../../support/report.ts';
import { withStalls } from '../../support/stalls.ts';
import { statusOf } from '../../support/status-list.ts';
import type { UserAgent } from '../../support/user-agent.ts';

const closingApi = 'https://closing.example';
// It takes about a second, without waits for the CPU.
const mostMs = 5000;

const { resource_servers, clients, users } = standardInstallation;
const [jwtServer, webApp, bob] = [resource_servers[1], clients[0], users[1]];
const apply = {
  ...standardInstallation,
  resource_servers: [...resource_servers, { ...jwtServer, identifier: closingApi, name: 'An API to disable' }],
  clients: [
    ...clients,
    { ...webApp, client_id: 'closing', resources: { [jwtApi]: ['report:read'] } },
    { ...webApp, client_id: 'closing-api', resources: { [closingApi]: ['report:read'] } },
  ],
  users: [...users, { ...bob, username: 'carol', email: 'carol@example.com' }],
};

type Scene = { browser: UserAgent; tokens: Answer['body'] };
type Way = { client_id?: string; resource?: string; login?: string; end: (scene: Scene) => Promise<unknown> };

describe('a JWT access token is marked in its list, on every node, once', () => {
  const latchkey = startLatchkey({ apply });
  let nodes: string[] = [];
  let owner: AdminApi;
  beforeAll(async () => {
    nodes = [latchkey.issuer, (await latchkey.startNode()).address];
    owner = await asOwner(latchkey);
  });

  const onNodes = (token: string) => Promise.all(nodes.map((node) => statusOf(latchkey, token, node)));
  const service = async () => (await latchkey.clientCredentials({ resource: jwtApi })).body.access_token;

  const ways: Record<string, Way> = {
    'it is revoked (RFC 7009)': {
      end: ({ tokens }) => latchkey.post('/oauth/revoke', { token: tokens.access_token }, 'web-app'),
    },
    'its refresh token is revoked': {
      end: ({ tokens }) => latchkey.post('/oauth/revoke', { token: tokens.refresh_token }, 'web-app'),
    },
    'its refresh token is used by two': {
      end: async ({ tokens: { refresh_token } }) => {
        const { body } = await latchkey.refresh(refresh_token);
        await latchkey.refresh(body.refresh_token);
        expect(await latchkey.refresh(refresh_token)).toMatchObject({ body: { error: 'invalid_grant' } });
      },
    },
    'its person signs out': {
      end: async ({ browser }) => {
        const page = await browser.get(`${latchkey.issuer}/oauth/logout`);
        expect(await browser.submit(page, { logout: 'yes' }, '/logout/confirm')).toMatchObject({ status: 200 });
      },
    },
    'its consent is revoked': {
      end: async ({ browser }) => {
        const [, href = ''] = /href="([^"]*revoke-access)"/.exec((await browser.get('/account/apps')).html) ?? [];
        const page = await browser.submit(await browser.get(href), {}, 'revoke-access');
        expect(page.url).toMatch(/revoked=1/);
      },
    },
    'its person is disabled': {
      login: 'carol',
      end: () => latchkey.commandJson(['user', 'disable', 'carol', '--yes']),
    },
    'its client is disabled': {
      client_id: 'closing',
      end: () => latchkey.commandJson(['client', 'disable', 'closing', '--yes']),
    },
    'its API is disabled': {
      client_id: 'closing-api',
      resource: closingApi,
      end: async () => {
        const { status } = await owner.post(`/resource-servers/${encodeURIComponent(closingApi)}/disable`);
        expect(status).toBe(200);
      },
    },
    'all that its person has is revoked': {
      end: () => owner.post('/revocations', { handle: { user: 'bob' } }),
    },
  };

  test.each(Object.entries(ways))('%s', async (name, { client_id = 'web-app', resource = jwtApi, login, end }) => {
    const browser = latchkey.browser();
    const options = { client_id, resource, redirect_uri: redirectUri, scope: 'openid report:read' };
    const tokens = await latchkey.tokens(options, browser, login ?? 'bob');
    const bystander = await service();
    expect(await onNodes(tokens.access_token)).toEqual([0, 0]);

    await end({ browser, tokens });
    const ms = await markedAfter(tokens.access_token);
    report(`status list, ${name}: marked on both nodes ${ms} ms after`);
    expect(ms).toBeLessThan(mostMs);
    expect(await onNodes(bystander)).toEqual([0, 0]);
    expect(await latchkey.isActive(tokens.access_token)).toBe(false);
  });

  test('all tokens issued before a time are revoked, and later ones are not', async () => {
    const tokens = [await service(), (await latchkey.tokens({ resource: jwtApi, scope: 'report:read' })).access_token];
    const before = new Date().toISOString();
    await latchkey.commandJson(['revoke', '--before', before, '--yes']);
    for (const token of tokens) expect(await markedAfter(token)).toBeLessThan(mostMs);
    await sleep(1100);
    expect(await onNodes(await service())).toEqual([0, 0]);
  });

  /** The time until the token is marked on every node, without waits for the CPU. */
  async function markedAfter(token: string): Promise<number> {
    const marked = () =>
      eventually(
        () => onNodes(token),
        (statuses) => statuses.every((status) => status === 1),
      );
    return Math.round((await withStalls(marked)).ownMs);
  }
});
