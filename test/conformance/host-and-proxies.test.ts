import { exchange, send } from '../support/http.ts';
import { startLatchkey } from '../support/latchkey.ts';

const discovery = '/.well-known/openid-configuration';

const latchkey = startLatchkey();

describe('a request for another host', () => {
  const port = () => new URL(latchkey.issuer).port;

  test.each([
    { host: 'evil.test', ref: 'HOST-02' },
    { host: 'evil.test:PORT', ref: 'HOST-02' },
    { host: 'localhost', ref: 'RFC 9110 §7.2' },
    { host: 'localhost:1', ref: 'RFC 9110 §7.2' },
    { host: 'localhost.:PORT', ref: 'RFC 9110 §7.2' },
    { host: 'localhost:PORT:1', ref: 'RFC 9110 §7.2' },
    { host: 'localhost:PORT.evil.test', ref: 'CWE-644' },
    { host: 'localhost:PORT@evil.test', ref: 'CWE-644' },
    { host: 'evil.test, localhost:PORT', ref: 'CWE-644' },
    { host: '127.1:PORT', ref: 'CWE-644' },
  ])('is refused: $host ($ref)', async ({ host }) => {
    const answer = await send(latchkey.issuer, discovery, { headers: { host: host.replace('PORT', port()) } });
    expect(answer).toMatchObject({ status: 421, body: { type: 'urn:latchkey:problem:misdirected' } });
    expect(answer.headers.get('cache-control')).toBe('no-store');
  });

  test.each([
    ['is refused when the target names it (RFC 9112 §3.2.2)', 'http://evil.test', 'HTTP/1.1 421 '],
    ['is answered when the target names the issuer (RFC 9112 §3.2.2)', '', 'HTTP/1.1 200 '],
  ])('%s', async (_, origin, status) => {
    const { host } = new URL(latchkey.issuer);
    const target = `${origin || latchkey.issuer}${discovery}`;
    const { text } = await exchange(
      latchkey.issuer,
      `GET ${target} HTTP/1.1\r\nHost: ${host}\r\nConnection: close\r\n\r\n`,
      2000,
    );
    expect(text).toContain(status);
    expect(text).not.toContain('evil.test');
  });

  test.each([
    ['a second Host header (RFC 9112 §3.2)', (host: string) => `Host: ${host}\r\nHost: evil.test\r\n`, '400'],
    ['no Host header (RFC 9112 §3.2)', () => '', '400'],
  ])('is not determined by %s', async (_, headers, status) => {
    const { host } = new URL(latchkey.issuer);
    const request = `GET ${discovery} HTTP/1.1\r\n${headers(host)}Connection: close\r\n\r\n`;
    expect((await exchange(latchkey.issuer, request, 2000)).text).toContain(`HTTP/1.1 ${status} `);
  });

  test.each([
    ['another loopback name', 'GET', '/account?x=1', 302],
    ['a path that looks like a host', 'GET', '//evil.test/x', 302],
    ['another loopback name, to be posted to', 'POST', '/oauth/token', 421],
  ])('is redirected to the issuer only where this is safe: %s', async (_, method, path, status) => {
    const { headers, ...answer } = await send(latchkey.issuer, path, {
      method,
      headers: { host: `127.0.0.1:${port()}` },
    });
    expect(answer).toMatchObject({ status });
    expect(headers.get('location')).toBe(status === 302 ? `${latchkey.issuer}${path}` : null);
  });

  test('is not redirected to the host of a target in absolute form', async () => {
    const request = `GET http://127.0.0.1:${port()}/@evil.test HTTP/1.1\r\nHost: evil.test\r\nConnection: close\r\n\r\n`;
    const { text } = await exchange(latchkey.issuer, request, 2000);
    expect(text).toContain('HTTP/1.1 302 ');
    expect(text).toContain(`Location: ${latchkey.issuer}/@evil.test\r\n`);
  });
});

describe('a forwarding header', () => {
  test.each([
    'X-Forwarded-Host',
    'X-Forwarded-Server',
    'X-Forwarded-Port',
    'X-Forwarded-Proto',
    'X-Forwarded-Prefix',
    'Forwarded',
    'X-Original-URL',
    'X-Rewrite-URL',
    'X-Host',
  ])('changes no address in the metadata: %s (HOST-02)', async (name) => {
    const plain = await send(latchkey.issuer, discovery);
    const value = name === 'Forwarded' ? 'host=evil.test;proto=https' : 'evil.test';
    const answer = await send(latchkey.issuer, discovery, { headers: { [name]: value } });
    expect(answer).toMatchObject({ status: 200, body: plain.body });
    expect(answer.body.issuer).toBe(latchkey.issuer);
  });

  test('names no other address in the audit log (CWE-348)', async () => {
    const browser = latchkey.browser();
    const wrong = { login: 'alice', password: 'wrong' };
    await browser.submit(await browser.get('/sign-in'), wrong, '/sign-in', { 'x-forwarded-for': "6.6.6.6'; --" });
    expect(await latchkey.auditEvents('session.refused')).toMatchObject([{ address: '127.0.0.1' }]);
  });
});
