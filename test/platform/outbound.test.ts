import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { guardedFetch } from '../../src/platform/outbound/index.ts';

describe('fetching an address that somebody else chose', () => {
  let server: Server;
  let connections = 0;
  let port: number;
  beforeAll(async () => {
    server = createServer((request, response) => {
      if (request.url === '/redirect') response.writeHead(302, { location: '/elsewhere' }).end();
      else if (request.url !== '/silent') response.end('here');
    }).listen(0, '127.0.0.1');
    server.on('connection', () => {
      connections += 1;
    });
    await new Promise((resolve) => server.once('listening', resolve));
    port = (server.address() as AddressInfo).port;
  });
  afterAll(() => {
    server.closeAllConnections();
    server.close();
  });

  test.each([
    'http://127.0.0.1:{port}/',
    'http://localhost:{port}/',
    'http://[::1]:{port}/',
    'http://[::ffff:127.0.0.1]:{port}/',
    'http://2130706433:{port}/',
    'http://0x7f.1:{port}/',
    'http://0.0.0.0:{port}/',
    'http://169.254.169.254/latest/meta-data',
    'http://10.0.0.1/',
    'http://192.168.1.1/',
    'http://100.64.0.1/',
    'http://[fd00::1]/',
    'http://[fe80::1]/',
    'file:///etc/passwd',
    'ftp://example.com/',
  ])('refuses %s before it connects', async (template) => {
    const fetchIt = guardedFetch({ allowLoopback: false });
    await expect(fetchIt(template.replace('{port}', String(port)))).rejects.toThrow(
      /not a public address|only http and https/,
    );
    expect(connections).toBe(0);
  });

  test('in development reaches this machine, follows no redirect, and gives up after three seconds', async () => {
    const fetchIt = guardedFetch({ allowLoopback: true });
    expect(await (await fetchIt(`http://127.0.0.1:${port}/`)).text()).toBe('here');
    expect((await fetchIt(`http://127.0.0.1:${port}/redirect`)).status).toBe(302);
    await expect(fetchIt('http://169.254.169.254/')).rejects.toThrow('not a public address');
    const startedAt = performance.now();
    await expect(fetchIt(`http://127.0.0.1:${port}/silent`)).rejects.toThrow();
    expect(performance.now() - startedAt).toBeGreaterThan(2500);
  });
});
