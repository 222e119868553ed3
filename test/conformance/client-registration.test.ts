import { generateKeyPairSync } from 'node:crypto';
import fc from 'fast-check';
import Provider from 'oidc-provider';
import { ClientInput } from '../../src/domain/clients/index.ts';
import { clientMetadataRules } from '../../src/entrypoints/oauth/index.ts';
import { ClientMetadata } from '../../src/entrypoints/oauth/provider/client-metadata-schema.ts';
import { metadataRules } from '../../src/entrypoints/oauth/provider/configuration.ts';
import { hiddenModels } from '../../src/entrypoints/oauth/provider/library-seams.ts';
import type { Problem } from '../../src/platform/http/index.ts';

const web = {
  client_id: 'web',
  redirect_uris: ['https://client.example/callback'],
  grant_types: ['authorization_code'],
  token_endpoint_auth_method: 'client_secret_basic',
};
const native = { ...web, application_type: 'native', token_endpoint_auth_method: 'none' };
const service = { client_id: 'service', grant_types: ['client_credentials'], response_types: [], redirect_uris: [] };
const keyed = { ...service, token_endpoint_auth_method: 'private_key_jwt' };
const rsa = { kty: 'RSA', n: 'AQAB', e: 'AQAB' };
const ec = generateKeyPairSync('ec', { namedCurve: 'P-256' }).publicKey.export({ format: 'jwk' });
const rsaOf = (modulusLength: number) =>
  generateKeyPairSync('rsa', { modulusLength }).publicKey.export({ format: 'jwk' });

const judgedMembers = Object.keys(ClientMetadata.shape).filter((member) => member !== 'client_id');
const anything = [
  undefined,
  null,
  true,
  1.5,
  -1,
  '',
  'x',
  [],
  [''],
  [null],
  ['x'],
  {},
  'https://client.example',
  'http://client.example',
];
const likely: Readonly<Record<string, readonly unknown[]>> = {
  application_type: ['web', 'native'],
  token_endpoint_auth_method: ['none', 'private_key_jwt', 'tls_client_auth', 'self_signed_tls_client_auth'],
  grant_types: [['authorization_code'], ['client_credentials'], ['implicit']],
  response_types: [['code'], ['token']],
  response_modes: [['query'], ['jwt']],
  scope: ['openid', 'openid nope'],
  subject_type: ['public', 'pairwise'],
  jwks: [
    { keys: [] },
    { keys: [rsa] },
    { keys: [{ ...rsa, d: 'AQAB' }] },
    { keys: [{ kty: 'EC', crv: 'P-256', x: 'AA' }] },
  ],
};
const addresses = ['https://localhost/x', 'http://127.0.0.1/x', 'app://x', 'about:blank', 'https://client.example/#'];

/** Values for a member of a registration, about half of them valid. */
function valuesOf(member: string): readonly unknown[] {
  if (member.endsWith('_alg')) return ['ES256', 'Ed25519', 'HS256', 'none', ...anything];
  if (member.endsWith('_uris')) return [...addresses.map((uri) => [uri]), ...anything];
  return [...(likely[member] ?? []), ...anything];
}

describe('registering a client', () => {
  const judge = clientMetadataRules();

  test.each([
    { uri: 'http://client.example/callback', ref: 'RFC 9700 §2.6' },
    { uri: 'http://10.0.0.1/callback', ref: 'RFC 9700 §2.6' },
    { uri: 'http://localhost.evil.test/callback', ref: 'RFC 9700 §2.6' },
    { uri: 'https://*.client.example/callback', ref: 'RFC 9700 §4.1.3' },
    { uri: 'https://client.example/*', ref: 'RFC 9700 §4.1.3' },
    { uri: 'https://client.example/callback#x', ref: 'RFC 6749 §3.1.2' },
    { uri: 'https://user:password@client.example/callback', ref: 'RFC 9700 §4.1' },
    { uri: 'https://client.example\\callback', ref: 'RFC 3986 §2' },
    { uri: 'https://client.example/call back', ref: 'RFC 3986 §2' },
    { uri: 'https://cl\u0456ent.example/callback', ref: 'RFC 3986 §2' },
    { uri: '//client.example/callback', ref: 'RFC 6749 §3.1.2' },
    { uri: 'javascript:alert(1)', ref: 'CWE-79' },
    { uri: 'data:text/html,x', ref: 'CWE-79' },
    { uri: 'file:///callback', ref: 'RFC 7591 §5' },
    { uri: '', ref: 'RFC 6749 §3.1.2' },
  ])('refuses the redirect URI $uri ($ref)', async ({ uri }) => {
    const refused = { type: 'invalid', options: { pointer: expect.stringMatching(/^\/redirect_uris/) } };
    await expect(judge({ ...web, redirect_uris: [uri] })).rejects.toMatchObject(refused);
    await expect(judge({ ...web, post_logout_redirect_uris: [uri] })).rejects.toMatchObject({ type: 'invalid' });
  });

  test.each([
    { uri: 'javascript:alert(1)', ref: 'CWE-79' },
    { uri: 'vbscript:x', ref: 'CWE-79' },
    { uri: 'blob:https://client.example/x', ref: 'CWE-79' },
    { uri: 'http://client.example/callback', ref: 'RFC 8252 §8.3' },
  ])('refuses the redirect URI $uri of a native app ($ref)', async ({ uri }) => {
    await expect(judge({ ...native, redirect_uris: [uri] })).rejects.toMatchObject({ type: 'invalid' });
  });

  test.each([
    ['a web client', web, ['https://client.example/callback', 'http://localhost:3000/callback']],
    ['a native client', native, ['http://127.0.0.1/callback', 'http://[::1]/callback', 'com.example.app:/callback']],
  ])('accepts what %s needs (RFC 8252 §7)', async (_, metadata, redirect_uris) => {
    await expect(judge({ ...metadata, redirect_uris })).resolves.toBeUndefined();
  });

  test.each([
    {
      what: 'implicit',
      ref: 'RFC 9700 §2.1.2',
      metadata: { ...web, grant_types: ['implicit'], response_types: ['token'] },
    },
    { what: 'passwords', ref: 'RFC 9700 §2.4', metadata: { ...web, grant_types: ['password'] } },
    {
      what: 'client_credentials of a public client',
      ref: 'RFC 6749 §4.4',
      metadata: { ...service, token_endpoint_auth_method: 'none' },
    },
    { what: 'unsigned ID tokens', ref: 'RFC 8725 §3.1', metadata: { ...web, id_token_signed_response_alg: 'none' } },
    {
      what: 'ID tokens signed with a shared secret',
      ref: 'RFC 8725 §3.1',
      metadata: { ...web, id_token_signed_response_alg: 'HS256' },
    },
    {
      what: 'unsigned assertions',
      ref: 'RFC 8725 §3.1',
      metadata: { ...keyed, jwks_uri: 'https://client.example/jwks', token_endpoint_auth_signing_alg: 'none' },
    },
    {
      what: 'assertions signed with a shared secret',
      ref: 'RFC 7523 §2.2',
      metadata: { ...service, token_endpoint_auth_method: 'client_secret_jwt' },
    },
    {
      what: 'a private key',
      ref: 'RFC 7517 §4',
      metadata: { ...keyed, jwks: { keys: [{ kty: 'EC', crv: 'P-256', x: 'AA', y: 'AA', d: 'AA' }] } },
    },
    { what: 'a shared key', ref: 'RFC 7517 §4', metadata: { ...keyed, jwks: { keys: [{ kty: 'oct', k: 'AA' }] } } },
    {
      what: 'keys and an address of keys',
      ref: 'RFC 7591 §2',
      metadata: { ...keyed, jwks: { keys: [rsa] }, jwks_uri: 'https://client.example/jwks' },
    },
    {
      what: 'keys fetched in the clear',
      ref: 'SSRF-04',
      metadata: { ...keyed, jwks_uri: 'http://client.example/jwks' },
    },
    ...[
      { what: 'an RSA key of 1024 bits', ref: 'RFC 7518 §3.3', keys: [rsaOf(1024)] },
      { what: 'an RSA key of 400,000 bits', ref: 'CWE-400', keys: [{ ...rsa, n: 'w'.repeat(66_000) }] },
      { what: 'a point that is not on the curve', ref: 'RFC 7518 §6.2', keys: [rsaOf(2048), { ...ec, x: 'AA' }] },
      { what: 'no key', ref: 'RFC 7523 §3', keys: [] },
      { what: 'keys for encryption alone', ref: 'RFC 7517 §4.2', keys: [{ ...ec, use: 'enc' }] },
      { what: 'keys for exchange alone', ref: 'RFC 8037 §2', keys: [{ kty: 'OKP', crv: 'X25519', x: ec.x }] },
    ].map(({ keys, ...row }) => ({ ...row, metadata: { ...keyed, jwks: { keys } } })),
    {
      what: 'keys for another algorithm than that of the assertions',
      ref: 'RFC 7518 §3.1',
      metadata: { ...keyed, jwks: { keys: [ec] }, token_endpoint_auth_signing_alg: 'RS256' },
    },
    {
      what: 'keys for another algorithm than that of signed requests',
      ref: 'RFC 9101 §6.2',
      metadata: { ...web, jwks: { keys: [ec] }, request_object_signing_alg: 'PS256' },
    },
    ...['10.0.0.1:443', '[fd00::5]', 'fe80::1%eth0', '010.0.0.1', 'host'].map((tls_client_auth_san_ip) => ({
      ...{ what: `the certificate of ${tls_client_auth_san_ip}`, ref: 'RFC 8705 §2.1.2' },
      metadata: { ...service, token_endpoint_auth_method: 'tls_client_auth', tls_client_auth_san_ip },
    })),
    { what: 'keys from a file', ref: 'CWE-918', metadata: { ...keyed, jwks_uri: 'file:///etc/passwd' } },
    { what: 'a script as home page', ref: 'DCR-04', metadata: { ...web, client_uri: 'javascript:alert(1)' } },
    { what: 'a script as logo', ref: 'DCR-04', metadata: { ...web, logo_uri: 'data:text/html,x' } },
    { what: 'an undeclared scope', ref: 'RFC 7591 §2', metadata: { ...web, scope: 'openid nope' } },
    { what: 'an unknown member', ref: 'ADM-06', metadata: { ...web, is_admin: true } },
    {
      what: 'a member that is not supported',
      ref: 'RFC 7591 §2',
      metadata: { ...web, userinfo_signed_response_alg: 'none' },
    },
    {
      what: 'the members of a prototype',
      ref: 'CWE-1321',
      metadata: { ...web, constructor: { prototype: { enabled: true } } },
    },
  ])('refuses $what ($ref)', async ({ metadata }) => {
    await expect(judge(metadata)).rejects.toMatchObject({ name: 'Problem', type: 'invalid', status: 400 });
  });

  test.each([
    [
      'a key for signatures beside others',
      [{ ...ec, use: 'enc' }, { kty: 'OKP', crv: 'X25519', x: ec.x }, rsaOf(2048)],
    ],
    ['a key for all uses', [ec]],
    ['a key with its algorithm', [{ ...rsaOf(3072), alg: 'PS256', use: 'sig' }]],
    ['an Edwards key', [{ ...generateKeyPairSync('ed25519').publicKey.export({ format: 'jwk' }), alg: 'EdDSA' }]],
  ])('accepts %s', async (_, keys) => {
    await expect(judge({ ...keyed, jwks: { keys } })).resolves.toBeUndefined();
  });

  test('points at every invalid member, with the name used in the registration', async () => {
    const redirect_uris = ['https://client.example/callback', 'http://client.example/callback'];
    const metadata = { ...web, redirect_uris, jwks_uri: 'http://client.example/jwks', is_admin: true };
    const refused = await judge(metadata).catch((error: unknown) => error);
    expect(refused).toMatchObject({
      message: expect.stringMatching(/^Client "web": is_admin is not .* \(and 2 more\)\.$/),
    });
    expect((refused as Problem).body()).toMatchObject({
      errors: [
        { pointer: '/is_admin', detail: expect.stringContaining('is not a client member') },
        { pointer: '/redirect_uris/1', detail: expect.stringContaining('must begin with https://') },
        { pointer: '/jwks_uri', detail: expect.stringContaining('must begin with https://') },
      ],
    });
    const scoped = await judge({ ...web, scope: 'openid nope' }).catch((error: unknown) => error);
    expect((scoped as Problem).body()).toMatchObject({
      detail: expect.stringMatching(/^Client "web": scope can contain openid/),
      errors: [{ pointer: '/scope', detail: expect.stringMatching(/^can contain openid/) }],
    });
  });

  test('names the member that the library refuses', async () => {
    const library = hiddenModels(new Provider('https://latchkey.invalid', metadataRules())).Client;
    const verdicts = { taken: 0, refused: 0 };
    const judged = fc.asyncProperty(fc.subarray(judgedMembers, { maxLength: 4 }), fc.gen(), async (members, pick) => {
      const given = members.map((member) => [member, pick(() => fc.constantFrom(...valuesOf(member)))]);
      const metadata = { ...web, ...Object.fromEntries(given) };
      const isRefused = await library.validate({ ...metadata, client_secret: 'of any kind' }).then(
        () => false,
        () => true,
      );
      verdicts[isRefused ? 'refused' : 'taken'] += 1;
      if (isRefused) expect(ClientMetadata.safeParse(metadata).success).toBe(false);
    });
    await fc.assert(judged, { numRuns: 3000 });
    expect(Math.min(...Object.values(verdicts))).toBeGreaterThan(100);
  });

  test.each([
    { what: 'writing turned round', client_name: 'Shop\u202egnp.exe', ref: 'DCR-07' },
    { what: 'isolated writing', client_name: '\u2067Shop', ref: 'CVE-2021-42574' },
    { what: 'NUL', client_name: 'Shop\u0000', ref: 'CWE-158' },
    { what: 'a line end', client_name: 'Shop\r\nX: y', ref: 'CWE-93' },
    { what: '101 characters', client_name: 'x'.repeat(101), ref: 'DCR-07' },
  ])('refuses a name with $what ($ref)', ({ client_name }) => {
    expect(ClientInput.safeParse({ ...web, client_name }).error?.issues).toMatchObject([{ path: ['client_name'] }]);
  });

  test.each(['Läden für Bücher', 'متجر', '店', 'Shop 🛒'])('accepts the name %s', (client_name) => {
    expect(ClientInput.safeParse({ ...web, client_name }).success).toBe(true);
  });

  test.each(['', 'a b', 'a\u0000', 'ü', 'x'.repeat(256)])('refuses the client_id %j (RFC 6749 §A.1)', (client_id) => {
    expect(ClientInput.safeParse({ ...web, client_id }).success).toBe(false);
  });

  // Which of them are accepted is tested in test/domain/identity/names-and-ids.test.ts (RFC 9068 §5).
  test('accepts a client_id that looks like a UUID, as other servers generate them', () => {
    const client_id = '0198c5c9-7c1e-7000-8000-000000000000';
    expect(ClientInput.safeParse({ ...web, client_id }).success).toBe(true);
  });
});
