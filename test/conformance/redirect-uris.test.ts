import { send } from '../support/http.ts';
import { redirectUri } from '../support/installation.ts';
import { startLatchkey } from '../support/latchkey.ts';

const host = 'https://client.example';

describe('a redirect URI', () => {
  const latchkey = startLatchkey();
  const visit = (redirect_uri: string, client_id = 'web-app') => {
    const { pathname, search } = new URL(latchkey.authorizeUrl({ redirect_uri, client_id, scope: 'openid read' }));
    return send(latchkey.issuer, `${pathname}${search}`, { headers: { accept: 'text/html' } });
  };

  test.each([
    { what: 'a slash more', uri: `${redirectUri}/`, ref: 'REDIR-02' },
    { what: 'a way up', uri: `${host}/callback/../evil`, ref: 'REDIR-04' },
    { what: 'an escaped way up', uri: `${host}/callback/%2e%2e/evil`, ref: 'REDIR-04' },
    { what: 'a query more', uri: `${redirectUri}?x=1`, ref: 'REDIR-06' },
    { what: 'an empty query', uri: `${redirectUri}?`, ref: 'REDIR-06' },
    { what: 'a fragment', uri: `${redirectUri}#x`, ref: 'RFC 6749 §3.1.2' },
    { what: 'an empty fragment', uri: `${redirectUri}#`, ref: 'RFC 6749 §3.1.2' },
    { what: 'the client as user name', uri: `${host}@evil.test/callback`, ref: 'REDIR-08' },
    { what: 'a user name', uri: 'https://evil.test@client.example/callback', ref: 'REDIR-08' },
    { what: 'the client as subdomain', uri: `${host}.evil.test/callback`, ref: 'REDIR-10' },
    { what: 'a subdomain of the client', uri: 'https://evil.client.example/callback', ref: 'REDIR-10' },
    { what: 'no scheme', uri: '//client.example/callback', ref: 'REDIR-12' },
    { what: 'http', uri: 'http://client.example/callback', ref: 'RFC 9700 §2.6' },
    { what: 'data', uri: 'data:text/html,x', ref: 'REDIR-14' },
    { what: 'a script', uri: 'javascript:alert(1)//client.example/callback', ref: 'REDIR-14' },
    { what: 'an escaped letter', uri: `${host}/%63allback`, ref: 'REDIR-16' },
    { what: 'NUL', uri: `${redirectUri}\u0000`, ref: 'REDIR-18' },
    { what: 'two slashes', uri: `${host}//callback`, ref: 'REDIR-20' },
    { what: 'a backslash', uri: `${host}\\callback`, ref: 'REDIR-20' },
    { what: 'another port', uri: `${host}:8443/callback`, ref: 'REDIR-22' },
    { what: 'the port that is meant anyway', uri: `${host}:443/callback`, ref: 'RFC 9700 §4.1.3' },
    { what: 'localhost', uri: 'http://localhost/callback', ref: 'REDIR-24' },
    { what: 'the dot of the root', uri: 'https://client.example./callback', ref: 'REDIR-26' },
    { what: 'an ideographic dot', uri: 'https://client\u3002example/callback', ref: 'REDIR-26' },
    { what: 'a Cyrillic letter', uri: 'https://cl\u0456ent.example/callback', ref: 'REDIR-26' },
    { what: 'nothing', uri: '', ref: 'REDIR-28' },
    { what: 'a host in capitals', uri: 'https://CLIENT.example/callback', ref: 'RFC 9700 §4.1.3' },
    { what: 'a scheme in capitals', uri: 'HTTPS://client.example/callback', ref: 'RFC 9700 §4.1.3' },
    { what: 'a path in capitals', uri: `${host}/Callback`, ref: 'RFC 9700 §4.1.3' },
    { what: 'a blank after it', uri: `${redirectUri} `, ref: 'RFC 9700 §4.1.3' },
    { what: 'a blank before it', uri: ` ${redirectUri}`, ref: 'RFC 9700 §4.1.3' },
    { what: 'a tab in the host', uri: 'https://client.exa\tmple/callback', ref: 'RFC 9700 §4.1.3' },
    { what: 'a header after it', uri: `${redirectUri}\r\nSet-Cookie: x=1`, ref: 'CWE-113' },
    { what: 'a path parameter', uri: `${redirectUri};x`, ref: 'RFC 9700 §4.1.3' },
    { what: 'a path alone', uri: '/callback', ref: 'RFC 6749 §3.1.2' },
    { what: 'a wildcard', uri: 'https://*.example/callback', ref: 'RFC 9700 §4.1.3' },
    { what: '8 KB more', uri: `${redirectUri}${'a'.repeat(8000)}`, ref: 'CWE-400' },
    { what: 'that of another client', uri: 'https://spa.example/callback', ref: 'RFC 9700 §4.1.3' },
  ])('with $what gets an error page, and no redirect ($ref)', async ({ uri }) => {
    const { headers, ...answer } = await visit(uri);
    expect(answer).toMatchObject({ status: 400, body: { text: expect.stringContaining('<h1>') } });
    expect(headers.get('location')).toBeNull();
    expect(String(answer.body.text)).not.toMatch(/href="(https?:)?\/\/(?!localhost)/);
  });

  test.each([
    'http://127.0.0.1:4711/callback',
    'http://127.0.0.1/callback',
    'http://localhost:1/callback',
    'http://[::1]:65535/callback',
    'com.example.app:/callback',
  ])('of a native app may be %s: any port of a loopback address (REDIR-40, RFC 8252 §7.3)', async (uri) => {
    const answer = await visit(uri, 'native');
    expect(answer.status).toBe(303);
    expect(answer.headers.get('location')).toMatch(/^\/interaction\//);
  });

  test.each([
    'http://127.0.0.2/callback',
    'http://127.1/callback',
    'http://2130706433/callback',
    'http://0.0.0.0/callback',
    'http://[::]/callback',
    'http://127.0.0.1:4711/other',
    'http://127.0.0.1:4711/callback?x=1',
    'http://127.0.0.1:99999/callback',
    'http://127.0.0.1:4711@evil.test/callback',
    'https://127.0.0.1/callback',
    'http://localhost.evil.test/callback',
    'http://evil.test:80/callback',
    'com.example.app:/other',
    'com.example.app://evil.test/callback',
    'com.example.app.evil:/callback',
  ])('of a native app may not be %s (RFC 8252 §7)', async (uri) => {
    const answer = await visit(uri, 'native');
    expect(answer.status).toBe(400);
    expect(answer.headers.get('location')).toBeNull();
  });

  test('of a web client cannot be a loopback address with another port (REDIR-40)', async () => {
    expect((await visit('https://client.example:4711/callback')).status).toBe(400);
  });
});
