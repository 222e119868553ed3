import { connect } from 'node:net';
import { type Exchange, exchange, send, sendForm } from '../support/http.ts';
import { api, clientSecrets } from '../support/installation.ts';
import { basic, startLatchkey } from '../support/latchkey.ts';
import { type Timed, withStalls } from '../support/stalls.ts';
import { storedRows } from '../support/stored.ts';

const authorization = basic('service', clientSecrets.service);
const good = `grant_type=client_credentials&resource=${encodeURIComponent(api)}`;
const formType = 'application/x-www-form-urlencoded';
const many = (count: number) => Array.from({ length: count }, (_, n) => `p${n}=1`).join('&');

const latchkey = startLatchkey();

describe('a request body', () => {
  const post = (body: string, headers: Record<string, string> = {}) =>
    sendForm(latchkey.issuer, '/oauth/token', body, { authorization, ...headers });

  test.each([
    { what: 'NUL', body: `${good}&scope=%00`, ref: 'RESP-16' },
    { what: 'a bare NUL', body: `${good}&scope=\u0000`, ref: 'RESP-16' },
    { what: 'NUL in a name', body: `${good}&sc%00pe=read`, ref: 'RESP-16' },
    { what: 'NUL in an unknown parameter', body: `${good}&unknown=%00`, ref: 'RESP-16' },
    { what: 'an escape character', body: `${good}&scope=%1b%5b2J`, ref: 'CWE-150' },
    { what: 'bytes that are no UTF-8', body: `${good}&scope=%ff%fe`, ref: 'RESP-16' },
    { what: 'an overlong NUL', body: `${good}&scope=%c0%80`, ref: 'CVE-2000-0884' },
    { what: 'a lone surrogate', body: `${good}&scope=%ed%a0%80`, ref: 'RESP-16' },
    { what: 'an emoji as scope', body: `${good}&scope=%f0%9f%98%80`, error: 'invalid_scope', ref: 'RESP-16' },
    { what: 'line ends in a scope', body: `${good}&scope=a%0d%0ab`, error: 'invalid_scope', ref: 'CWE-93' },
    { what: 'a scope twice', body: `${good}&scope=read&scope=write`, ref: 'RFC 6749 §3.2' },
    { what: 'a grant type twice', body: `${good}&grant_type=client_credentials`, ref: 'RESP-12' },
    { what: 'a client_id twice', body: `${good}&client_id=service&client_id=service`, ref: 'RESP-12' },
    { what: '2000 parameters', body: `${good}&${many(2000)}`, ref: 'DOS-02' },
    { what: '12,000 times the same', body: `${good}${'&a=1'.repeat(12_000)}`, ref: 'DOS-02' },
    { what: '50 KB of scope', body: `${good}&scope=${'a'.repeat(50_000)}`, error: 'invalid_scope', ref: 'CWE-400' },
    { what: '50 KB of scopes', body: `${good}&scope=${'a+'.repeat(25_000)}`, error: 'invalid_scope', ref: 'CWE-400' },
    {
      what: '50 KB of resource',
      body: `${good.replace('api', 'a'.repeat(50_000))}`,
      error: 'invalid_target',
      ref: 'CWE-400',
    },
    {
      what: '50 KB of grant type',
      body: `grant_type=${'a'.repeat(50_000)}`,
      error: 'unsupported_grant_type',
      ref: 'CWE-400',
    },
    {
      what: 'a grant type named like a prototype',
      body: 'grant_type=__proto__',
      error: 'unsupported_grant_type',
      ref: 'RESP-22',
    },
    {
      what: 'a grant type named like a constructor',
      body: 'grant_type=constructor',
      error: 'unsupported_grant_type',
      ref: 'RESP-22',
    },
    { what: 'nothing', body: '', ref: 'RFC 6749 §5.2' },
    { what: 'only separators', body: '&&&&=&=&', ref: 'RFC 6749 §5.2' },
  ])('is refused, and nothing is stored, with $what ($ref)', async ({ body, error = 'invalid_request' }) => {
    const before = await storedRows(latchkey.database);
    const { headers, ...answer } = await post(body);
    expect(answer).toMatchObject({ status: 400, body: { error } });
    expect(headers.get('cache-control')).toBe('no-store');
    expect(headers.get('content-type')).toMatch(/^application\/json/);
    expect(await storedRows(latchkey.database)).toEqual(before);
  });

  test.each([
    { what: 'names of prototypes', body: `${good}&__proto__=1&__proto__[x]=1&constructor[prototype][x]=1&toString=1` },
    { what: '900 unknown parameters', body: `${good}&${many(900)}` },
    { what: 'empty parameters (RFC 6749 §3.2)', body: `${good}&scope=&client_id=` },
  ])('is read the same with $what (RESP-22)', async ({ body }) => {
    expect(await post(body)).toMatchObject({ status: 200, body: { scope: 'read', token_type: 'Bearer' } });
    expect(await post(good)).toMatchObject({ status: 200, body: { scope: 'read' } });
  });

  test.each([
    { what: 'JSON', type: 'application/json', body: JSON.stringify({ grant_type: 'client_credentials' }) },
    { what: 'plain text', type: 'text/plain', body: good },
    { what: 'multipart', type: 'multipart/form-data; boundary=x', body: '--x--' },
    { what: 'XML', type: 'application/xml', body: '<!DOCTYPE x [<!ENTITY y SYSTEM "file:///etc/passwd">]><x>&y;</x>' },
    { what: 'a type that is none', type: ';;;', body: good },
    { what: 'almost a form', type: 'application/x-www-form-urlencoded-but-not', body: good },
  ])('must be a form, not $what (RFC 6749 §4.4.2)', async ({ type, body }) => {
    const answer = await post(body, { 'content-type': type });
    expect(answer).toMatchObject({ status: 400, body: { error: 'invalid_request' } });
  });

  test.each(['gzip', 'br', 'deflate', 'x-gzip, gzip', 'zstd'])('is not inflated: %s (DOS-06)', async (encoding) => {
    const { headers, ...answer } = await post('\u001f\u008b', { 'content-encoding': encoding });
    expect(answer).toMatchObject({ status: 415, body: { error: 'invalid_request' } });
    expect(headers.get('connection')).toBe('close');
  });

  test.each([
    ['that says so', '/oauth/token', { 'content-type': formType }],
    ['that says so, for a page', '/sign-in', { 'content-type': formType }],
    ['that comes in chunks', '/oauth/token', { 'content-type': formType, 'transfer-encoding': 'chunked' }],
  ])('of a megabyte %s is refused at once (RFC 9110 §15.5.14)', async (_, path, headers) => {
    const body = `${good}&scope=${'a'.repeat(1024 * 1024)}`;
    const sent = () => send(latchkey.issuer, path, { method: 'POST', headers, body });
    const { result, ownMs } = await withStalls(sent);
    expect(result).toMatchObject({ status: 413 });
    expect(ownMs).toBeLessThan(3000);
    expect(await send(latchkey.issuer, '/healthz')).toMatchObject({ status: 200 });
  });

  test.each(['/oauth/token', '/oauth/par', '/oauth/introspect', '/oauth/device_authorization', '/sign-in'])(
    'that is a form may have 56 KiB, and the refusal states this limit: %s (RFC 9110 §15.5.14)',
    async (path) => {
      const of = (bytes: number) =>
        send(latchkey.issuer, path, {
          method: 'POST',
          headers: { 'content-type': formType },
          body: `grant_type=client_credentials&x=${'a'.repeat(bytes - 32)}`,
        });
      for (const bytes of [57_345, 60_000, 65_536]) {
        const answer = await of(bytes);
        expect(answer.status).toBe(413);
        expect(JSON.stringify(answer.body)).toContain('56 KiB');
      }
      const longest = await of(57_344);
      expect(longest.status).not.toBe(413);
      expect(JSON.stringify(longest.body)).not.toContain('failed to parse');
    },
  );

  test('of 4 MB is refused so that a client that is still sending can read the refusal (RFC 9112 §9.6)', async () => {
    const body = 'x'.repeat(4 * 1024 * 1024);
    for (const [path, type, status] of [
      ['/oauth/token', formType, 413],
      ['/sign-in', formType, 413],
      ['/v1/secret/data/a', 'application/json', 403],
    ] as const)
      for (let round = 0; round < 5; round++) {
        const answer = await send(latchkey.issuer, path, { method: 'POST', headers: { 'content-type': type }, body });
        expect([path, answer.status, answer.headers.get('connection')]).toEqual([path, status, 'close']);
      }
  });

  test('that is refused cannot smuggle a second request (CWE-444)', async () => {
    const { host } = new URL(latchkey.issuer);
    const head = `POST /oauth/token HTTP/1.1\r\nHost: ${host}\r\nContent-Type: ${formType}\r\nContent-Length: 60000\r\n\r\n`;
    const { text, isClosed } = await exchange(
      latchkey.issuer,
      `${head}${'x'.repeat(60_000)}GET /healthz HTTP/1.1\r\nHost: ${host}\r\n\r\n`,
      8000,
    );
    expect(isClosed).toBe(true);
    expect(text.match(/HTTP\/1\.1 \d+/g)).toEqual(['HTTP/1.1 413']);
  });

  test('that ends too early is not logged as an outage (CWE-778)', async () => {
    const { host, port } = new URL(latchkey.issuer);
    const head = `POST /oauth/token HTTP/1.1\r\nHost: ${host}\r\nContent-Type: ${formType}\r\nContent-Length: 500\r\n\r\n`;
    await new Promise((resolve) => {
      const socket = connect(Number(port), '127.0.0.1', () => socket.write(`${head}grant_type=`));
      setTimeout(() => socket.destroy(), 100);
      socket.once('close', resolve);
    });
    await new Promise((resolve) => setTimeout(resolve, 200));
    expect(latchkey.server.output()).not.toMatch(/database unavailable|request failed/);
  });
});

describe('a connection', () => {
  const head = (path: string, ...headers: string[]) =>
    [`POST ${path} HTTP/1.1`, `Host: ${new URL(latchkey.issuer).host}`, ...headers, '', ''].join('\r\n');
  const form = `Content-Type: ${formType}`;

  test.each<[string, string, (head: (path: string, ...headers: string[]) => string) => string]>([
    [
      'a length and chunks',
      'RFC 9112 §6.1',
      (head) => `${head('/oauth/token', form, 'Content-Length: 6', 'Transfer-Encoding: chunked')}0\r\n\r\nG`,
    ],
    [
      'two codings',
      'RFC 9112 §6.1',
      (head) => head('/oauth/token', 'Transfer-Encoding: chunked', 'Transfer-Encoding: identity'),
    ],
    ['a space before the colon', 'RFC 9112 §5.1', (head) => head('/oauth/token', 'Transfer-Encoding : chunked')],
    [
      'two lengths',
      'RFC 9112 §6.3',
      (head) => `${head('/oauth/token', 'Content-Length: 0', 'Content-Length: 5')}hello`,
    ],
    ['a signed length', 'RFC 9112 §6.3', (head) => `${head('/oauth/token', 'Content-Length: +5')}hello`],
    ['a negative length', 'RFC 9112 §6.3', (head) => head('/oauth/token', 'Content-Length: -1')],
    [
      'a length beyond all numbers',
      'CWE-190',
      (head) => head('/oauth/token', form, 'Content-Length: 99999999999999999999'),
    ],
    ['a broken chunk', 'RFC 9112 §7.1', (head) => `${head('/oauth/token', form, 'Transfer-Encoding: chunked')}zz\r\n`],
    [
      'endless chunk extensions',
      'CVE-2024-22019',
      (head) => `${head('/oauth/token', form, 'Transfer-Encoding: chunked')}5;${'x'.repeat(40_000)}\r\n`,
    ],
    ['a folded header', 'RFC 9112 §5.2', (head) => head('/oauth/token', 'X: a\r\n b')],
    ['NUL in a header', 'CWE-158', (head) => head('/oauth/token', 'X: a\u0000b')],
    ['20 KB of a header', 'CWE-400', (head) => head('/oauth/token', `X: ${'a'.repeat(20_000)}`)],
    ['3000 headers', 'CWE-400', (head) => head('/oauth/token', ...Array<string>(3000).fill('X: a'))],
    ['lines that end in LF alone', 'RFC 9112 §2.2', (head) => head('/oauth/token').replaceAll('\r', '')],
    ['another protocol', 'RFC 9113 §3.4', () => 'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n'],
    ['a way to elsewhere', 'RFC 9110 §9.3.6', () => 'CONNECT evil.test:443 HTTP/1.1\r\nHost: evil.test:443\r\n\r\n'],
  ])('is closed after %s, with a refusal or none (%s)', async (_, __, bytes) => {
    const { text, isClosed } = await exchange(latchkey.issuer, bytes(head), 8000);
    expect(isClosed).toBe(true);
    expect(text).toMatch(/^$|^HTTP\/1\.1 (400|413|431) /);
    expect(text.match(/HTTP\/1\.1/g)?.length ?? 0).toBeLessThanOrEqual(1);
  });

  const slow: [string, () => string][] = [
    ['says nothing', () => ''],
    ['never ends its headers (DOS-04)', () => head('/oauth/token').slice(0, -4)],
    ['never ends its form', () => `${head('/oauth/token', form, 'Content-Length: 500')}grant`],
    ['never ends its chunks', () => `${head('/sign-in', form, 'Transfer-Encoding: chunked')}5\r\nlogin`],
    ['never ends its JSON', () => `${head('/oauth/token', 'Content-Type: application/json', 'Content-Length: 500')}{`],
    [
      'sends megabytes that are not read',
      () => `${head('/sign-in', 'Content-Type: application/json', 'Content-Length: 50000000')}${'{'.repeat(300_000)}`,
    ],
  ];
  let slowExchanges: Promise<Timed<Exchange>>[] = [];
  beforeAll(() => {
    slowExchanges = slow.map(([, bytes]) => withStalls(() => exchange(latchkey.issuer, bytes(), 30_000)));
  });

  test.each(slow)('is closed within 10 s when it %s', async (what) => {
    const timed = await slowExchanges[slow.findIndex(([name]) => name === what)];
    expect(timed?.result.isClosed).toBe(true);
    expect(timed?.result.text).not.toContain('HTTP/1.1 5');
    // Node looks once a second.
    expect(timed?.ownMs).toBeLessThan(12_000);
  });

  test('carries one request after another without mixing them', async () => {
    const { host } = new URL(latchkey.issuer);
    const requests = `GET /healthz HTTP/1.1\r\nHost: ${host}\r\n\r\nGET /oauth/jwks HTTP/1.1\r\nHost: ${host}\r\nConnection: close\r\n\r\n`;
    const { text } = await exchange(latchkey.issuer, requests, 8000);
    expect(text.match(/HTTP\/1\.1 200 OK/g)).toHaveLength(2);
    expect(text.indexOf('{"status":"ok"}')).toBeLessThan(text.indexOf('{"keys":['));
  });
});
