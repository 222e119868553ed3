import { promises as fs } from 'node:fs';
import path from 'node:path';
import { createRemoteJWKSet, decodeJwt, decodeProtectedHeader, jwtVerify } from 'jose';
import { Kysely, PostgresDialect } from 'kysely';
import { FileMigrationProvider, Migrator } from 'kysely/migration';
import pg from 'pg';
import { type AdminApi, asOwner } from '../../support/admin.ts';
import { type ConsoleBrowser, consoleAs } from '../../support/console.ts';
import { createTestDatabase, type TestDatabase } from '../../support/database.ts';
import { eventually } from '../../support/eventually.ts';
import { clientSecrets, redirectUri, standardInstallation } from '../../support/installation.ts';
import { type Latchkey, startLatchkey } from '../../support/latchkey.ts';
import { runCommand, startServerProcess, testRootKey } from '../../support/server.ts';

const client_secret = clientSecrets['web-app'];
const post_logout_redirect_uri = 'https://client.example/signed-out';
const app = {
  client_secret,
  redirect_uris: [redirectUri],
  post_logout_redirect_uris: [post_logout_redirect_uri],
  token_endpoint_auth_method: 'client_secret_post',
  scope: 'openid',
  first_party: true,
};
const algs = ['RS256', 'PS256', 'ES256', 'EdDSA'] as const;

/** The ID token of a complete sign-in at a client, verified with the published keys. */
async function idTokenOf(latchkey: Latchkey, client_id: string, secret = client_secret, browser = latchkey.browser()) {
  const { redirect_uri, ...code } = await latchkey.code({ client_id, scope: 'openid', resource: null }, browser);
  const given = { grant_type: 'authorization_code', ...code, redirect_uri, client_secret: secret };
  const { status, body } = await latchkey.post('/oauth/token', given);
  if (status !== 200) throw new Error(`${status} ${JSON.stringify(body)}`);
  const jwks = createRemoteJWKSet(new URL(`${latchkey.issuer}/oauth/jwks`));
  const options = { issuer: latchkey.issuer, audience: client_id };
  const { protectedHeader } = await jwtVerify(body.id_token, jwks, options);
  return { alg: protectedHeader.alg, kid: protectedHeader.kid, id_token: body.id_token };
}

describe('the algorithm of ID tokens', () => {
  const latchkey = startLatchkey({
    apply: {
      ...standardInstallation,
      clients: [
        { ...app, client_id: 'applied' },
        ...algs.map((alg) => ({ ...app, client_id: `applied-${alg}`, id_token_signed_response_alg: alg })),
      ],
    },
  });
  let owner: AdminApi;
  let alice: ConsoleBrowser;
  beforeAll(async () => {
    owner = await asOwner(latchkey);
    alice = await consoleAs(latchkey);
  });
  const registered = async (client_id: string) => (await owner.get(`/clients/${client_id}`)).body;

  test('is RS256 for a client that names none (OpenID Connect Registration §2): by apply, API, command and console', async () => {
    await owner.post('/clients', { ...app, client_id: 'by-api' });
    await latchkey.commandJson(['client', 'create', 'by-command', '--redirect-uri', redirectUri]);
    await alice.act('/new-client', { kind: 'web', client_id: 'by-console', redirect_uris: redirectUri });
    for (const client_id of ['applied', 'by-api', 'by-command', 'by-console'])
      expect(await registered(client_id)).toMatchObject({
        id_token_signed_response_alg: 'RS256',
        authorization_signed_response_alg: 'RS256',
      });
    for (const client_id of ['applied', 'by-api'])
      expect(await idTokenOf(latchkey, client_id)).toMatchObject({ alg: 'RS256' });
  });

  test.each(algs)('is %s for a client that registers it', async (alg) => {
    expect(await idTokenOf(latchkey, `applied-${alg}`)).toMatchObject({ alg });
    const discovery = await fetch(`${latchkey.issuer}/.well-known/openid-configuration`);
    expect(await discovery.json()).toMatchObject({
      id_token_signing_alg_values_supported: expect.arrayContaining([alg]),
      authorization_signing_alg_values_supported: expect.arrayContaining([alg]),
    });
  });

  test('can be chosen by command and in the console, and stays when something else is changed', async () => {
    const create = ['client', 'create', 'chosen-by-command', '--redirect-uri', redirectUri];
    await latchkey.commandJson([...create, '--id-token-alg', 'EdDSA']);
    const form = { kind: 'web', client_id: 'chosen-in-console', redirect_uris: redirectUri, scope: 'openid' };
    await alice.act('/new-client', { ...form, id_token_signed_response_alg: 'PS256' });
    await owner.patch('/clients/chosen-by-command', { client_name: 'Another name' });
    await alice.act('/clients/chosen-in-console/change', { ...form, client_name: 'Another name' });
    const [byCommand, inConsole] = [await registered('chosen-by-command'), await registered('chosen-in-console')];
    expect(byCommand).toMatchObject({ client_name: 'Another name', id_token_signed_response_alg: 'EdDSA' });
    expect(inConsole).toMatchObject({ client_name: 'Another name', id_token_signed_response_alg: 'PS256' });
    await owner.patch('/clients/chosen-by-command', { id_token_signed_response_alg: null });
    expect(await registered('chosen-by-command')).toMatchObject({ id_token_signed_response_alg: 'RS256' });
  });

  test.each(['none', 'HS256', 'RS384', 'es256', ''])('is not %p: the refusal names the member', async (alg) => {
    const { status, body } = await owner.post('/clients', {
      ...app,
      client_id: 'refused',
      id_token_signed_response_alg: alg,
    });
    expect([status, JSON.stringify(body)]).toEqual([400, expect.stringContaining('/id_token_signed_response_alg')]);
  });

  test('is that of logout hints, which stay valid when the client is registered with another (RP-Initiated Logout §2)', async () => {
    await owner.post('/clients', { ...app, client_id: 'changing', id_token_signed_response_alg: 'ES256' });
    const browser = latchkey.browser();
    const { id_token } = await idTokenOf(latchkey, 'changing', client_secret, browser);
    await owner.patch('/clients/changing', { id_token_signed_response_alg: 'RS256' });
    await eventually(
      () => idTokenOf(latchkey, 'changing'),
      ({ alg }) => alg === 'RS256',
    );
    const logout = (hint: string) =>
      browser.get(`/oauth/logout?${new URLSearchParams({ id_token_hint: hint, post_logout_redirect_uri })}`);
    const [header, payload] = id_token.split('.') as [string, string, string];
    const forgedHeader = Buffer.from(JSON.stringify({ ...decodeProtectedHeader(id_token), alg: 'none' }));
    for (const forged of [`${header}.${payload}.`, `${forgedHeader.toString('base64url')}.${payload}.`])
      expect((await logout(forged)).status).toBe(400);
    const page = await browser.submit(await logout(id_token), { logout: 'yes' });
    expect(page.url.startsWith(post_logout_redirect_uri)).toBe(true);
  });

  test('is RS256 for signed authorization responses as well, where none is named (JARM §3)', async () => {
    const page = await latchkey.visit(
      latchkey.browser(),
      latchkey.authorizeUrl({ client_id: 'applied', scope: 'openid', resource: null, response_mode: 'jwt' }),
    );
    const response = new URL(page.url).searchParams.get('response') ?? '';
    expect(decodeProtectedHeader(response)).toMatchObject({ alg: 'RS256' });
    expect(decodeJwt(response)).toMatchObject({ code: expect.any(String) });
  });

  test('has a key after its rotation, and signatures of the previous key still verify', async () => {
    const { kid: before, id_token } = await idTokenOf(latchkey, 'applied');
    const { kid } = await latchkey.commandJson(['signing-key', 'rotate', '--alg', 'RS256', '--now']);
    await eventually(
      () => idTokenOf(latchkey, 'applied'),
      (made) => made.kid === kid,
    );
    const jwks = createRemoteJWKSet(new URL(`${latchkey.issuer}/oauth/jwks`));
    await expect(jwtVerify(id_token, jwks)).resolves.toMatchObject({ protectedHeader: { kid: before } });
  });

  test('gets a key on every node within a second when an installation lacks one', async () => {
    await latchkey.database.query("delete from signing_keys where alg in ('RS256', 'PS256')");
    await latchkey.startNode();
    const published = await eventually(
      async () => (await (await fetch(`${latchkey.issuer}/oauth/jwks`)).json()) as { keys: { alg: string }[] },
      ({ keys }) => algs.every((alg) => keys.filter((key) => key.alg === alg).length === 1),
    );
    expect(published.keys).toHaveLength(algs.length);
    for (const alg of ['RS256', 'PS256']) expect(await idTokenOf(latchkey, `applied-${alg}`)).toMatchObject({ alg });
  });
});

const migrationFolder = path.join(import.meta.dirname, '../../../db/migrations');

/** The tables before clients stored their algorithms. */
async function migrateBefore(url: string): Promise<void> {
  const all = new FileMigrationProvider({ fs, path, migrationFolder });
  const provider = {
    getMigrations: async () => {
      const { '0018_client_signing_algorithms': _, ...others } = await all.getMigrations();
      return others;
    },
  };
  const pool = new pg.Pool({ connectionString: url, max: 1 });
  const db = new Kysely<unknown>({ dialect: new PostgresDialect({ pool }) });
  const { error } = await new Migrator({ db, provider }).migrateToLatest();
  await db.destroy();
  if (error) throw error;
}

describe('a client from before algorithms were stored', () => {
  let database: TestDatabase;
  beforeAll(async () => {
    database = await createTestDatabase();
    await migrateBefore(database.url);
  });
  afterAll(() => database.drop());

  /** Inserts a client like an older version. */
  const insertOld = (client_id: string, metadata = {}) => {
    const { redirect_uris, token_endpoint_auth_method, scope } = app;
    return database.query(
      `with s as (insert into subjects (id, kind) values ($1, 'client'))
        insert into clients (id, client_id, type, metadata, resources, service_permissions, introspects, lifetimes, created_at, updated_at)
          values ($1, $2, 'web', $3, '{}', '{}', '[]', '{}', now(), now())`,
      [crypto.randomUUID(), client_id, { redirect_uris, token_endpoint_auth_method, scope, ...metadata }],
    );
  };
  const algOf = async (client_id: string) => {
    const { rows } = await database.query('select metadata from clients where client_id = $1', [client_id]);
    return rows[0].metadata.id_token_signed_response_alg;
  };

  test('keeps ES256, or the algorithm it chose, also when an unchanged file is applied again or an older node writes it', async () => {
    await insertOld('old');
    await insertOld('old-eddsa', { id_token_signed_response_alg: 'EdDSA' });
    const clients = ['old', 'old-eddsa', 'new'].map((client_id) => ({ ...app, client_id }));
    const server = await startServerProcess({ databaseUrl: database.url, apply: { clients } });
    try {
      await insertOld('late');
      expect(await Promise.all(['old', 'old-eddsa', 'late', 'new'].map(algOf))).toEqual([
        'ES256',
        'EdDSA',
        'ES256',
        'RS256',
      ]);
      const env = { DATABASE_URL: database.url, LATCHKEY_ROOT_KEY: testRootKey };
      const { stdout } = await runCommand(['export', '--json'], { env });
      const exported = JSON.parse(stdout).clients as { client_id: string; authorization_signed_response_alg: string }[];
      expect(exported.find(({ client_id }) => client_id === 'old')).toMatchObject({
        id_token_signed_response_alg: 'ES256',
        authorization_signed_response_alg: 'ES256',
      });
    } finally {
      await server.stop();
    }
  });
});
