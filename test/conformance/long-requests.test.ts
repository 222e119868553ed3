import fc from 'fast-check';
import { type Sent, send } from '../support/http.ts';
import { startLatchkey } from '../support/latchkey.ts';
import { growthOf, noiseMs } from '../support/thread-time.ts';

const authorization = {
  client_id: 'spa',
  response_type: 'code',
  redirect_uri: 'https://spa.example/callback',
  scope: 'openid',
  code_challenge: 'a'.repeat(43),
  code_challenge_method: 'S256',
};
const paths = [
  ...['/oauth/token', '/oauth/introspect', '/oauth/revoke', '/oauth/par', '/oauth/device_authorization'],
  ...['/oauth/authorize', '/oauth/authorize/x', '/oauth/userinfo', '/oauth/logout', '/oauth/logout/confirm'],
  ...[
    '/.well-known/openid-configuration',
    '/oauth/jwks',
    '/device',
    '/device/x',
    '/device-code',
    '/sign-in',
    '/account',
  ],
  ...['/interaction/x', '/setup/x', '/password/x', '/', '/console', '/assets/x', '/healthz', '/status-lists/1'],
  ...[
    '/admin/v1/users',
    '/admin/v1/openapi.json',
    '/gateway/verify',
    '/gateway/forward-auth',
    '/gateway/ext-authz/a/b/c',
  ],
  ...['/oauth/register', '/v1/auth/approle/login', '/v1/auth/jwt/login', '/v1/sys/unseal', '/v1/secret/data/x'],
  ...['/v1/sys/wrapping/unwrap', '/sign-in/callback/x', '/sign-in/backchannel-logout/x', '/forgot-password', '/docs'],
  ...['/second-factor/x', '/demo', '/.well-known/webfinger'],
];
const parameters = [
  ...['scope', 'resource', 'claims', 'authorization_details', 'request', 'redirect_uri', 'client_id', 'grant_type'],
  ...['code', 'refresh_token', 'token', 'device_code', 'user_code', 'code_verifier', 'client_assertion', 'prompt'],
  ...['acr_values', 'ui_locales', 'login_hint', 'id_token_hint', 'state', 'login', 'password', 'return_to', 'csrf'],
  ...['subject_token', 'permission', 'parameter.x', 'cost', 'q', 'post_logout_redirect_uri'],
];
const headers = [
  ...['accept', 'accept-language', 'accept-encoding', 'cookie', 'x-forwarded-for', 'x-forwarded-host', 'forwarded'],
  ...['x-forwarded-proto', 'authorization', 'user-agent', 'content-type', 'origin', 'referer', 'if-none-match', 'dpop'],
  ...['x-original-uri', 'x-original-method', 'x-latchkey-permission', 'x-api-key', 'traceparent', 'range', 'if-match'],
];
// A prefix and a repeated part: inputs on which parsers and regular expressions have been slow.
const shapes: readonly (readonly [string, string])[] = [
  ...([
    ['a', ' '],
    ['a', '\t'],
    ['a', ','],
    ['"', ','],
    ['a/b;c="', ';'],
    ['a/b', ';'],
    ['', 'a/b;q=0.1,'],
  ] as const),
  ...([
    ['', 'a=b; '],
    ['a', '='],
    ['a', '&'],
    ['', '"'],
    ['"', '\\'],
    ['', '%'],
    ['', '%41'],
    ['http://x', '/'],
  ] as const),
  ...([
    ['/', '../'],
    ['', ':'],
    ['http://', 'a@'],
    ['', '-'],
    ['', 'a.'],
    ['{"userinfo":', '['],
  ] as const),
  ...([
    ['', '{"a":'],
    ['', 'A'],
    ['', '*:'],
    ['', '{'],
    ['', '{path.1}'],
    ['', '1.1.1.1,'],
    ['', '::'],
  ] as const),
  ...([
    ['for="', ',for=1.1.1.1'],
    ['', 'for='],
    ['', 'e-US,'],
    ['Bearer ', 'a '],
    ['Basic ', 'A='],
  ] as const),
];

type Place = 'header' | 'query' | 'form' | 'path' | 'body' | 'json';

/** A request with one long part. */
function longRequest(
  path: string,
  place: Place,
  name: { parameter: string; header: string },
  text: string,
): [string, Sent] {
  const accept = { accept: 'text/html' };
  const bytes = text.replaceAll(/[^\t\u0020-\u007e]/g, '?');
  const query = (value: string) => new URLSearchParams({ ...authorization, [name.parameter]: value }).toString();
  const form = { 'content-type': 'application/x-www-form-urlencoded' };
  if (place === 'header') return [path, { headers: { ...accept, [name.header]: bytes } }];
  if (place === 'query') return [`${path}?${query(text).slice(0, 14_000)}`, { headers: accept }];
  if (place === 'path') return [`${path}/${encodeURI(text).slice(0, 14_000)}`, { headers: accept }];
  if (place === 'form') return [path, { method: 'POST', headers: form, body: query(text).slice(0, 65_000) }];
  if (place === 'body') return [path, { method: 'POST', headers: form, body: text }];
  return [path, { method: 'POST', headers: { 'content-type': 'application/json' }, body: text }];
}

const lengths: Readonly<Record<Place, number>> = {
  header: 14_000,
  query: 14_000,
  path: 14_000,
  form: 64_000,
  body: 64_000,
  json: 64_000,
};

describe('any long part of a request of at most 64 KB', () => {
  const latchkey = startLatchkey({
    env: { LATCHKEY_TRUST_PROXY: '1', LATCHKEY_REGISTRATION: 'open' },
    ownProcess: true,
  });
  const growth = growthOf(latchkey);
  const rounds = Number(process.env.LATCHKEY_TEST_ROUNDS ?? 1);
  const place = fc.constantFrom<Place>('header', 'header', 'query', 'form', 'path', 'body', 'json');
  const name = fc.record({ parameter: fc.constantFrom(...parameters), header: fc.constantFrom(...headers) });

  const mustBeCheap = async (
    path: string,
    where: Place,
    named: { parameter: string; header: string },
    shape: readonly [string, string],
  ) => {
    const [head, repeated] = shape;
    const ask = async (size: number) => {
      const [target, sent] = longRequest(path, where, named, head + repeated.repeat(size / repeated.length));
      // It may be refused before it was read.
      await send(latchkey.issuer, target, sent).catch(() => undefined);
    };
    if ((await growth.costMs(() => ask(lengths[where]), 1)) > noiseMs) await growth.mustBeLinear(ask, lengths[where]);
  };

  test('costs time proportional to its length, at every public address', async () => {
    await fc.assert(fc.asyncProperty(fc.constantFrom(...paths), place, name, fc.constantFrom(...shapes), mustBeCheap), {
      numRuns: 400 * rounds,
    });
  });

  test.each([
    ['quotes that are never closed, in Accept', 'accept', ['"', ',']],
    ['parameters after a quote, in Accept', 'accept', ['a/b;c="', ';']],
    ['spaces between addresses', 'x-forwarded-for', ['1.1.1.1', ' ']],
    ['spaces in Forwarded', 'forwarded', ['for=1.1.1.1;', ' ']],
  ] as const)('is cheap with %s', async (_, header, shape) => {
    for (const path of ['/account', '/admin/v1/users', '/status-lists/1'])
      await mustBeCheap(path, 'header', { parameter: 'q', header }, shape);
  });
});
