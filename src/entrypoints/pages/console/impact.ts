import type { RevocationImpact } from '../../../domain/revocation/index.ts';
import type { Impact } from '../records/page-shapes.ts';
import { counted } from '../words.ts';

/** Most acts leave API keys as they are. */
type Live = Omit<RevocationImpact, 'api_keys'> & { api_keys?: number };

/** What dies, in words. */
export function impactOf({ sessions, refresh_families, access_tokens, api_keys = 0 }: Live): Impact[] {
  const impact = [
    { count: sessions, noun: 'sign-in', words: 'in browsers, right now' },
    { count: refresh_families, noun: 'refresh token', words: 'with which apps go on without the person' },
    { count: access_tokens, noun: 'access token', words: 'that open APIs right now' },
    { count: api_keys, noun: 'API key', words: 'with which programs call APIs' },
  ];
  return impact
    .filter(({ count }) => count > 0)
    .map(({ count, noun, words }) => ({ text: counted(count, noun), words }));
}

/** The verb of a button, with the number of what dies. */
export function withImpact(verb: string, { sessions, refresh_families, access_tokens, api_keys = 0 }: Live): string {
  const count = sessions + refresh_families + access_tokens + api_keys;
  return count === 0 ? verb : `${verb}, end ${counted(count, 'credential')}`;
}
