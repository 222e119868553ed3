import { send } from '../support/http.ts';
import { api, redirectUri } from '../support/installation.ts';
import { type AuthorizeOptions, startLatchkey } from '../support/latchkey.ts';
import { storedRows } from '../support/stored.ts';

const unsigned = 'eyJhbGciOiJub25lIn0.e30.';
const claims = (json: string) => `eyJhbGciOiJFUzI1NiJ9.${Buffer.from(json).toString('base64url')}.AA`;

describe('an authorization request', () => {
  const latchkey = startLatchkey();
  const visit = (options: AuthorizeOptions, more = '') => {
    const { pathname, search } = new URL(latchkey.authorizeUrl(options));
    return send(latchkey.issuer, `${pathname}${search}${more}`, { headers: { accept: 'text/html' } });
  };
  /** The parameters of the redirect. */
  const sentBack = (headers: Headers) => {
    const location = new URL(headers.get('location') ?? '', latchkey.issuer);
    const fragment = location.hash ? new URLSearchParams(location.hash.slice(1)) : location.searchParams;
    return { to: `${location.origin}${location.pathname}`, ...Object.fromEntries(fragment) };
  };

  test.each<{ what: string; ref: string; options: AuthorizeOptions; error: string; more?: string }>([
    {
      what: 'a token',
      ref: 'RFC 9700 §2.1.2',
      options: { response_type: 'token' },
      error: 'unsupported_response_type',
    },
    { what: 'an ID token', ref: 'RESP-02', options: { response_type: 'id_token' }, error: 'unsupported_response_type' },
    {
      what: 'a code and a token',
      ref: 'RESP-04',
      options: { response_type: 'code token' },
      error: 'unsupported_response_type',
    },
    {
      what: 'a code and an ID token',
      ref: 'RFC 9700 §2.1.2',
      options: { response_type: 'code id_token' },
      error: 'unsupported_response_type',
    },
    {
      what: 'everything',
      ref: 'RESP-06',
      options: { response_type: 'code id_token token' },
      error: 'unsupported_response_type',
    },
    {
      what: 'a device code',
      ref: 'RESP-08',
      options: { response_type: 'device_code' },
      error: 'unsupported_response_type',
    },
    {
      what: 'nothing at all',
      ref: 'RFC 6749 §3.1.1',
      options: { response_type: 'none' },
      error: 'unsupported_response_type',
    },
    { what: 'CODE', ref: 'RFC 6749 §3.1.1', options: { response_type: 'CODE' }, error: 'unsupported_response_type' },
    {
      what: 'a prototype',
      ref: 'RESP-22',
      options: { response_type: '__proto__' },
      error: 'unsupported_response_type',
    },
    { what: 'no response type', ref: 'RFC 6749 §3.1.1', options: { response_type: null }, error: 'invalid_request' },
    {
      what: 'an answer by message',
      ref: 'RESP-10',
      options: { response_mode: 'web_message' },
      error: 'unsupported_response_mode',
    },
    {
      what: 'an unknown response mode',
      ref: 'RESP-10',
      options: { response_mode: 'x' },
      error: 'unsupported_response_mode',
    },
    {
      what: 'an answer by prototype',
      ref: 'RESP-22',
      options: { response_mode: 'constructor' },
      error: 'unsupported_response_mode',
    },
    {
      what: 'no PKCE',
      ref: 'CODE-12',
      options: { code_challenge: null, code_challenge_method: null },
      error: 'invalid_request',
    },
    {
      what: 'PKCE without a method',
      ref: 'CODE-10',
      options: { code_challenge_method: null },
      error: 'invalid_request',
    },
    {
      what: 'PKCE in the clear',
      ref: 'RFC 9700 §2.1.1',
      options: { code_challenge_method: 'plain' },
      error: 'invalid_request',
    },
    {
      what: 'PKCE by s256',
      ref: 'RFC 7636 §4.3',
      options: { code_challenge_method: 's256' },
      error: 'invalid_request',
    },
    {
      what: 'a method without challenge',
      ref: 'RFC 7636 §4.3',
      options: { code_challenge: null },
      error: 'invalid_request',
    },
    { what: 'a short challenge', ref: 'RFC 7636 §4.2', options: { code_challenge: 'abc' }, error: 'invalid_request' },
    {
      what: 'a long challenge',
      ref: 'RFC 7636 §4.2',
      options: { code_challenge: 'a'.repeat(129) },
      error: 'invalid_request',
    },
    {
      what: 'a padded challenge',
      ref: 'RFC 7636 §4.2',
      options: { code_challenge: `${'a'.repeat(43)}=` },
      error: 'invalid_request',
    },
    {
      what: 'an undeclared scope',
      ref: 'RFC 6749 §3.3',
      options: { scope: 'nope' },
      error: 'invalid_scope',
    },
    {
      what: 'a scope of another client',
      ref: 'RFC 6749 §3.3',
      options: { client_id: 'post-app', scope: 'openid write' },
      error: 'invalid_scope',
    },
    {
      what: 'identity the client is not registered for',
      ref: 'OIDC Core §5.4',
      options: { client_id: 'post-app', scope: 'openid profile' },
      error: 'invalid_scope',
    },
    { what: 'every scope', ref: 'RFC 6749 §3.3', options: { scope: '*' }, error: 'invalid_scope' },
    {
      what: 'a scope of broken syntax',
      ref: 'RFC 6749 §3.3',
      options: { scope: 'openid re"ad' },
      error: 'invalid_scope',
    },
    { what: 'an unknown resource', ref: 'CC-04', options: { resource: 'https://evil.test' }, error: 'invalid_target' },
    {
      what: 'a resource with a fragment',
      ref: 'RFC 8707 §2',
      options: { resource: `${api}#x` },
      error: 'invalid_target',
    },
    { what: 'a relative resource', ref: 'RFC 8707 §2', options: { resource: '/orders' }, error: 'invalid_target' },
    {
      what: 'prompt=none without a session',
      ref: 'OIDC Core §3.1.2.1',
      options: { prompt: 'none' },
      error: 'login_required',
    },
    { what: 'silence and a sign-in', ref: 'CODE-26', options: { prompt: 'none login' }, error: 'invalid_request' },
    {
      what: 'an unknown prompt',
      ref: 'OIDC Core §3.1.2.6',
      options: { prompt: 'create' },
      error: 'invalid_request',
    },
    { what: 'a negative age', ref: 'OIDC Core §3.1.2.1', options: { max_age: '-1' }, error: 'invalid_request' },
    {
      what: 'an age beyond all numbers',
      ref: 'CWE-190',
      options: { max_age: '9'.repeat(40) },
      error: 'invalid_request',
    },
    {
      what: 'registration on the way',
      ref: 'OIDC Core §7.2.1',
      options: { registration: '{}' },
      error: 'registration_not_supported',
    },
    {
      what: 'a hint that is garbage',
      ref: 'OIDC Core §3.1.2.1',
      options: { id_token_hint: 'garbage' },
      error: 'invalid_request',
    },
    { what: 'an unsigned hint', ref: 'RFC 8725 §2.1', options: { id_token_hint: unsigned }, error: 'invalid_request' },
    {
      what: 'a hint with NUL',
      ref: 'CWE-158',
      options: { id_token_hint: claims('{"aud":"a\\u0000","sub":"\\u0000"}') },
      error: 'invalid_request',
    },
    { what: 'a scope twice', ref: 'RFC 6749 §3.1', options: {}, more: '&scope=openid', error: 'invalid_request' },
    { what: 'a nonce twice', ref: 'RFC 6749 §3.1', options: {}, more: '&nonce=a&nonce=b', error: 'invalid_request' },
  ])(
    'for $what redirects with an error, the state and the issuer ($ref, CODE-22)',
    async ({ options, error, more = '' }) => {
      const before = await storedRows(latchkey.database);
      const { status, headers } = await visit(options, more);
      expect({ status, ...sentBack(headers) }).toMatchObject({
        status: 303,
        to: redirectUri,
        error,
        state: 'the state',
        iss: latchkey.issuer,
      });
      expect(headers.get('location')).not.toMatch(/code=|access_token|id_token=/);
      expect(await storedRows(latchkey.database)).toEqual(before);
    },
  );
});
