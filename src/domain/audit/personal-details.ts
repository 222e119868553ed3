import { type Digest, digest, pooledRandomBytes } from '../../platform/crypto/index.ts';
import type { Origin } from '../../platform/http/index.ts';

/** The personal data of an event, stored separately, so that it can be erased while the event remains verifiable. */
export type PersonalDetails = { salt: string; address: string | null; user_agent: string | null };

const saltBytes = 16;

/** The personal details of an event; null: none. */
export function personalDetails({ address, user_agent }: Origin): PersonalDetails | null {
  if (address === undefined && user_agent === undefined) return null;
  const salt = pooledRandomBytes(saltBytes).toString('base64url');
  return { salt, address: address ?? null, user_agent: user_agent ?? null };
}

/** The digest in the event. The salt is erased with the details, so that they cannot be found by trying all addresses. */
export function personalDigest({ salt, address, user_agent }: PersonalDetails): Digest {
  return digest(`${salt}\n${address ?? ''}\n${user_agent ?? ''}`);
}
