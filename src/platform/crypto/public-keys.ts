import { createPublicKey, type JsonWebKey, type KeyObject } from 'node:crypto';

/** A public key as JSON (RFC 7517). */
export type PublicJwk = Readonly<Record<string, unknown>>;

const ofCurves: Readonly<Record<string, readonly string[]>> = {
  'P-256': ['ES256'],
  'P-384': ['ES384'],
  'P-521': ['ES512'],
  Ed25519: ['EdDSA', 'Ed25519'],
};
const ofRsa = ['RS256', 'RS384', 'RS512', 'PS256', 'PS384', 'PS512'];

// RFC 7518 §3.3. OpenSSL takes long for keys that are much larger, and verifies none above 16384 bits.
const [leastBits, mostBits] = [2048, 8192];
const longestText = 2048;
const mostExponent = 2n ** 32n;

/** What is wrong with the value of a public key of a known type: it could never verify a signature. Undefined: nothing. */
export function publicKeyProblem(jwk: PublicJwk): string | undefined {
  const { kty, crv } = jwk;
  if (kty !== 'RSA' && !(typeof crv === 'string' && Object.hasOwn(ofCurves, crv))) return undefined;
  const key = parsed(jwk);
  if (!key) return `is not a valid ${kty === 'RSA' ? 'RSA' : crv} key`;
  const { modulusLength: bits, publicExponent = 0n } = key.asymmetricKeyDetails ?? {};
  if (bits !== undefined && (bits < leastBits || bits > mostBits))
    return `must have between ${leastBits} and ${mostBits} bits: it has ${bits}`;
  return bits !== undefined && publicExponent > mostExponent ? 'has a public exponent of more than 32 bits' : undefined;
}

/** Whether one of these keys can verify a signature with one of the algorithms. */
export function canVerify(keys: readonly PublicJwk[], algorithms: readonly string[]): boolean {
  return keys.some((jwk) => publicKeyProblem(jwk) === undefined && algorithmsOf(jwk).some(isOneOf(algorithms)));
}

const isOneOf = (algorithms: readonly string[]) => (algorithm: string) => algorithms.includes(algorithm);

function algorithmsOf({ kty, crv, use, key_ops, alg }: PublicJwk): readonly string[] {
  if (use !== undefined && use !== 'sig') return [];
  if (Array.isArray(key_ops) && !key_ops.includes('verify')) return [];
  const possible = kty === 'RSA' ? ofRsa : (ofCurves[String(crv)] ?? []);
  // RFC 9864 §2.2: both names are of the same algorithm.
  const named = alg === 'EdDSA' || alg === 'Ed25519' ? ofCurves.Ed25519 : [alg];
  return alg === undefined ? possible : possible.filter((each) => named?.includes(each));
}

function parsed(jwk: PublicJwk): KeyObject | undefined {
  const members = ['n', 'e', 'x', 'y'].map((member) => jwk[member]);
  if (members.some((value) => typeof value === 'string' && value.length > longestText)) return undefined;
  try {
    return createPublicKey({ key: jwk as JsonWebKey, format: 'jwk' });
  } catch {
    return undefined;
  }
}
