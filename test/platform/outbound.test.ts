import { createSocket, type Socket } from 'node:dgram';
import { once } from 'node:events';
import { createServer, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { isPublicAddress } from '../../src/platform/outbound/addresses.ts';
import { FetchBudget, guardedFetch, guardedGet } from '../../src/platform/outbound/index.ts';

/** Sends a byte from time to time, and never ends. */
function drip(response: ServerResponse): void {
  const timer = setInterval(() => response.write('x'), 20);
  response.on('close', () => clearInterval(timer));
}

describe('fetching a URL that someone else chose', () => {
  let server: Server;
  let connections = 0;
  let port: number;
  beforeAll(async () => {
    server = createServer((request, response) => {
      if (request.url === '/redirect') response.writeHead(302, { location: '/elsewhere' }).end();
      else if (request.url === '/large') response.end('x'.repeat(6000));
      else if (request.url === '/slow') drip(response);
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
    // Each IANA special-purpose range of IPv6, and IPv4 addresses inside IPv6 ones.
    'http://[::]/',
    'http://[::2]/',
    'http://[::10.0.0.1]/',
    'http://[::8.8.8.8]/',
    'http://[::ffff:10.0.0.1]/',
    'http://[::ffff:169.254.169.254]/',
    'http://[::ffff:0:10.0.0.1]/',
    'http://[::ffff:0:8.8.8.8]/',
    'http://[64:ff9b::10.0.0.1]/',
    'http://[64:ff9b::169.254.169.254]/',
    'http://[64:ff9b:1::10.0.0.1]/',
    'http://[64:ff9b:1:ffff::1]/',
    'http://[100::1]/',
    'http://[100:0:0:1::1]/',
    'http://[2001::1]/',
    'http://[2001:0:4136:e378:8000:63bf:f5ff:fffe]/',
    'http://[2001:2::1]/',
    'http://[2001:10::1]/',
    'http://[2001:20::1]/',
    'http://[2001:30::1]/',
    'http://[2001:db8::1]/',
    'http://[2002:a00:1::]/',
    'http://[2002:a9fe:a9fe::1]/',
    'http://[2620:4f:8000::1]/',
    'http://[3fff:fff::1]/',
    'http://[4000::1]/',
    'http://[5f00::1]/',
    'http://[fc00::1]/',
    'http://[febf::1]/',
    'http://[fec0::1]/',
    'http://[feff::1]/',
    'http://[ff02::1]/',
    'http://172.16.0.1/',
    'http://192.0.0.1/',
    'http://192.0.2.1/',
    'http://192.31.196.1/',
    'http://192.88.99.1/',
    'http://198.18.0.1/',
    'http://198.51.100.1/',
    'http://203.0.113.1/',
    'http://224.0.0.1/',
    'http://240.0.0.1/',
    'http://255.255.255.255/',
    'file:///etc/passwd',
    'ftp://example.com/',
  ])('refuses %s before it connects', async (template) => {
    const fetchIt = guardedFetch({ allowLoopback: false });
    await expect(fetchIt(template.replace('{port}', String(port)))).rejects.toThrow(
      /not a public address|only http and https/,
    );
    expect(connections).toBe(0);
  });

  // Documents of clients, their keys and logos.
  test.each([
    'https://127.0.0.1:{port}/',
    'https://localhost:{port}/',
    'https://[::ffff:127.0.0.1]:{port}/',
    'https://2130706433:{port}/',
    'https://0x7f.1:{port}/',
    'https://0.0.0.0:{port}/',
    'https://169.254.169.254/latest/meta-data',
    'https://10.0.0.1/',
    'https://[fd00::1]/',
    'https://[fe80::1]/',
    'https://[64:ff9b::169.254.169.254]/',
    'https://user:password@example.com/',
    'http://example.com/',
    'file:///etc/passwd',
  ])('reads nothing from %s', async (template) => {
    const get = guardedGet({ allowLoopback: false, timeoutMs: 3000, maxBytes: 5120 });
    await expect(get(template.replace('{port}', String(port)))).rejects.toThrow(TypeError);
    expect(connections).toBe(0);
  });

  test.each([
    '8.8.8.8',
    '192.0.1.1',
    '172.15.255.255',
    '172.32.0.1',
    '::ffff:8.8.8.8',
    '2001:200::1',
    '2001:4860:4860::8888',
    '2606:4700:4700::1111',
    '2a00:1450::1',
    '3ffe::1',
  ])('accepts %s as a public address', (address) => {
    expect(isPublicAddress(address)).toBe(true);
  });

  test.each(['', 'localhost', '8.8.8', '08.8.8.8', '8.8.8.8:80', '[2606:4700::1]', '2606:4700::1%eth0'])(
    'does not accept %j as an address',
    (text) => {
      expect(isPublicAddress(text)).toBe(false);
    },
  );

  test('reads a bounded body within a bounded time, and follows no redirect', async () => {
    const getWithin = (timeoutMs: number) => guardedGet({ allowLoopback: true, timeoutMs, maxBytes: 5120 });
    const get = getWithin(60_000);
    expect((await get(`http://localhost:${port}/`)).body.toString()).toBe('here');
    await expect(get(`http://localhost:${port}/redirect`)).rejects.toThrow('answered 302');
    await expect(get(`http://localhost:${port}/large`)).rejects.toThrow('answered more than 5120 bytes');
    await expect(getWithin(500)(`http://localhost:${port}/slow`)).rejects.toThrow(/abort|timeout/i);
    await expect(getWithin(500)(`http://localhost:${port}/silent`)).rejects.toThrow(/abort|timeout/i);
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

/** A name server with the same addresses for every name; without any it does not answer. */
async function nameServer(addresses: readonly string[]): Promise<Socket> {
  const socket = createSocket('udp4').on('message', (query, { port, address }) => {
    if (addresses.length === 0) return;
    const isIPv4 = query.at(-3) === 1;
    const said = isIPv4 ? addresses : [];
    const header = Buffer.from([...query.subarray(0, 2), 0x81, 0x80, 0, 1, 0, said.length, 0, 0, 0, 0]);
    const answers = said.map((each) =>
      Buffer.from([0xc0, 12, 0, 1, 0, 1, 0, 0, 0, 9, 0, 4, ...each.split('.').map(Number)]),
    );
    const question = query.subarray(12, query.indexOf(0, 12) + 5);
    socket.send(Buffer.concat([header, question, ...answers]), port, address);
  });
  socket.bind(0, '127.0.0.1');
  await once(socket, 'listening');
  return socket;
}

describe('the host name of a URL that someone else chose', () => {
  const sockets: Socket[] = [];
  afterAll(() => {
    for (const socket of sockets) socket.close();
  });
  const getBy = async (addresses: readonly string[], { allowLoopback = false, timeoutMs = 60_000 } = {}) => {
    const server = await nameServer(addresses);
    sockets.push(server);
    const nameServers = [`127.0.0.1:${server.address().port}`];
    return guardedGet({ allowLoopback, timeoutMs, maxBytes: 5120, nameServers });
  };

  test('is resolved for no longer than the request may take, however many ask', async () => {
    const get = await getBy([], { timeoutMs: 300 });
    const asked = Array.from({ length: 20 }, (_, n) => get(`https://slow-${n}.example/`));
    for (const each of asked) await expect(each).rejects.toThrow();
    // The threads of `getaddrinfo` would be busy until the name server times out.
    const running = () => process.getActiveResourcesInfo().filter((what) => /GetAddrInfo|QueryReq/.test(what));
    expect(running()).toEqual([]);
  });

  test.each([['127.0.0.1'], ['10.0.0.1'], ['8.8.8.8', '192.168.1.1']])(
    'is refused when it resolves to %s',
    async (...to) => {
      const get = await getBy(to);
      await expect(get('https://rebound.example/')).rejects.toThrow('not a public address');
    },
  );

  test('can be that of this machine in development', async () => {
    const server = createServer((_, response) => response.end('here')).listen(0, '127.0.0.1');
    await once(server, 'listening');
    const get = await getBy(['127.0.0.1'], { allowLoopback: true });
    const { body } = await get(`http://app.example:${(server.address() as AddressInfo).port}/`);
    server.close();
    expect(body.toString()).toBe('here');
  });
});

describe('the number of simultaneous fetches', () => {
  const begun = (addresses: readonly string[]) => {
    const budget = new FetchBudget(() => new Date());
    return addresses.filter((address, n) =>
      budget.begin(`https://host-${n}.example/`, { address, isCounted: true, waitsAfterFailure: false }),
    ).length;
  };
  const many = (address: (n: number) => string) => Array.from({ length: 30 }, (_, n) => address(n));

  test.each([
    ['an IPv4 address', () => '203.0.113.9'],
    ['all IPv6 addresses of a customer', (n: number) => `2001:db8:1:2::${n}`],
  ])('is limited for %s', (_, address) => expect(begun(many(address))).toBe(8));

  test('is limited in total, not only for each of many', () => expect(begun(many((n) => `203.0.113.${n}`))).toBe(30));
});
