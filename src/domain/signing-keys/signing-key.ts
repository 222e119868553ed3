import { exportJWK, generateKeyPair, type JWK } from 'jose';
import { v7 as uuidv7 } from 'uuid';

/** Signature algorithms of the installation, each with a key at all times; the default for access tokens first. */
export const signingAlgs = ['ES256', 'EdDSA', 'RS256', 'PS256'] as const;
export type SigningAlg = (typeof signingAlgs)[number];

/** The default for a client that names no algorithm (OpenID Connect Registration §2, JARM §3). */
export const defaultSigningAlg = 'RS256' as const satisfies SigningAlg;

/** The longest lifetime of a signed token: once a key has not signed for this long, all its tokens have expired. */
export const longestTokenSeconds = 86_400;

/** Makes a key pair; `kid` is a UUIDv7. */
export async function makeSigningKey(alg: SigningAlg): Promise<{ kid: string; public_jwk: JWK; private_jwk: JWK }> {
  const { privateKey, publicKey } = await generateKeyPair(alg, { extractable: true, modulusLength: 2048 });
  const kid = uuidv7();
  const named = { kid, alg, use: 'sig' };
  return {
    kid,
    public_jwk: { ...(await exportJWK(publicKey)), ...named },
    private_jwk: { ...(await exportJWK(privateKey)), ...named },
  };
}
