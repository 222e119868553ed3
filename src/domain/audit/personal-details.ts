import { type Digest, digest, pooledRandomBytes } from '../../platform/crypto/index.ts';
import type { Origin } from '../../platform/http/index.ts';

/** What tells of a person; it stands apart from the event, so that it can be erased while the event stays proved. */
export type PersonalDetails = { salt: string; address: string | null; user_agent: string | null };

const saltBytes = 16;

/** The personal details of a deed; null when there are none. */
export function personalDetails({ address, user_agent }: Origin): PersonalDetails | null {
  if (address === undefined && user_agent === undefined) return null;
  const salt = pooledRandomBytes(saltBytes).toString('base64url');
  return { salt, address: address ?? null, user_agent: user_agent ?? null };
}

/** What the event keeps of them. The salt goes with the details, so that nobody finds them by trying all addresses. */
export function personalDigest({ salt, address, user_agent }: PersonalDetails): Digest {
  return digest(`${salt}\n${address ?? ''}\n${user_agent ?? ''}`);
}
