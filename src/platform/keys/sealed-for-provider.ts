import { type Sealed, type SealedPlace, seal, unseal } from '../crypto/index.ts';
import type { ServerKeys } from './server-keys.ts';

/** Seals a secret that this installation has at another server, under the server key for such secrets. */
export function sealForProvider(
  keys: ServerKeys,
  place: SealedPlace,
  secret: string,
): { key_id: number; sealed: Sealed } {
  const { id: key_id, key } = keys.current('provider');
  return { key_id, sealed: seal(key, place, secret) };
}

/** Opens a value of `sealForProvider`; undefined: there is none. */
export async function openForProvider(
  keys: ServerKeys,
  place: SealedPlace,
  { key_id, sealed }: { key_id: number | null; sealed: Sealed | null },
): Promise<string | undefined> {
  if (sealed === null || key_id === null) return undefined;
  const { key } = await keys.named(key_id);
  return unseal(key, place, sealed).toString();
}
