import { mkdtemp, readdir, rm, stat } from 'node:fs/promises';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import os from 'node:os';
import path from 'node:path';
import express from 'express';
import fc from 'fast-check';
import fastify from 'fastify';
import Koa from 'koa';
import * as oidc from 'openid-client';
import { classes } from '../../packages/guard/src/authentication.ts';
import {
  createGuard,
  expressGuard,
  expressMetadata,
  fastifyGuard,
  fastifyMetadata,
  type Guard,
  type GuardOptions,
  koaGuard,
  koaMetadata,
  nodeGuard,
  nodeMetadata,
} from '../../packages/guard/src/index.ts';
import { allows } from '../../packages/guard/src/permissions.ts';
import { kindOf } from '../../packages/guard/src/verdict-kinds.ts';
import { allows as serverAllows } from '../../src/domain/access/index.ts';
import { keyCodeKinds } from '../../src/domain/api-keys/index.ts';
import { assuranceClasses } from '../../src/domain/assurance/index.ts';
import { type AdminApi, asOwner } from '../support/admin.ts';
import { eventually } from '../support/eventually.ts';
import { Gateway } from '../support/gateway.ts';
import { api, jwtApi, standardInstallation } from '../support/installation.ts';
import { startLatchkey } from '../support/latchkey.ts';
import { installTarball, runAndCheck } from '../support/packed-guard.ts';
import { statusOf } from '../support/status-list.ts';

const need = { permission: 'report:read' };

/** A small API behind each kind of guard. */
const kinds: Record<string, (guard: Guard) => Promise<Server>> = {
  'plain Node': async (guard) => {
    const guarded = nodeGuard(guard);
    const described = nodeMetadata(guard);
    return createServer(async (request: IncomingMessage, response: ServerResponse) => {
      if (described(request, response)) return;
      const who = await guarded(request, response, need);
      if (who) response.end(JSON.stringify(who));
    });
  },
  Express: async (guard) => {
    const app = express();
    app.use(expressMetadata(guard));
    app.get('/reports', expressGuard(guard)(need), (request, response) => {
      response.json((request as unknown as { latchkey: object }).latchkey);
    });
    return createServer(app);
  },
  Koa: async (guard) => {
    const app = new Koa();
    app
      .use(koaMetadata(guard))
      .use(koaGuard(guard)(need))
      .use((ctx) => {
        ctx.body = ctx.state.latchkey;
      });
    return createServer(app.callback());
  },
  Fastify: async (guard) => {
    const app = fastify();
    app.addHook('onRequest', fastifyMetadata(guard));
    app.get(
      '/reports',
      { preHandler: fastifyGuard(guard)(need) },
      (request) => (request as unknown as { latchkey: object }).latchkey,
    );
    await app.ready();
    return app.server;
  },
};

describe('an API that guards its routes', () => {
  const apis = standardInstallation.resource_servers.map((server) =>
    server.identifier === jwtApi
      ? { ...server, scopes: [...server.scopes, { name: 'report:write', description: 'Change your reports' }] }
      : server,
  );
  const latchkey = startLatchkey({ apply: { ...standardInstallation, resource_servers: apis } });
  const servers: Server[] = [];
  let owner: AdminApi;
  let key = '';
  beforeAll(async () => {
    owner = await asOwner(latchkey);
    key = (await (await Gateway.open(latchkey, owner)).mint({ permissions: ['latchkey:verify'] })).key;
  });
  afterAll(() => Promise.all(servers.map((server) => new Promise((resolve) => server.close(resolve)))));

  async function serve(kind: string, options: Partial<GuardOptions> = {}): Promise<string> {
    const guard = createGuard({ issuer: latchkey.issuer, resource: jwtApi, key, ...options });
    const server = await (kinds[kind] as (guard: Guard) => Promise<Server>)(guard);
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    servers.push(server);
    return `http://127.0.0.1:${(server.address() as AddressInfo).port}/reports`;
  }
  const get = async (url: string, headers: Record<string, string> = {}) => {
    const response = await fetch(url, { headers });
    const text = await response.text();
    return { status: response.status, headers: response.headers, body: text ? JSON.parse(text) : {} };
  };
  const bearer = (token: string) => ({ authorization: `Bearer ${token}` });
  const jwt = async (scope = 'report:read') =>
    (await latchkey.clientCredentials({ resource: jwtApi, scope })).body.access_token;
  const mint = async (input: object) => (await Gateway.open(latchkey, owner)).mint(input);

  test.each(Object.keys(kinds))(
    'with %s accepts callers with the permission, and explains a refusal to others',
    async (kind) => {
      const url = await serve(kind);
      const allowed = await get(url, bearer(await jwt()));
      expect(allowed).toMatchObject({
        status: 200,
        body: { subject: 'service', subject_kind: 'client', permissions: ['report:read'] },
      });
      const nobody = await get(url);
      expect(nobody.status).toBe(401);
      expect(nobody.headers.get('www-authenticate')).toBe('Bearer realm="latchkey"');
      expect(nobody.headers.get('content-type')).toMatch(/^application\/problem\+json/);
      const other = await get(url, bearer(await jwt('report:write')));
      expect(other.status).toBe(403);
      expect(other.headers.get('www-authenticate')).toContain('error="insufficient_scope"');
      expect(other.headers.get('www-authenticate')).toContain('scope="report:read"');
      const minted = await mint({ permissions: ['report:*'] });
      expect(await get(url, { 'x-api-key': minted.key })).toMatchObject({ status: 200, body: { key_id: minted.id } });
      expect((await get(url, bearer(minted.key))).status).toBe(200);
      expect((await get(url, { 'x-api-key': 'sk_dev_nonsense' })).status).toBe(401);
      // Two credentials of Latchkey are refused; another Authorization header belongs to the application.
      const { key: second } = await mint({ permissions: ['report:*'] });
      const basicOf = (text: string) => ({ authorization: `Basic ${btoa(text)}` });
      for (const more of [bearer(await jwt()), bearer(second), basicOf(`${second}:`)])
        expect((await get(url, { 'x-api-key': minted.key, ...more })).status).toBe(400);
      for (const more of [bearer('e30.e30.e30'), bearer('another'), basicOf('alice:secret')])
        expect((await get(url, { 'x-api-key': minted.key, ...more })).status).toBe(200);
      for (const text of [`${minted.key}:`, `api:${minted.key}`])
        expect((await get(url, basicOf(text))).status).toBe(200);
      expect((await get(url, basicOf(`${minted.key}:${second}`))).status).toBe(400);
      expect((await get(url, basicOf('alice:secret'))).status).toBe(401);
    },
  );

  test.each(Object.keys(kinds))('with %s describes itself to unknown clients (RFC 9728)', async (kind) => {
    const resource = 'https://mcp.example/notes/mcp';
    const metadata = { scopes_supported: ['report:list'], resource_name: 'Notes' };
    const url = await serve(kind, { resource, metadata });
    const at = '/.well-known/oauth-protected-resource/notes/mcp';
    for (const path of [at, `${at}/`, `${at}?x=1`, '/.well-known/oauth-protected-resource']) {
      const { status, headers, body } = await get(new URL(path, url).href);
      expect([status, headers.get('content-type'), headers.get('access-control-allow-origin')]).toEqual([
        ...[200, expect.stringMatching(/^application\/json/), '*'],
      ]);
      expect(body).toEqual({
        resource,
        authorization_servers: [latchkey.issuer],
        scopes_supported: ['report:list'],
        bearer_methods_supported: ['header'],
        resource_name: 'Notes',
      });
    }
    const preflight = await fetch(new URL(at, url), { method: 'OPTIONS' });
    expect([preflight.status, preflight.headers.get('access-control-allow-headers')]).toEqual([204, '*']);
    expect((await fetch(new URL(at, url), { method: 'POST' })).status).toBe(405);
    expect((await fetch(new URL('/.well-known/oauth-protected-resource/notes', url))).status).not.toBe(200);
    const nobody = await get(url);
    const where = `resource_metadata="https://mcp.example${at}"`;
    expect([nobody.status, nobody.headers.get('www-authenticate')]).toEqual([
      401,
      `Bearer scope="report:read", ${where}`,
    ]);
    expect((await get(url, bearer(await jwt()))).headers.get('www-authenticate')).toBe(
      `Bearer error="invalid_token", scope="report:read", ${where}, error_description="The access token is not for ${resource}."`,
    );
  });

  test('requests all permissions of the route from a caller that lacks some (RFC 6750 §3.1)', async () => {
    const guard = createGuard({
      issuer: latchkey.issuer,
      resource: jwtApi,
      key,
      metadata: { scopes_supported: ['report:read'] },
    });
    const challenge = async (permission: string[], authorization?: string) => {
      const headers = authorization ? { authorization } : {};
      const outcome = await guard.check({ method: 'GET', url: '/', headers }, { permission });
      return outcome.kind === 'refused' ? [outcome.refusal.status, outcome.refusal.headers['WWW-Authenticate']] : [];
    };
    const where = 'resource_metadata="https://jwt.example/.well-known/oauth-protected-resource"';
    const both = ['report:read', 'report:write'];
    const token = `Bearer ${await jwt()}`;
    const minted = `Bearer ${(await mint({ permissions: ['report:read'] })).key}`;
    for (const caller of [token, minted])
      expect(await challenge(both, caller)).toEqual([
        403,
        `Bearer error="insufficient_scope", scope="report:read report:write", ${where}, error_description="This needs 'report:write'."`,
      ]);
    expect(await challenge([])).toEqual([401, `Bearer scope="report:read", ${where}`]);
    // A name from the request can neither require more, nor end the quotes, nor look like another parameter.
    for (const hostile of [
      'report:read admin',
      'a", scope="admin',
      'resource_metadata=https://evil.example',
      'é\r\n',
    ]) {
      const [status, header = ''] = await challenge([`report:${hostile}`, 'report:write'], token);
      expect(status).toBe(403);
      const [, described] = String(header).split(`, ${where}, `);
      expect(described).toMatch(/^error_description="[^"=\\]*"$/);
      expect(
        String(header)
          .match(/scope="([^"]*)"/)?.[1]
          ?.split(' ')
          .at(-1),
      ).toBe('report:write');
      expect(header).not.toMatch(/scope="[^"]*\badmin/);
    }
    const described = { issuer: latchkey.issuer, resource: 'urn:notes', metadata: {} };
    expect(() => createGuard(described)).toThrow(/identifier/);
    for (const scope of ['a b', 'a"', 'offline_access']) {
      const metadata = { scopes_supported: ['a', scope] };
      expect(() => createGuard({ ...described, resource: jwtApi, metadata })).toThrow(`"${scope}"`);
    }
  });

  test.each([
    ['10.0.1.5', '10.0.1.5', 'allowed'],
    ['10.0.1.5', '10.0.1.5:50123', 'allowed'],
    ['10.0.1.5', '::ffff:10.0.1.5', 'allowed'],
    ['2001:db8::5', '[2001:db8::5]:443', 'allowed'],
    ['fe80::/10', 'fe80::1%eth0', 'allowed'],
    ['10.0.1.5', '10.0.1.6', 'refused'],
    ['10.0.1.5', 'unknown', 'refused'],
    ['10.0.1.5', undefined, 'refused'],
  ])('asks about a key for %s, which came from %s: %s', async (network, ip, kind) => {
    const minted = await mint({ permissions: ['report:*'], restrictions: { ip_allowlist: [network] } });
    const guard = createGuard({ issuer: latchkey.issuer, resource: jwtApi, key });
    const headers = { 'x-api-key': minted.key };
    expect(await guard.check({ method: 'GET', url: '/reports', headers, ip }, need)).toMatchObject({ kind });
  });

  test('refuses a token for another API, one of an unknown client, and one whose signature was changed', async () => {
    const url = await serve('plain Node');
    const opaque = (await latchkey.clientCredentials({ resource: api })).body.access_token;
    expect((await get(url, bearer(opaque))).status).toBe(401);
    expect((await get(url, bearer(`${opaque.slice(0, -3)}abc`))).status).toBe(401);
    const token = await jwt();
    const [header, payload, signature = ''] = token.split('.');
    const forged = `${header}.${payload}.${signature.slice(0, -4)}${signature.endsWith('AAAA') ? 'BBBB' : 'AAAA'}`;
    expect((await get(url, bearer(forged))).status).toBe(401);
    const unsigned = `${Buffer.from('{"alg":"none","typ":"at+jwt"}').toString('base64url')}.${payload}.`;
    expect((await get(url, bearer(unsigned))).status).toBe(401);
    expect((await get(await serve('plain Node', { resource: api }), bearer(token))).status).toBe(401);
  });

  test('refuses a revoked key within a second, and a revoked JWT by its status list', async () => {
    const url = await serve('plain Node');
    const minted = await mint({ permissions: ['report:read'] });
    const token = await jwt();
    expect((await get(url, { 'x-api-key': minted.key })).status).toBe(200);
    await owner.post(`/api-keys/${minted.id}/revoke`);
    await owner.post('/revocations', { handle: { token } });
    await new Promise((resolve) => setTimeout(resolve, 1100));
    expect((await get(url, { 'x-api-key': minted.key })).status).toBe(401);
    await eventually(
      () => statusOf(latchkey, token),
      (status) => status === 1,
    );
    // The list was not fetched for another token before, and this one is on it.
    expect((await get(url, bearer(token))).status).toBe(401);
  });

  test('counts every request against the limits of a key, at any speed', async () => {
    const url = await serve('plain Node');
    const limited = await mint({ permissions: ['report:read'], restrictions: { rate_limit: ['5 requests/hour'] } });
    const answers = await Promise.all(Array.from({ length: 20 }, () => get(url, { 'x-api-key': limited.key })));
    expect(answers.filter(({ status }) => status === 200)).toHaveLength(5);
    const refused = answers.filter(({ status }) => status === 429);
    expect(refused).toHaveLength(15);
    expect(Number(refused[0]?.headers.get('retry-after'))).toBeGreaterThan(0);
  });

  test('accepts no request when neither keys nor gateway can be reached, and reports it', async () => {
    const told: unknown[] = [];
    const options = { issuer: 'http://127.0.0.1:9', onError: (error: unknown) => void told.push(error) };
    const url = await serve('plain Node', options);
    for (const headers of [bearer(await jwt()), { 'x-api-key': (await mint({})).key }]) {
      const answer = await get(url, headers);
      expect(answer.status).toBe(503);
      expect(answer.headers.get('retry-after')).toBe('2');
    }
    expect(told).toHaveLength(2);
    expect(() => createGuard({ issuer: 'http://id.example', resource: api })).toThrow(/https/);
  });

  test('accepts a sender-constrained token only with its proof for this exact request (RFC 9449 §7)', async () => {
    const config = await oidc.discovery(
      new URL(latchkey.issuer),
      'service',
      {},
      oidc.ClientSecretBasic('the secret of the service'),
      {
        execute: [oidc.allowInsecureRequests],
      },
    );
    const dpop = oidc.getDPoPHandle(config, await oidc.randomDPoPKeyPair('ES256'));
    const parameters = { resource: jwtApi, scope: 'report:read' };
    const { access_token } = await oidc.clientCredentialsGrant(config, parameters, { DPoP: dpop });
    const url = await serve('plain Node');
    expect((await get(url, bearer(access_token))).status).toBe(401);
    const known = new URL('/reports', jwtApi);
    let proved: RequestInit | undefined;
    Object.assign(config, {
      [oidc.customFetch]: async (_: string, init: RequestInit) => {
        proved = init;
        return new Response('{}');
      },
    });
    await oidc.fetchProtectedResource(config, access_token, known, 'GET', undefined, undefined, { DPoP: dpop });
    const headers = Object.fromEntries(new Headers(proved?.headers).entries());
    const sent = { authorization: headers.authorization ?? '', dpop: headers.dpop ?? '' };
    expect((await get(url, sent)).status).toBe(200);
    expect((await get(url, sent)).status).toBe(401);
  });

  test('is packed as JavaScript that a project without TypeScript runs, with types that compile', async () => {
    const folder = await mkdtemp(path.join(os.tmpdir(), 'latchkey-guard-'));
    const { installed, files, dependencies } = await installTarball('guard', folder);
    const outside = files.filter((file) => !/^dist\/[a-z-]+(\.d)?\.[jt]s$/.test(file));
    expect(outside).toEqual(['LICENSE', 'README.md', 'package.json']);
    expect(dependencies).toEqual(['jose']);
    expect((await sizeOf(installed)) + (await sizeOf(path.join(folder, 'node_modules/jose')))).toBeLessThan(1_000_000);
    const program = `import { createGuard } from '@latchkey/guard';
      const guard = createGuard({ issuer: '${latchkey.issuer}', resource: '${jwtApi}' });
      const request = { method: 'GET', url: '/', headers: { authorization: 'Bearer ' + process.argv[2] } };
      const outcome = await guard.check(request, { permission: 'report:read' });
      console.log(outcome.kind);`;
    expect(await runAndCheck(folder, program, await jwt())).toBe('allowed\n');
    await rm(folder, { recursive: true });
  });
});

/** Bytes of all files in a folder. */
async function sizeOf(folder: string): Promise<number> {
  const files = (await readdir(folder, { recursive: true })).map((name) => stat(path.join(folder, name)));
  return (await Promise.all(files)).reduce((sum, file) => sum + (file.isFile() ? file.size : 0), 0);
}

test('a guard checks permissions as the server does', () => {
  const segment = fc.constantFrom('a', 'b', '*', 'latchkey', 'secrets', 'read', '');
  const permission = fc.array(segment, { minLength: 1, maxLength: 9 }).map((segments) => segments.join(':'));
  const text = fc.oneof(permission, fc.string({ maxLength: 12 }));
  fc.assert(
    fc.property(
      fc.array(text, { maxLength: 4 }),
      text,
      (held, wanted) => allows(held, wanted) === serverAllows(held, wanted),
    ),
    { numRuns: 3000 },
  );
});

test('the guard and the server use the same authentication context classes', () => {
  expect(classes).toEqual(assuranceClasses);
});

test('the guard and the server agree on what each code of a refused key means', () => {
  const { valid: _, ...refusals } = keyCodeKinds;
  expect(Object.fromEntries(Object.keys(refusals).map((code) => [code, kindOf(code)]))).toEqual(refusals);
});
