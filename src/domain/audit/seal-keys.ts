import { createPrivateKey, createPublicKey, type JsonWebKey, type KeyObject } from 'node:crypto';
import { calculateJwkThumbprint, type JWK } from 'jose';
import type { ServerKeys } from '../../platform/keys/index.ts';

/** A key that signs the chain; its id is its RFC 7638 thumbprint, so that no other key can take its name. */
export type SealKey = { kid: string; privateKey: KeyObject; publicKey: KeyObject; public_jwk: JWK };

// RFC 8410: a PKCS #8 Ed25519 key is this header and 32 random bytes; a server key is 32 random bytes.
const pkcs8Header = Buffer.from('302e020100300506032b657004220420', 'hex');

/** The audit log's own keys, newest first: Ed25519, derived from the server keys for that purpose and never used for tokens. */
export async function sealKeys(keys: ServerKeys): Promise<SealKey[]> {
  return Promise.all(keys.all('audit').map(({ key }) => sealKey(key)));
}

/** The active key. */
export async function currentSealKey(keys: ServerKeys): Promise<SealKey> {
  return sealKey(keys.current('audit').key);
}

/** A public key as `latchkey audit keys` prints it. */
export function publicKeyOf(jwk: JWK): KeyObject {
  return createPublicKey({ key: jwk as JsonWebKey, format: 'jwk' });
}

const known = new WeakMap<KeyObject, Promise<SealKey>>();

function sealKey(seed: KeyObject): Promise<SealKey> {
  const made = known.get(seed) ?? makeSealKey(seed);
  known.set(seed, made);
  return made;
}

async function makeSealKey(seed: KeyObject): Promise<SealKey> {
  const privateKey = createPrivateKey({
    key: Buffer.concat([pkcs8Header, seed.export()]),
    format: 'der',
    type: 'pkcs8',
  });
  const publicKey = createPublicKey(privateKey);
  const jwk = publicKey.export({ format: 'jwk' }) as JWK;
  const kid = await calculateJwkThumbprint(jwk);
  return { kid, privateKey, publicKey, public_jwk: { ...jwk, kid, alg: 'EdDSA', use: 'sig' } };
}
