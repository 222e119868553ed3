import { isDocumentAddress, isKeysAddress } from '../../../src/domain/client-documents/document-address.ts';
import { freshSeconds, isAllowedDomain, parseDomainRules } from '../../../src/platform/outbound/index.ts';

const rules = { domains: { allowed: [], refused: [] }, allowLoopback: false, issuer: 'https://id.example.com' };

describe('the address of a metadata document', () => {
  test.each(['https://app.example/client.json', 'https://app.example/', 'https://app.example:8443/c?v=1'])(
    'can be %s',
    (client_id) => expect(isDocumentAddress(client_id, rules)).toBe(true),
  );

  test.each([
    'http://app.example/client.json',
    'https://app.example',
    'https://APP.example/client.json',
    'https://app.example:443/client.json',
    'https://app.example/a/../client.json',
    'https://app.example/%2e%2e/client.json',
    'https://app.example/client.json#me',
    'https://user@app.example/client.json',
    'https://localhost/client.json',
    'https://app.localhost/client.json',
    'https://intranet/client.json',
    'https://127.0.0.1/client.json',
    'https://2130706433/client.json',
    'https://[::1]/client.json',
    'https://[::ffff:7f00:1]/client.json',
    'https://169.254.169.254/client.json',
    'https://8.8.8.8/client.json',
    'https://id.example.com/client.json',
    'https://id.example.com:8443/client.json',
    'https://id.example.com./client.json',
    'https://app.example./client.json',
    'https://app.example:22/client.json',
    'urn:example:client',
    'web-app',
  ])('is never %s', (client_id) => expect(isDocumentAddress(client_id, rules)).toBe(false));

  test('is on this machine in development only', () => {
    const development = { ...rules, allowLoopback: true };
    expect(isDocumentAddress('http://localhost:8080/client.json', development)).toBe(true);
    expect(isDocumentAddress('http://app.example/client.json', development)).toBe(false);
    expect(isDocumentAddress('https://10.0.0.1/client.json', development)).toBe(false);
  });

  test.each([
    ['app.example', 'app.example', true],
    ['app.example', 'sub.app.example', true],
    ['app.example', 'app.example.', true],
    ['app.example', 'evilapp.example', false],
    ['app.example', 'app.example.evil.test', false],
    ['!evil.test', 'app.example', true],
    ['!evil.test', 'sub.evil.test', false],
    ['example, !bad.example', 'bad.example', false],
  ])('is checked against the domains %s: %s is allowed: %s', (text, host, isAllowed) => {
    expect(isAllowedDomain(parseDomainRules(text) ?? rules.domains, host)).toBe(isAllowed);
  });

  test.each(['', ',', 'https://app.example', '*.example', 'App.example', '!!app.example'])(
    'has no domains %j',
    (text) => expect(parseDomainRules(text)).toBeUndefined(),
  );
});

describe('the address of the keys that a document names', () => {
  const bounded = { ...rules, domains: { allowed: ['app.example'], refused: ['bad.app.example'] } };

  test.each([
    ['https://app.example/keys', true],
    ['https://APP.example:443/../keys', true],
    ['https://keys.app.example/keys', true],
    ['https://elsewhere.example/keys', false],
    ['https://bad.app.example/keys', false],
    ['https://app.example:22/keys', false],
    ['https://app.example./keys', false],
    ['http://app.example/keys', false],
    ['https://user@app.example/keys', false],
    ['https://10.0.0.1/keys', false],
  ])('%s is allowed by the domains of documents: %s', (jwks_uri, isAllowed) => {
    expect(isKeysAddress(jwks_uri, bounded)).toBe(isAllowed);
  });

  test('is never that of this server', () => {
    expect(isKeysAddress('https://id.example.com/oauth/jwks', rules)).toBe(false);
    expect(isKeysAddress('https://id.example.com:8443/oauth/jwks', rules)).toBe(false);
  });
});

describe('how long an answer is fresh (RFC 9111 §4.2)', () => {
  const now = new Date('2026-11-29T12:00:00Z');
  const later = 'Sun, 29 Nov 2026 12:10:00 GMT';

  test.each([
    [{}, undefined],
    [{ 'cache-control': 'max-age=60' }, 60],
    [{ 'cache-control': 'public, s-maxage=30, max-age=60' }, 30],
    [{ 'cache-control': 'max-age=60', age: '50' }, 10],
    [{ 'cache-control': 'max-age=60', age: '90' }, 0],
    [{ 'cache-control': 'no-store, max-age=60' }, 0],
    [{ 'cache-control': 'private' }, 0],
    [{ 'cache-control': 'max-age=-1' }, undefined],
    [{ expires: later }, 600],
    [{ expires: later, date: 'Sun, 29 Nov 2026 12:05:00 GMT' }, 300],
    [{ expires: '0' }, 0],
    [{ expires: later, 'cache-control': 'max-age=1' }, 1],
  ])('of %j is %s', (headers, seconds) => expect(freshSeconds(headers, now)).toBe(seconds));
});
