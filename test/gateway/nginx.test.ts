import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import os from 'node:os';
import path from 'node:path';
import { type AdminApi, asOwner } from '../support/admin.ts';
import { freePort } from '../support/free-port.ts';
import { Gateway } from '../support/gateway.ts';
import { startLatchkey } from '../support/latchkey.ts';

const example = path.join(import.meta.dirname, '../../examples/gateway/nginx.conf');
const candidates = [process.env.LATCHKEY_TEST_NGINX ?? '', 'nginx', '/usr/sbin/nginx'].filter(Boolean);
const nginx = candidates.find((name) => spawnSync(name, ['-v']).status === 0);

/** Needs nginx on this machine: `apt-get install nginx`, or its path in LATCHKEY_TEST_NGINX. */
const describeWithNginx = (title: string, tests: () => void) => {
  if (nginx !== undefined) describe(title, tests);
  else test(`${title}: is not tried here, nginx is not installed`, () => undefined);
};

describeWithNginx('an API behind nginx, as in examples/gateway', () => {
  const latchkey = startLatchkey({ env: { LATCHKEY_TRUST_PROXY: '1' } });
  let owner: AdminApi;
  let gateway: Gateway;
  let api: Server;
  let proxy: ChildProcess;
  let folder = '';
  let url = '';
  const seen: Record<string, unknown>[] = [];

  beforeAll(async () => {
    owner = await asOwner(latchkey);
    gateway = await Gateway.open(latchkey, owner);
    api = createServer((request, response) => {
      seen.push({ ...request.headers, url: request.url });
      response.end('served');
    }).listen(0, '127.0.0.1');
    await once(api, 'listening');
    const port = await freePort();
    url = `http://127.0.0.1:${port}`;
    folder = await mkdtemp(path.join(os.tmpdir(), 'latchkey-nginx-'));
    const server = (await readFile(example, 'utf8'))
      .replace('127.0.0.1:3000', new URL(latchkey.issuer).host.replace('localhost', '127.0.0.1'))
      .replace('127.0.0.1:4000', `127.0.0.1:${(api.address() as AddressInfo).port}`)
      .replace('listen 8080', `listen 127.0.0.1:${port}`);
    const temporary = ['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi'].map(
      (kind) => `${kind}_temp_path ${folder}/${kind};`,
    );
    const settings = `daemon off; pid ${folder}/pid; error_log stderr; events {}
      http { access_log off; ${temporary.join(' ')} ${server} }`;
    await writeFile(`${folder}/nginx.conf`, settings);
    proxy = spawn(nginx ?? '', ['-p', folder, '-c', `${folder}/nginx.conf`], { stdio: 'ignore' });
    for (const until = Date.now() + 5000; Date.now() < until; )
      if (
        await fetch(url).then(
          () => true,
          () => false,
        )
      )
        break;
  });
  afterAll(async () => {
    proxy.kill();
    api.close();
    await rm(folder, { recursive: true, force: true });
  });

  const ask = async (at: string, headers: Record<string, string> = {}) => {
    seen.length = 0;
    const answer = await fetch(`${url}${at}`, { headers });
    return { status: answer.status, headers: answer.headers, text: await answer.text() };
  };

  test('gets the requests of good keys, with whose they are, and never the key itself', async () => {
    const { key, id } = await gateway.mint({ owner: { client_id: 'service' } });
    const spoofed = { 'x-latchkey-subject': 'admin', 'x-latchkey-permissions': '*', 'x-latchkey-key-id': 'forged' };
    expect(await ask('/products/42?page=1', { 'x-api-key': key, ...spoofed })).toMatchObject({
      status: 200,
      text: 'served',
    });
    expect(seen).toMatchObject([
      {
        url: '/products/42?page=1',
        'x-latchkey-subject': 'service',
        'x-latchkey-key-id': id,
        'x-latchkey-permissions': 'database:read:products',
      },
    ]);
    expect(JSON.stringify(seen)).not.toContain(key);
  });

  test('is spared all others, with the right status and challenge', async () => {
    const { key } = await gateway.mint();
    const nothing = await ask('/products');
    expect([nothing.status, nothing.headers.get('www-authenticate')]).toEqual([401, 'Bearer realm="latchkey"']);
    expect((await ask('/products', { 'x-api-key': 'garbage' })).status).toBe(401);
    const beyond = await ask('/users', { 'x-api-key': key });
    expect(beyond.status).toBe(403);
    expect(beyond.headers.get('www-authenticate')).toContain('scope="database:read:users"');
    for (const smuggled of [
      { 'x-original-uri': '/products' },
      { 'x-forwarded-uri': '/products' },
      { 'x-latchkey-permission': 'database:read:products' },
    ])
      expect((await ask('/users', { 'x-api-key': key, ...smuggled })).status).toBe(403);
    expect(seen).toEqual([]);
  });

  test('is spared what comes from elsewhere, whatever the client says of its address', async () => {
    const local = await gateway.mint({ restrictions: { ip_allowlist: ['127.0.0.1'] } });
    const remote = await gateway.mint({ restrictions: { ip_allowlist: ['10.0.1.50'] } });
    expect((await ask('/products', { 'x-api-key': local.key, 'x-forwarded-for': '10.0.1.50' })).status).toBe(200);
    expect((await ask('/products', { 'x-api-key': remote.key, 'x-forwarded-for': '10.0.1.50' })).status).toBe(403);
  });

  test('is spared what is too much: 429 and when to come again', async () => {
    const { key } = await gateway.mint({ restrictions: { rate_limit: '1 requests/hour' } });
    expect((await ask('/products', { 'x-api-key': key })).status).toBe(200);
    const answer = await ask('/products', { 'x-api-key': key });
    expect(answer.status).toBe(429);
    expect(Number(answer.headers.get('retry-after'))).toBeGreaterThan(3000);
  });

  test('is spared a revoked key from the next request on', async () => {
    const { key, id } = await gateway.mint();
    expect((await ask('/products', { 'x-api-key': key })).status).toBe(200);
    await owner.post(`/api-keys/${id}/revoke`);
    expect((await ask('/products', { 'x-api-key': key })).status).toBe(401);
  });
});
