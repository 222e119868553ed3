import { type ChildProcess, execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { cp, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { createInterface } from 'node:readline';
import type { Readable } from 'node:stream';
import { promisify } from 'node:util';
import * as v2 from '@modelcontextprotocol/client';
import { StdioClientTransport } from '@modelcontextprotocol/client/stdio';
import * as v1Extensions from '@modelcontextprotocol/sdk/client/auth-extensions.js';
import { exportJWK, exportPKCS8, generateKeyPair } from 'jose';
import { type AdminApi, asOwner } from '../support/admin.ts';
import { makeServerCertificate } from '../support/certificates.ts';
import { DocumentHost } from '../support/document-host.ts';
import { eventually } from '../support/eventually.ts';
import { freePort } from '../support/free-port.ts';
import { Latchkey } from '../support/latchkey.ts';
import { McpApp, type McpAppOptions } from '../support/mcp-app.ts';
import { publishedDocuments } from '../support/mcp-documents.ts';
import { clientInfo, libraries, sessionOfV1, sessionOfV2, textOf } from '../support/mcp-libraries.ts';
import { installPacked } from '../support/packed-guard.ts';
import { testRootKey } from '../support/server.ts';

const run = promisify(execFile);
const root = path.join(import.meta.dirname, '../..');
const modules = path.join(root, 'node_modules');
const example = 'examples/mcp-server';
/** Commands come from this checkout, without a registry. */
const found = `latchkey() { node ${root}/bin/latchkey.js "$@"; }
  npm() { case "$1" in start) exec node main.ts ;; esac; }
  npx() { shift 3; exec node ${modules}/mcp-remote/dist/client.js "$@"; }`;

/** The example as in its README, and the usual clients of MCP servers. */
describe('the MCP server', () => {
  const latchkey = new Latchkey();
  let owner: AdminApi;
  let documents: DocumentHost;
  let folder = '';
  let env: NodeJS.ProcessEnv = {};
  let server: ChildProcess;
  let address = '';
  let [blocks, outputs] = [[''], ['']];
  const shell = async (script: string, at = folder) =>
    (await run('bash', ['-euc', `${found}\n${script}`], { cwd: at, env })).stdout;

  beforeAll(async () => {
    folder = await mkdtemp(path.join(os.tmpdir(), 'latchkey-mcp-'));
    const { ca, ...tls } = await makeServerCertificate();
    await writeFile(path.join(folder, 'ca.pem'), ca);
    documents = new DocumentHost(tls);
    await documents.start();
    await latchkey.start({
      env: { NODE_EXTRA_CA_CERTS: path.join(folder, 'ca.pem'), LATCHKEY_REGISTRATION: 'open' },
    });
    owner = await asOwner(latchkey);
    await cp(path.join(root, example), path.join(folder, example), { recursive: true });
    await installPacked(path.join(folder, example, 'node_modules'), ['@modelcontextprotocol', 'zod']);
    const port = String(await freePort());
    address = `http://localhost:${port}/mcp`;
    const here = (text: string) =>
      text.replaceAll('http://localhost:3000', latchkey.issuer).replaceAll('localhost:4200', `localhost:${port}`);
    const file = path.join(folder, example, 'latchkey.yaml');
    await writeFile(file, here(await readFile(file, 'utf8')));
    const readme = here(await readFile(path.join(folder, example, 'README.md'), 'utf8'));
    const fenced = [...readme.matchAll(/^```(.*)\n([\s\S]*?)^```/gm)];
    blocks = fenced.flatMap(([, language, code = '']) => (language === 'sh' ? [code] : []));
    outputs = fenced.flatMap(([, language, code = '']) => (language === '' ? [code] : []));
    env = {
      ...{ PATH: `${path.dirname(process.execPath)}:${process.env.PATH}`, HOME: folder, PORT: port },
      ...{ DATABASE_URL: latchkey.database.url, LATCHKEY_ROOT_KEY: testRootKey, LATCHKEY_ISSUER: latchkey.issuer },
    };
    const [, apply, key, start] = blocks;
    const exported = await shell(`${apply}${key}\nnode -p "'\\n' + JSON.stringify(process.env)"`);
    env = JSON.parse(exported.trim().split('\n').at(-1) ?? '');
    server = spawn('bash', ['-euc', `${found}\n${start}wait`], {
      ...{ cwd: folder, env, detached: true },
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    if (server.stdout) await once(server.stdout, 'data');
  });
  afterAll(async () => {
    // Also the child processes of the shell.
    if (server?.pid) process.kill(-server.pid);
    await latchkey.stop();
    await documents.stop();
    await rm(folder, { recursive: true, force: true });
  });

  let count = 0;
  /** A registered client that is unused. */
  async function registered(options: McpAppOptions = {}, more: object = {}): Promise<McpApp> {
    count += 1;
    const client = {
      ...{ client_id: `assistant-${count}`, client_name: 'Assistant', application_type: 'native' },
      ...{ redirect_uris: ['http://localhost/callback'], token_endpoint_auth_method: 'none' },
      ...{ grant_types: ['authorization_code', 'refresh_token'], resources: { [address]: ['notes:*'] }, ...more },
    };
    expect((await owner.post('/clients', client)).status).toBe(201);
    return new McpApp(latchkey, { client_id: client.client_id, ...options });
  }

  async function openToAnyone(): Promise<void> {
    const path = `/resource-servers/${encodeURIComponent(address)}`;
    expect((await owner.patch(path, { open_to: 'anyone' })).status).toBe(200);
  }

  test('tells clients where to get a token and which scopes to request, as its README shows', async () => {
    expect((await shell(blocks[4] ?? '')).trim()).toBe(outputs[0]?.trim());
    const elsewhere = await fetch(address, { method: 'POST', headers: { origin: 'https://evil.example' } });
    expect(elsewhere.status).toBe(403);
    expect((await fetch(`${address}/`, { method: 'POST' })).status).toBe(401);
  });

  test('lets clients in a browser read the metadata, with the header they send (Fetch Standard §3.3)', async () => {
    const origin = 'http://localhost:6274';
    const headers = { origin, 'access-control-request-headers': 'mcp-protocol-version' };
    const { issuer } = latchkey;
    for (const [url, method] of [
      [new URL('/.well-known/oauth-protected-resource/mcp', address).href, 'GET'],
      [`${issuer}/.well-known/oauth-authorization-server`, 'GET'],
      [`${issuer}/.well-known/openid-configuration`, 'GET'],
      [`${issuer}/oauth/token`, 'POST'],
      [`${issuer}/oauth/register`, 'POST'],
    ] as const) {
      const preflight = { method: 'OPTIONS', headers: { ...headers, 'access-control-request-method': method } };
      const answer = await fetch(url, preflight);
      expect([url, answer.status, ['*', origin]]).toEqual([
        ...[url, 204, expect.arrayContaining([answer.headers.get('access-control-allow-origin')])],
      ]);
      expect(answer.headers.get('access-control-allow-headers')).toMatch(/\*|\bmcp-protocol-version\b/i);
    }
  });

  describe.each(Object.entries(libraries))('%s', (name, open) => {
    test('connects a registered client, which gets a refresh token by its grant types and uses it', async () => {
      const app = await registered();
      const session = open(new URL(address), app);
      await expect(session.connect()).rejects.toThrow(/Unauthorized/);
      const { callback, asked } = await app.allow();
      expect(asked).toEqual(['notes:read']);
      expect(Object.fromEntries(callback)).toEqual({
        ...{ code: expect.any(String), state: 'a state of the app', iss: latchkey.issuer },
      });
      await session.finish(callback);
      expect(await session.call('list_notes')).toBe('There are no notes.');
      const first = app.tokens();
      expect(first).toMatchObject({ scope: 'notes:read', refresh_token: expect.any(String) });
      app.lose('access_token');
      expect(await session.call('list_notes')).toBe('There are no notes.');
      expect(app.tokens()?.refresh_token).not.toBe(first?.refresh_token);
      expect(app.requests).toHaveLength(1);
    });

    test('asks the user for the difference when a tool needs more (step-up)', async () => {
      // It adds offline_access and prompt=consent if the app wants refresh tokens.
      const app = await registered({ metadata: { grant_types: ['authorization_code', 'refresh_token'] } });
      const session = open(new URL(address), app);
      await expect(session.connect()).rejects.toThrow(/Unauthorized/);
      await session.finish((await app.allow()).callback);
      // Version 1 refreshes whatever the challenge says, and fails if that does not help.
      if (name.includes('sdk 1')) app.lose('refresh_token');
      await expect(session.call('add_note', 'buy milk')).rejects.toThrow(/Unauthorized/);
      const { callback, asked, page } = await app.allow();
      expect(asked).toEqual(['notes:write']);
      expect(page).toMatch(/class="before"[\s\S]*Read your notes/);
      await session.finish(callback);
      expect(await session.call('add_note', 'buy milk')).toMatch(/^Note \d+ was added\.$/);
      if (name.includes('sdk 1')) app.lose('refresh_token');
      await expect(session.call('delete_notes')).rejects.toThrow(/Unauthorized/);
      const more = await app.allow();
      expect(more.asked).toEqual(['notes:delete']);
      await session.finish(more.callback);
      expect(await session.call('delete_notes')).toMatch(/^\d+ notes were deleted\.$/);
    });
  });

  test('@modelcontextprotocol/client 2.4.0 connects a client with tokens bound to its key (RFC 9449)', async () => {
    const app = await registered({ dpop: await v2.DpopSession.create() });
    const session = sessionOfV2(new URL(address), app, 'auto');
    await expect(session.connect()).rejects.toThrow(/Unauthorized/);
    await session.finish((await app.allow()).callback);
    expect(app.tokens()).toMatchObject({ token_type: 'DPoP' });
    expect(await session.call('list_notes')).toEqual(expect.any(String));
    await expect(session.call('add_note', 'buy rice')).rejects.toThrow(/Unauthorized/);
    await session.finish((await app.allow()).callback);
    expect(await session.call('add_note', 'buy rice')).toMatch(/was added/);
    // Without the key the token cannot be used.
    const authorization = `Bearer ${app.tokens()?.access_token}`;
    expect((await fetch(address, { method: 'POST', headers: { authorization } })).status).toBe(401);
  });

  const unregistered = Object.entries(publishedDocuments).flatMap(([client_name, published]) =>
    Object.entries(libraries).map(([name, open]) => ({ client_name, name, open, ...published })),
  );
  test.each(unregistered)('$client_name connects by its metadata document alone, with $name', async (each) => {
    const { client_name, name, open, path: at, redirectUrl, document } = each;
    const { publicKey, privateKey } = await generateKeyPair('RS256', { extractable: true });
    const jwks_uri = documents.publish('/jwks.json', { keys: [{ ...(await exportJWK(publicKey)), kid: 'one' }] });
    const isConfidential = 'token_endpoint_auth_method' in document;
    const clientMetadataUrl = documents.document(`${at}-${name.length}`, {
      ...{ client_name, ...document, ...(isConfidential && { jwks_uri }) },
    });
    const app = new McpApp(latchkey, {
      ...{ redirectUrl, clientMetadataUrl, metadata: { grant_types: ['authorization_code', 'refresh_token'] } },
      ...(isConfidential && {
        addClientAuthentication: v2.createPrivateKeyJwtAuth({
          ...{ issuer: clientMetadataUrl, subject: clientMetadataUrl, alg: 'RS256' },
          privateKey: await exportPKCS8(privateKey),
        }),
      }),
    });
    const session = open(new URL(address), app);
    await expect(session.connect()).rejects.toThrow(/Unauthorized/);
    const { callback, asked, page } = await app.allow();
    expect(asked).toContain('notes:read');
    expect(page).toContain(`<strong>${new URL(clientMetadataUrl).host}</strong>`);
    expect(page).toContain(`<strong>${new URL(redirectUrl).host}</strong>`);
    await session.finish(callback);
    expect(await session.call('list_notes')).toEqual(expect.any(String));
    app.lose('access_token');
    expect(await session.call('list_notes')).toEqual(expect.any(String));
    expect(app.requests).toHaveLength(1);
    if (name.includes('sdk 1')) app.lose('refresh_token');
    await expect(session.call('add_note', 'buy bread')).rejects.toThrow(/Unauthorized/);
    const more = await app.allow();
    expect(more.asked).toEqual(['notes:write']);
    await session.finish(more.callback);
    expect(await session.call('add_note', 'buy bread')).toMatch(/was added/);
  });

  const selfRegistered = Object.entries(libraries).flatMap(([name, open]) =>
    [
      // The redirect URI of Cursor.
      { redirectUrl: 'cursor://anysphere.cursor-mcp/oauth/callback', metadata: {} },
      { metadata: { token_endpoint_auth_method: 'none', grant_types: ['authorization_code', 'refresh_token'] } },
    ].map((options) => ({ name, open, options })),
  );
  test.each(selfRegistered)(
    'an app of $name registers itself with $options, and connects',
    async ({ name, open, options }) => {
      await openToAnyone();
      const app = new McpApp(latchkey, options);
      const session = open(new URL(address), app);
      await expect(session.connect()).rejects.toThrow(/Unauthorized/);
      expect(app.clientInformation()).toMatchObject({ client_id: expect.any(String) });
      const { callback, asked, page } = await app.allow();
      expect(asked).toContain('notes:read');
      const { host, protocol } = new URL(app.redirectUrl);
      // The rest of a custom scheme is arbitrary: it identifies no one.
      expect(page).toContain(`<strong>${protocol === 'cursor:' ? protocol : host}</strong>`);
      await session.finish(callback);
      expect(await session.call('list_notes')).toEqual(expect.any(String));
      app.lose('access_token');
      expect(await session.call('list_notes')).toEqual(expect.any(String));
      expect(app.requests).toHaveLength(1);
      if (name.includes('sdk 1')) app.lose('refresh_token');
      await expect(session.call('add_note', 'buy salt')).rejects.toThrow(/Unauthorized/);
      const more = await app.allow();
      expect(more.asked).toEqual(['notes:write']);
      await session.finish(more.callback);
      expect(await session.call('add_note', 'buy salt')).toMatch(/was added/);
    },
  );

  test.each([
    ['@modelcontextprotocol/client 2.4.0', v2.PrivateKeyJwtProvider, sessionOfV2],
    ['@modelcontextprotocol/sdk 1.32.2', v1Extensions.PrivateKeyJwtProvider, sessionOfV1],
  ] as const)(
    '%s connects an agent with client credentials and private_key_jwt (RFC 7523)',
    async (name, Provider, open) => {
      const expectedIssuer = latchkey.issuer;
      for (const algorithm of ['ES256', 'RS256']) {
        const { publicKey, privateKey } = await generateKeyPair(algorithm, { extractable: true });
        const clientId = `agent-${algorithm}-${name.length}`;
        const agent = {
          ...{
            client_id: clientId,
            grant_types: ['client_credentials'],
            token_endpoint_auth_method: 'private_key_jwt',
          },
          ...{ token_endpoint_auth_signing_alg: algorithm, jwks: { keys: [await exportJWK(publicKey)] } },
          service_permissions: { [address]: ['notes:read', 'notes:write'] },
        };
        expect((await owner.post('/clients', agent)).status).toBe(201);
        const provider = new Provider({
          clientId,
          privateKey: await exportPKCS8(privateKey),
          algorithm,
          expectedIssuer,
        });
        const session = open(new URL(address), provider as never, 'legacy');
        await session.connect();
        expect(await session.call('list_notes')).toBe('There are no notes.');
      }
    },
  );

  /** Opens the URL that a program prints for the user. */
  function follow(lines: Readable): void {
    const browser = latchkey.browser();
    // It starts to listen for the response only after no browser could be opened, which may be later than this user's response.
    const called = (url: string) =>
      eventually(
        () => fetch(url).catch(() => undefined),
        (answer) => answer !== undefined,
      );
    createInterface({ input: lines }).on('line', (line) => {
      const isRequest = line.startsWith(`${latchkey.issuer}/oauth/authorize?`);
      if (isRequest) void latchkey.visit(browser, line).then(({ url }) => called(url));
    });
  }

  test('the test client of mcp-remote lists the tools, as in the README', async () => {
    const client = spawn('bash', ['-euc', `${found}\n${blocks[5]}`], { cwd: folder, env, stdio: 'pipe' });
    follow(client.stderr);
    let printed = '';
    for (const stream of [client.stdout, client.stderr]) stream.on('data', (data) => (printed += data));
    await once(client, 'exit');
    expect(printed).toMatch(/"name": "list_notes"[\s\S]*Exiting OK/);
  });

  test.each([
    ['registered beforehand', () => ['--static-oauth-client-info', '{"client_id":"notes-assistant"}']],
    ['described by a document', () => ['--client-metadata-url', remoteDocument()]],
    ['registered by itself', () => []],
  ])('mcp-remote connects an app that starts local servers: %s', async (how, more) => {
    await openToAnyone();
    const transport = new StdioClientTransport({
      command: process.execPath,
      args: [path.join(modules, 'mcp-remote/dist/proxy.js'), address, '--auth-timeout', '120', ...more()],
      env: { HOME: path.join(folder, how), PATH: env.PATH ?? '' },
      stderr: 'pipe',
    });
    if (transport.stderr) follow(transport.stderr as Readable);
    const app = new v2.Client(clientInfo);
    try {
      await app.connect(transport);
      const added = textOf(await app.callTool({ name: 'add_note', arguments: { text: how } }));
      expect(added).toMatch(/^Note \d+ was added\.$/);
      expect(textOf(await app.callTool({ name: 'list_notes', arguments: {} }))).toContain(how);
    } finally {
      await app.close();
    }
  });
  const remoteDocument = () =>
    documents.document('/mcp-remote.json', {
      ...{ client_name: 'mcp-remote', redirect_uris: ['http://localhost/oauth/callback'] },
      grant_types: ['authorization_code', 'refresh_token'],
    });

  test('the conformance suite of MCP reports no error of the authorization server', async () => {
    const suite = path.join(modules, '@modelcontextprotocol/conformance/dist/index.js');
    const results = path.join(folder, 'conformance');
    const port = String(await freePort());
    const about = ['--url', latchkey.issuer, '--client-id', 'notes-assistant', '--resource', address];
    const child = spawn(process.execPath, [suite, 'authorization', ...about, '--port', port, '-o', results], {
      ...{ cwd: folder, env, stdio: ['ignore', 'pipe', 'inherit'] },
    });
    const browser = latchkey.browser();
    if (child.stdout)
      createInterface({ input: child.stdout }).on('line', (line) => {
        if (line.startsWith(latchkey.issuer)) void latchkey.visit(browser, line).then(({ url }) => fetch(url));
      });
    const [code] = await once(child, 'exit');
    const runs = await readdir(results);
    const checks = await Promise.all(
      runs.map(async (each) => JSON.parse(await readFile(path.join(results, each, 'checks.json'), 'utf8'))),
    );
    const told = checks.flat().map(({ id, status, errorMessage }) => ({ id, status, errorMessage }));
    expect(told.filter(({ status }) => status !== 'SUCCESS')).toEqual([]);
    expect([code, told.length]).toEqual([0, 3]);
  });
});
