import { type CryptoKey, exportJWK, generateKeyPair, SignJWT } from 'jose';
import { api } from './installation.ts';

export const assertionType = 'urn:ietf:params:oauth:client-assertion-type:jwt-bearer';

export type AssertionOptions = { header?: Record<string, unknown>; key?: CryptoKey | Uint8Array };
export type KeyedClient = {
  /** The client in configuration. */
  client: Record<string, unknown>;
  publicKey: CryptoKey;
  /** A valid assertion except for these claims; `undefined` leaves one out. */
  assertion: (issuer: string, claims?: Record<string, unknown>, options?: AssertionOptions) => Promise<string>;
};

/** A service that authenticates with private_key_jwt (RFC 7523). */
export async function keyedClient(client_id = 'keyed'): Promise<KeyedClient> {
  const { publicKey, privateKey } = await generateKeyPair('ES256', { extractable: true });
  const jwk = { ...(await exportJWK(publicKey)), kid: 'its key', alg: 'ES256', use: 'sig' };
  const client = {
    client_id,
    grant_types: ['client_credentials'],
    token_endpoint_auth_method: 'private_key_jwt',
    jwks: { keys: [jwk] },
    service_permissions: { [api]: ['read'] },
  };
  const assertion = (
    issuer: string,
    claims: Record<string, unknown> = {},
    { header = {}, key = privateKey }: AssertionOptions = {},
  ) => {
    const iat = Math.floor(Date.now() / 1000);
    const good = { iss: client_id, sub: client_id, aud: issuer, jti: crypto.randomUUID(), iat, exp: iat + 60 };
    const kept = Object.entries({ ...good, ...claims }).filter(([, value]) => value !== undefined);
    return new SignJWT(Object.fromEntries(kept)).setProtectedHeader({ alg: 'ES256', ...header }).sign(key);
  };
  return { client, publicKey, assertion };
}
