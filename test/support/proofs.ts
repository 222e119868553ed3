import { calculateJwkThumbprint, exportJWK, generateKeyPair, SignJWT } from 'jose';

/** A key, its thumbprint, and a function that makes DPoP proofs with it (RFC 9449 §4). */
export async function proofsOf() {
  const pair = await generateKeyPair('ES256', { extractable: true });
  const jwk = await exportJWK(pair.publicKey);
  const prove = (htm: string, htu: string, claims: object = {}) =>
    new SignJWT({ jti: crypto.randomUUID(), htm, htu, iat: Math.floor(Date.now() / 1000), ...claims })
      .setProtectedHeader({ alg: 'ES256', typ: 'dpop+jwt', jwk } as never)
      .sign(pair.privateKey);
  return { prove, jkt: await calculateJwkThumbprint(jwk) };
}
