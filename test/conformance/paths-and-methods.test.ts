import { send, sendForm } from '../support/http.ts';
import { api, clientSecrets } from '../support/installation.ts';
import { basic, startLatchkey } from '../support/latchkey.ts';

describe('an endpoint', () => {
  const latchkey = startLatchkey();
  const authorization = basic('service', clientSecrets.service);
  const request = { grant_type: 'client_credentials', resource: api };

  test.each([
    '//oauth/token',
    '/oauth//token',
    '/oauth/token/',
    '/OAUTH/token',
    '/oauth/Token',
    '/oauth/%74oken',
    '/oauth%2ftoken',
    '/oauth/./token',
    '/oauth/x/../token',
    '/oauth/%2e%2e/oauth/token',
    '/oauth/token;x=1',
    '/oauth/token%00',
    '/oauth/token%20',
    '/oauth/token.json',
    '/oauth/to%e2%84%aaen',
    '\\oauth\\token',
  ])('has one path, and not %s (RFC 3986 §6.2.2.1)', async (path) => {
    const answer = await sendForm(latchkey.issuer, path, request, { authorization });
    expect([400, 404]).toContain(answer.status);
    expect(answer.body).not.toHaveProperty('access_token');
  });

  test.each([
    '/.well-known/openid-configuration/',
    '/.WELL-KNOWN/openid-configuration',
    '/.well-known/oauth-authorization-server/oauth',
    '/oauth/jwks/',
    '/Sign-In',
    '/sign-in/',
    '/ACCOUNT',
    '/assets/../../package.json',
    '/assets/%2e%2e/%2e%2e/package.json',
    '/%',
    '/%zz',
    '/%c0%ae%c0%ae/',
    '/..%2f..%2fetc/passwd',
  ])('is not reachable as %s', async (path) => {
    expect(await send(latchkey.issuer, path)).toMatchObject({ status: 404, body: { status: 404 } });
  });

  test.each([
    { path: '/oauth/token', method: 'GET', allow: 'POST, OPTIONS', ref: 'RESP-18' },
    { path: '/oauth/token', method: 'HEAD', allow: 'POST, OPTIONS', ref: 'RFC 9110 §15.5.6' },
    { path: '/oauth/token', method: 'PUT', allow: 'POST, OPTIONS', ref: 'RFC 9110 §15.5.6' },
    { path: '/oauth/token', method: 'PATCH', allow: 'POST, OPTIONS', ref: 'RFC 9110 §15.5.6' },
    { path: '/oauth/token', method: 'DELETE', allow: 'POST, OPTIONS', ref: 'RFC 9110 §15.5.6' },
    { path: '/oauth/token', method: 'TRACE', allow: 'POST, OPTIONS', ref: 'CWE-693' },
    { path: '/oauth/introspect', method: 'GET', allow: 'POST, OPTIONS', ref: 'RFC 7662 §2.1' },
    { path: '/oauth/revoke', method: 'GET', allow: 'POST, OPTIONS', ref: 'RFC 7009 §2.1' },
    { path: '/oauth/userinfo', method: 'DELETE', allow: 'GET, HEAD, POST, OPTIONS', ref: 'OIDC Core §5.3' },
    { path: '/oauth/authorize', method: 'PUT', allow: 'GET, HEAD, POST', ref: 'RFC 6749 §3.1' },
    { path: '/oauth/logout/confirm', method: 'GET', allow: 'POST', ref: 'CSRF-06' },
    { path: '/oauth/jwks', method: 'POST', allow: 'GET, HEAD, OPTIONS', ref: 'RFC 9110 §15.5.6' },
    { path: '/.well-known/openid-configuration', method: 'POST', allow: 'GET, HEAD, OPTIONS', ref: 'RFC 8414 §3.1' },
  ])('refuses $method $path and names the allowed methods ($ref)', async ({ path, method, allow }) => {
    const query = new URLSearchParams(request);
    const answer = await send(latchkey.issuer, `${path}?${query}`, { method, headers: { authorization } });
    expect(answer.status).toBe(405);
    expect(answer.headers.get('allow')).toBe(allow);
    expect(answer.headers.get('cache-control')).toBe('no-store');
    if (method !== 'HEAD')
      expect(answer.body).toMatchObject(path.startsWith('/oauth/') ? { error: 'invalid_request' } : { status: 405 });
  });

  test.each([
    { headers: { 'x-http-method-override': 'POST' }, query: '' },
    { headers: { 'x-http-method': 'POST' }, query: '' },
    { headers: {}, query: '&_method=POST' },
  ])('uses the method of the request line only: $headers $query (RESP-20)', async ({ headers, query }) => {
    const path = `/oauth/token?${new URLSearchParams(request)}${query}`;
    const answer = await send(latchkey.issuer, path, {
      headers: { authorization, ...headers } as Record<string, string>,
    });
    expect(answer).toMatchObject({ status: 405, body: { error: 'invalid_request' } });
  });

  test('reads no parameter from the query of a POST (RFC 6749 §3.2)', async () => {
    const answer = await sendForm(latchkey.issuer, `/oauth/token?${new URLSearchParams(request)}`, '', {
      authorization,
    });
    expect(answer).toMatchObject({ status: 400, body: { error: 'invalid_request' } });
  });
});
