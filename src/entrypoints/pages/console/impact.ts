import type { RevocationImpact } from '../../../domain/revocation/index.ts';
import type { Impact } from '../records/page-shapes.ts';
import { counted } from '../words.ts';

/** Most actions do not affect API keys. */
type Live = Omit<RevocationImpact, 'api_keys'> & { api_keys?: number };

/** What an action revokes, in words. */
export function impactOf({ sessions, refresh_families, access_tokens, api_keys = 0 }: Live): Impact[] {
  const impact = [
    { count: sessions, noun: 'session', words: 'in browsers' },
    { count: refresh_families, noun: 'refresh token', words: 'with which apps get new access tokens' },
    { count: access_tokens, noun: 'access token', words: 'that APIs accept now' },
    { count: api_keys, noun: 'API key', words: 'with which programs call APIs' },
  ];
  return impact
    .filter(({ count }) => count > 0)
    .map(({ count, noun, words }) => ({ text: counted(count, noun), words }));
}

/** The verb of a button, with the number of credentials that it revokes. */
export function withImpact(verb: string, { sessions, refresh_families, access_tokens, api_keys = 0 }: Live): string {
  const count = sessions + refresh_families + access_tokens + api_keys;
  if (count === 0) return verb;
  return verb === 'Revoke'
    ? `Revoke ${counted(count, 'credential')}`
    : `${verb}, revoke ${counted(count, 'credential')}`;
}
