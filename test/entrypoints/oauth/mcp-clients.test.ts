import { DocumentHost } from '../../support/document-host.ts';
import { standardInstallation } from '../../support/installation.ts';
import { answerOf, basic, startLatchkey } from '../../support/latchkey.ts';
import { type McpClientRequests, mcpClients, notesApi } from '../../support/mcp-clients.ts';

const notes = {
  identifier: notesApi,
  name: 'Notes',
  open_to: 'anyone',
  scopes: [
    { name: 'notes:read', description: 'Read your notes', default: true, open: true },
    { name: 'notes:write', description: 'Add notes', open: true },
    { name: 'notes:delete', description: 'Delete your notes', sensitive: true },
  ],
};

type Registered = { client_id: string; client_secret?: string; scope?: string };

describe('an MCP client without registration', () => {
  const latchkey = startLatchkey({
    apply: { ...standardInstallation, resource_servers: [...standardInstallation.resource_servers, notes] },
    env: { LATCHKEY_REGISTRATION: 'open' },
  });
  const host = new DocumentHost();
  beforeAll(() => host.start());
  afterAll(() => host.stop());

  const register = async (body: object) =>
    answerOf(
      await fetch(`${latchkey.issuer}/oauth/register`, {
        method: 'POST',
        headers: { 'content-type': 'application/json', accept: 'application/json' },
        body: JSON.stringify(body),
      }),
    );

  async function known({ by, name, described }: McpClientRequests): Promise<Registered> {
    if (by === 'document') return { client_id: host.document(`/${encodeURIComponent(name)}.json`, described) };
    const { status, body } = await register(described);
    expect({ status, body }).toMatchObject({ status: 201, body: { client_id: expect.any(String) } });
    return body as unknown as Registered;
  }

  /** A token request with the client's authentication. */
  async function tokens(
    { client_id, client_secret = '' }: Registered,
    authentication: McpClientRequests['authentication'],
    parameters: Record<string, string>,
  ) {
    const body = new URLSearchParams(parameters);
    const isBasic = authentication === 'basic';
    if (!isBasic) body.set('client_id', client_id);
    if (authentication === 'post' || authentication === 'empty secret') body.set('client_secret', client_secret);
    const headers: Record<string, string> = isBasic ? { authorization: basic(client_id, client_secret) } : {};
    return answerOf(await fetch(`${latchkey.issuer}/oauth/token`, { method: 'POST', headers, body }));
  }

  test.each(mcpClients)('connects in its own way: $name', async (each) => {
    const { redirect_uri, asks, redeems = {}, refreshes = {}, authentication, scope, hasRefreshToken = true } = each;
    const client = await known(each);
    const { client_id } = client;
    const request = { client_id, redirect_uri, scope: null, resource: null, ...asks };
    const { code, code_verifier } = await latchkey.code(request);
    const redeemed = await tokens(client, authentication, {
      ...{ grant_type: 'authorization_code', code, code_verifier, redirect_uri },
      ...redeems,
    });
    expect(redeemed).toMatchObject({ status: 200, body: { token_type: 'Bearer' } });
    expect(String(redeemed.body.scope).split(' ').sort()).toEqual(scope.split(' ').sort());
    expect('refresh_token' in redeemed.body).toBe(hasRefreshToken);
    if (!hasRefreshToken) return;
    const { refresh_token } = redeemed.body;
    const refreshed = await tokens(client, authentication, {
      grant_type: 'refresh_token',
      refresh_token,
      ...refreshes,
    });
    expect(refreshed).toMatchObject({ status: 200, body: { scope: redeemed.body.scope } });
  });

  test('leaves no usable credential readable in the database (OAuth 2.1 §7.1)', async () => {
    const librechat = mcpClients.find(({ name }) => name.startsWith('LibreChat'));
    if (!librechat) throw new Error('no such client');
    const { redirect_uri, asks } = librechat;
    const client = await known(librechat);
    const { client_id, client_secret = '' } = client;
    const { code, code_verifier } = await latchkey.code({ client_id, redirect_uri, scope: null, ...asks });
    const redemption = { grant_type: 'authorization_code', code, code_verifier, redirect_uri };
    const { body } = await tokens(client, 'basic', redemption);
    const { rows: tables } = await latchkey.database.query(
      `select format('%I.%I', table_schema, table_name) as name from information_schema.tables
        where table_type = 'BASE TABLE' and table_schema not in ('pg_catalog', 'information_schema')`,
    );
    const holding = async (value: string) => {
      const found: string[] = [];
      for (const { name } of tables) {
        const { rows } = await latchkey.database.query(
          `select count(*)::int as n from ${name} t where position($1 in t::text) > 0`,
          [value],
        );
        if (rows[0].n > 0) found.push(name);
      }
      return found;
    };
    expect(await holding(client_id)).toContain('public.clients');
    for (const value of [client_secret, code, code_verifier, body.access_token, body.refresh_token]) {
      expect(value.length).toBeGreaterThan(40);
      expect(await holding(value)).toEqual([]);
    }
  });
});
