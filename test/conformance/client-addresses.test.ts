import { allowListed, unknownKey } from '../support/allow-listed.ts';
import { send, sendForm } from '../support/http.ts';
import { startLatchkey } from '../support/latchkey.ts';

describe('behind proxies that are trusted by their networks', () => {
  const latchkey = startLatchkey({ env: { LATCHKEY_TRUST_PROXY: '127.0.0.0/8, ::1, 10.0.0.0/8, 2001:db8:ff::/48' } });
  const { gateway, owner, works } = allowListed(latchkey);

  test.each([
    ['an address', '203.0.113.7', '203.0.113.7'],
    ['a port', '203.0.113.7', '203.0.113.7:50123'],
    ['brackets', '2001:db8::5', '[2001:db8::5]'],
    ['brackets and a port', '2001:db8::5', '[2001:db8::5]:50123'],
    ['another spelling of IPv6', '2001:db8::5', '2001:DB8:0:0:0:0:0:5'],
    ['an IPv4-mapped address', '203.0.113.7', '::ffff:203.0.113.7'],
    ['an IPv4-mapped address in hexadecimal', '203.0.113.0/24', '::ffff:cb00:7107'],
    ['a bracketed IPv4-mapped address', '203.0.113.7', '[::ffff:203.0.113.7]:443'],
    ['spaces and several proxies', '203.0.113.7', ' 6.6.6.6 ,\t203.0.113.7 , 10.1.2.3:80 , [2001:db8:ff::1]:9 '],
    ['only proxies, of which the first one asks', '10.9.9.9', '10.9.9.9, 10.1.2.3'],
  ])('the address is read from %s (RFC 7239 §6)', async (_, network, forwarded) => {
    expect(await works(network, { 'x-forwarded-for': forwarded })).toBe(true);
  });

  test.each([
    ['::10.1.1.1, which is not 10.1.1.1 (RFC 4291 §2.5.5)', '10.0.0.0/8', '::10.1.1.1'],
    ['a zone (RFC 4007 §11.2)', 'fe80::/10', 'fe80::1%eth0'],
    ['leading zeros', '10.0.0.0/8', '010.0.0.1'],
    ['a short form', '10.0.0.0/8', '10.1'],
    ['an integer', '0.0.0.0/0', '167772161'],
    ['a name', '::/0', 'localhost'],
    ['nothing between commas', '127.0.0.0/8', '203.0.113.7, '],
    ['"unknown", which is not the proxy itself', '127.0.0.0/8', 'unknown'],
    ['a port that is none', '203.0.113.7', '203.0.113.7:port'],
    ['IPv4 in brackets', '203.0.113.7', '[203.0.113.7]'],
    ['what a client made up before a trusted proxy named it', '6.6.6.6', '6.6.6.6, 203.0.113.7'],
  ])('no address is read from %s', async (_, network, forwarded) => {
    expect(await works(network, { 'x-forwarded-for': forwarded })).toBe(false);
  });

  const statusOf = async (forwarded: string) => {
    const headers = { 'x-api-key': unknownKey(), 'x-forwarded-for': forwarded };
    return (await send(latchkey.issuer, '/gateway/forward-auth', { headers })).status;
  };

  test.each([
    ['a port beyond all ports', '203.0.113.7:99999'],
    ['a port of a name', 'a:99999'],
    ['a port beyond all ports of IPv6', '[2001:db8::5]:65536'],
    ['a port that is none', '203.0.113.7:port'],
    ['a port without its digits', '203.0.113.7:'],
    ['two ports', '203.0.113.7:80:80'],
    ['a name', 'localhost'],
    ['a zone', 'fe80::1%eth0'],
    ['leading zeros', '010.0.0.1'],
    ['IPv4 in brackets', '[203.0.113.7]'],
    ['a bracket that is not closed', '[2001:db8::5'],
    ['nothing at all', ''],
    ['nothing between commas', '203.0.113.7, , 10.1.2.3'],
    ['nothing after a comma', '203.0.113.7, '],
    ['the syntax of the other header', 'for=203.0.113.7'],
    ['a hop between that is none', '203.0.113.7, 10.1.2.3:70000, 10.1.2.4'],
    ['an obfuscated name with other characters', '_hidden!'],
  ])('a request is refused whose proxies name %s (RFC 7239 §6)', async (_, forwarded) => {
    expect(await statusOf(forwarded)).toBe(400);
    const answer = await sendForm(latchkey.issuer, '/oauth/token', {}, { 'x-forwarded-for': forwarded });
    expect(answer).toMatchObject({ status: 400, body: { detail: expect.stringContaining('X-Forwarded-For') } });
  });

  test.each([
    ['unknown (RFC 7239 §6.2)', 'unknown'],
    ['unknown with a port', 'Unknown:80'],
    ['an obfuscated name (RFC 7239 §6.3)', '_hidden.proxy-1'],
    ['what a client made up before the first address that is no proxy’s', 'a:99999,, x, 203.0.113.7:443, 10.1.2.3'],
  ])('a request is answered whose proxies name %s', async (_, forwarded) => {
    expect(await statusOf(forwarded)).toBe(401);
  });

  test('the other header is ignored', async () => {
    const forwarded = 'for=203.0.113.7';
    expect(await works('203.0.113.7', { forwarded })).toBe(false);
    expect(await works('127.0.0.0/8', { forwarded })).toBe(true);
    expect(await works('198.51.100.1', { forwarded, 'x-forwarded-for': '198.51.100.1' })).toBe(true);
  });

  test('the audit log has the address alone', async () => {
    const browser = latchkey.browser();
    const wrong = { login: 'alice', password: 'wrong' };
    const headers = { 'x-forwarded-for': '6.6.6.6, [2001:DB8::5]:50123' };
    await browser.submit(await browser.get('/sign-in'), wrong, '/sign-in', headers);
    expect(await latchkey.auditEvents('session.refused')).toMatchObject([{ address: '2001:db8::5' }]);
  });

  test.each([
    ['a port', '10.0.1.5:1234'],
    ['a zone', 'fe80::1%eth0'],
    ['brackets', '[2001:db8::5]'],
    ['leading zeros', '010.0.1.5'],
    ['a network', '10.0.0.0/8'],
    ['a name', 'localhost'],
    ['nothing', ''],
  ])('a service that names an address with %s gets 400', async (_, ip) => {
    const answer = await gateway().post({ key: unknownKey(), ip });
    expect(answer.status).toBe(400);
    expect(await answer.json()).toMatchObject({ pointer: '/ip', detail: expect.stringContaining('IPv4 or IPv6') });
  });

  test('an object or a list in JSON has 1000 members at most', async () => {
    const answer = await gateway().post({ requests: Array.from({ length: 1001 }, () => ({ key: 'a' })) });
    expect(answer.status).toBe(400);
    expect(await answer.json()).toMatchObject({ pointer: '/requests', detail: expect.stringContaining('1000') });
  });

  test.each([
    ['ip_allowlist', 'fe80::1%eth0'],
    ['ip_allowlist', '10.0.1.5:1234'],
    ['ip_allowlist', '[2001:db8::5]'],
    ['ip_allowlist', '10.0.0.0/33'],
    ['ip_allowlist', '::ffff:10.0.0.0/90'],
    ['ip_allowlist', '10.0.0.0/08'],
    ['allowed_origins', 'https://*.example'],
    ['allowed_origins', 'https://app.example/'],
    ['allowed_origins', 'https://app.example:443'],
    ['allowed_origins', 'https://APP.example'],
    ['allowed_origins', 'app.example'],
    ['allowed_origins', 'wss://app.example'],
    ['allowed_origins', 'null'],
  ])('a key cannot be restricted to addresses that match no request: %s %s', async (restriction, value) => {
    const body = { name: 'a key', environment: 'dev', permissions: ['a'], restrictions: { [restriction]: [value] } };
    const answer = await owner().post('/api-keys', body);
    expect(answer).toMatchObject({ status: 400, body: { pointer: `/restrictions/${restriction}/0` } });
  });
});

describe('behind a proxy that sends Forwarded (RFC 7239)', () => {
  const latchkey = startLatchkey({ env: { LATCHKEY_TRUST_PROXY: '1', LATCHKEY_ADDRESS_HEADER: 'Forwarded' } });
  const { works } = allowListed(latchkey);

  test.each([
    ['a plain address', '203.0.113.7', 'for=203.0.113.7;proto=https;by=203.0.113.43'],
    ['a quoted one with a port', '203.0.113.7', 'For="203.0.113.7:50123"'],
    ['IPv6', '2001:db8::5', 'proto=https; for="[2001:db8::5]:4711"'],
    ['an obfuscated port', '2001:db8::5', 'for="[2001:db8::5]:_gazonk"'],
    ['the nearest of several', '203.0.113.7', 'for=6.6.6.6, for=203.0.113.7'],
    ['what stands after a quote that a client left open', '203.0.113.7', 'for="6.6.6.6, for=203.0.113.7'],
  ])('the address is read from %s', async (_, network, forwarded) => {
    expect(await works(network, { forwarded })).toBe(true);
  });

  test.each([
    ['two addresses in one element', 'for=1.2.3.4;for=5.6.7.8'],
    ['two addresses in one element, in other letters', 'for=1.2.3.4;For=5.6.7.8'],
    ['a port beyond all ports', 'for="1.2.3.4:99999"'],
    ['an element that is empty', 'for=1.2.3.4, '],
    ['a member without a value', 'for=1.2.3.4;proto'],
    ['an address that is empty', 'for='],
    ['an address of nothing in quotes', 'for=""'],
    ['a quote that is not closed', 'for="1.2.3.4'],
    ['an escaped character', String.raw`for="1.2.3.\4"`],
    ['a space in a value', 'for=1.2.3.4 5.6.7.8'],
    ['spaces around the sign', 'for = 1.2.3.4'],
    ['a name', 'for=localhost'],
    ['the syntax of the other header', '1.2.3.4'],
  ])('a request is refused whose proxy names %s (RFC 7239 §4)', async (_, forwarded) => {
    const headers = { 'x-api-key': unknownKey(), forwarded };
    const answer = await send(latchkey.issuer, '/gateway/forward-auth', { headers });
    expect(answer).toMatchObject({ status: 400, body: { detail: expect.stringContaining('Forwarded') } });
  });

  test.each([
    'for=unknown',
    'for=_hidden;proto=https',
    'proto=https;by=1.2.3.4',
    'for="_a:_b"',
    'for=a:99999, for=1.2.3.4',
  ])('a request is answered whose proxy writes %s (RFC 7239 §6)', async (forwarded) => {
    const headers = { 'x-api-key': unknownKey(), forwarded };
    expect((await send(latchkey.issuer, '/gateway/forward-auth', { headers })).status).toBe(401);
  });

  test.each([
    ['an obfuscated name', '127.0.0.0/8', 'for=_hidden'],
    ['an element without it', '127.0.0.0/8', 'for=6.6.6.6, proto=https'],
    ['a quoted string that swallows what the proxy says', '6.6.6.6', 'for=6.6.6.6;x=", for="[2001:db8::5]"'],
    ['another member', '6.6.6.6', 'by=6.6.6.6;xfor=6.6.6.6'],
    ['the other header', '6.6.6.6', 'for=203.0.113.7'],
  ])('no address is read from %s', async (_, network, forwarded) => {
    expect(await works(network, { forwarded, 'x-forwarded-for': '6.6.6.6' })).toBe(false);
  });
});

describe('a sender that is not a trusted proxy', () => {
  const latchkey = startLatchkey({
    env: { LATCHKEY_TRUST_PROXY: '192.0.2.0/24', LATCHKEY_CLIENT_CERTIFICATE_HEADER: 'X-Client-Cert' },
  });
  const { works } = allowListed(latchkey);

  test('sets neither the address nor the host', async () => {
    expect(await works('6.6.6.6', { 'x-forwarded-for': '6.6.6.6', forwarded: 'for=6.6.6.6' })).toBe(false);
    expect(await works('127.0.0.0/8', { 'x-forwarded-for': '6.6.6.6' })).toBe(true);
    const answer = await sendForm(latchkey.issuer, '/oauth/token', {}, { 'x-forwarded-host': 'evil.test' });
    expect(answer.status).not.toBe(421);
  });
});
