import { type CryptoKey, exportSPKI, generateKeyPair, UnsecuredJWT } from 'jose';
import type { ForeignIssuer, SignOptions } from './foreign-issuer.ts';

export type ForgedPlace = {
  /** The issuer that a trust accepts. */
  issuer: ForeignIssuer;
  /** Another issuer with the same name. */
  stranger: ForeignIssuer;
  audience: string;
  /** A valid token except for these claims and headers. */
  good: (claims?: Record<string, unknown>, options?: SignOptions) => Promise<string>;
};

type Make = (place: ForgedPlace) => Promise<string>;

const pod = 'system:serviceaccount:shop:orders';
const now = Math.floor(Date.now() / 1000);
const base64url = (text: string) => Buffer.from(text).toString('base64url');
const partsOf = (token: string) => token.split('.') as [string, string, string];
const keyFor = async (alg: string): Promise<CryptoKey> => (await generateKeyPair(alg)).privateKey;
const hmac = (good: ForgedPlace['good'], secret: string) =>
  good({}, { key: new TextEncoder().encode(secret), header: { alg: 'HS256' } });

/** Tokens that a trust must refuse: the defect, the failing check, and a function that makes the token. */
export const forgedAssertions: readonly [what: string, failed: string, make: Make][] = [
  ['is not signed (alg none)', 'algorithm', async ({ issuer }) => new UnsecuredJWT({ iss: issuer.issuer }).encode()],
  [
    'says alg none over a signature',
    'algorithm',
    async ({ good }) => {
      const [, payload, signature] = partsOf(await good());
      return `${base64url('{"alg":"none","typ":"JWT"}')}.${payload}.${signature}`;
    },
  ],
  [
    'is HMAC keyed by the public key',
    'algorithm',
    async ({ issuer, good }) => hmac(good, await exportSPKI(issuer.publicKey)),
  ],
  [
    'is HMAC keyed by the published JWK',
    'algorithm',
    async ({ issuer, good }) => hmac(good, JSON.stringify(issuer.keys[0])),
  ],
  [
    'is of another algorithm',
    'key',
    async ({ good }) => good({}, { key: await keyFor('ES256'), header: { alg: 'ES256' } }),
  ],
  [
    'is of another algorithm of the same key type',
    'key',
    async ({ good }) => good({}, { key: await keyFor('PS256'), header: { alg: 'PS256' } }),
  ],
  [
    'has no algorithm',
    'algorithm',
    async ({ good }) => {
      const [, payload, signature] = partsOf(await good());
      return `${base64url('{"typ":"JWT"}')}.${payload}.${signature}`;
    },
  ],
  [
    'is signed by another cluster of the same name',
    'signature',
    ({ stranger, good }) => good({}, { key: stranger.privateKey }),
  ],
  [
    'has a signature of zeros',
    'signature',
    async ({ good }) => {
      const [header, payload] = partsOf(await good());
      return `${header}.${payload}.${Buffer.alloc(256).toString('base64url')}`;
    },
  ],
  [
    'has another payload',
    'signature',
    async ({ good }) => {
      const [header, payload, signature] = partsOf(await good());
      const claims = JSON.parse(Buffer.from(payload, 'base64url').toString());
      return `${header}.${base64url(JSON.stringify({ ...claims, sub: `${pod}-2` }))}.${signature}`;
    },
  ],
  ['names an unknown key', 'key', ({ good }) => good({}, { header: { kid: 'key-2' } })],
  ['names a path as its key', 'key', ({ good }) => good({}, { header: { kid: '../../dev/null' } })],
  ['names SQL as its key', 'key', ({ good }) => good({}, { header: { kid: "' or 1=1 --" } })],
  [
    'brings its key (jwk)',
    'header',
    async ({ stranger, good }) => good({}, { key: stranger.privateKey, header: { jwk: stranger.keys[0] } }),
  ],
  ['names an address of keys (jku)', 'header', ({ good }) => good({}, { header: { jku: 'http://169.254.169.254/' } })],
  [
    'names an address of a certificate (x5u)',
    'header',
    ({ good }) => good({}, { header: { x5u: 'https://evil.example' } }),
  ],
  ['brings a certificate (x5c)', 'header', ({ good }) => good({}, { header: { x5c: ['MIIB'] } })],
  [
    'has an unknown critical header',
    'header',
    async ({ good }) => {
      const [, payload, signature] = partsOf(await good());
      const header = { alg: 'RS256', kid: 'key-1', crit: ['exp'], exp: now };
      return `${base64url(JSON.stringify(header))}.${payload}.${signature}`;
    },
  ],
  ['is another kind of JWT: an access token', 'type', ({ good }) => good({}, { header: { typ: 'at+jwt' } })],
  ['is another kind of JWT: an ID-JAG', 'type', ({ good }) => good({}, { header: { typ: 'oauth-id-jag+jwt' } })],
  ['is nested', 'type', ({ good }) => good({}, { header: { cty: 'JWT' } })],
  ['is for another audience', 'audience', ({ good }) => good({ aud: 'https://kubernetes.default.svc' })],
  [
    'is for another audience, too',
    'audience',
    ({ audience, good }) => good({ aud: [audience, 'https://evil.example'] }),
  ],
  ['is for no audience', 'audience', ({ good }) => good({ aud: undefined })],
  ['is for an empty list of audiences', 'audience', ({ good }) => good({ aud: [] })],
  ['is for us with a slash', 'audience', ({ audience, good }) => good({ aud: `${audience}/` })],
  [
    'is of a service account whose name begins alike',
    'condition on sub',
    ({ good }) => good({ sub: 'system:serviceaccount:shop-evil:orders' }),
  ],
  [
    'is of another service account',
    'condition on sub',
    ({ good }) => good({ sub: 'system:serviceaccount:kube-system:admin' }),
  ],
  ['has no subject', 'subject', ({ good }) => good({ sub: undefined })],
  ['is of a list of subjects', 'subject', ({ good }) => good({ sub: [pod] })],
  [
    'is of another namespace inside',
    'condition on /kubernetes.io/namespace',
    ({ good }) => good({ 'kubernetes.io': { namespace: 'other' } }),
  ],
  [
    'is of a list of namespaces',
    'condition on /kubernetes.io/namespace',
    ({ good }) => good({ 'kubernetes.io': { namespace: ['shop'] } }),
  ],
  [
    'lacks the namespace',
    'condition on /kubernetes.io/namespace',
    ({ good }) => good({ 'kubernetes.io': undefined, namespace: 'shop' }),
  ],
  ['is over', 'expiry', ({ good }) => good({ exp: now - 60 })],
  ['has no end', 'expiry', ({ good }) => good({ exp: undefined })],
  ['has an end beyond all time', 'expiry', ({ good }) => good({ exp: 1e300 })],
  ['has a text as its end', 'expiry', ({ good }) => good({ exp: '9999999999' })],
  ['begins later', 'not_before', ({ good }) => good({ nbf: now + 600 })],
  ['was issued in the future', 'issued_at', ({ good }) => good({ iat: now + 86_400 })],
  ['has no id, where it is accepted once', 'one_time', ({ good }) => good({ jti: undefined })],
  ['ends in a year, where it is accepted once', 'one_time', ({ good }) => good({ exp: now + 31_536_000 })],
  ['is of the issuer with a slash', 'no trust', ({ issuer, good }) => good({ iss: `${issuer.issuer}/` })],
  ['is of the issuer in another case', 'no trust', ({ good }) => good({ iss: 'https://CLUSTER.example' })],
  ['is of an issuer with NUL', 'no trust', ({ issuer, good }) => good({ iss: `${issuer.issuer}\u0000` })],
  ['is of a list of issuers', 'no trust', ({ issuer, good }) => good({ iss: [issuer.issuer] })],
  ['is huge', 'not a signed JWT', ({ good }) => good({ more: 'x'.repeat(30_000) })],
  ['is no JWT', 'not a signed JWT', async () => 'ey.ey.ey'],
];
