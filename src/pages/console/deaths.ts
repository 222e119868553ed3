import type { whatWouldDie } from '../../revocation/index.ts';
import { counted } from '../words.ts';
import type { Death } from './console-pages.ts';

type Live = Awaited<ReturnType<typeof whatWouldDie>>;

/** What dies, in words. */
export function deathsOf({ sessions, refresh_families, access_tokens }: Live): Death[] {
  const deaths = [
    { count: sessions, noun: 'sign-in', words: 'in browsers, right now' },
    { count: refresh_families, noun: 'refresh token', words: 'with which apps go on without the person' },
    { count: access_tokens, noun: 'access token', words: 'that open APIs right now' },
  ];
  return deaths
    .filter(({ count }) => count > 0)
    .map(({ count, noun, words }) => ({ text: counted(count, noun), words }));
}

/** The verb of a button, with the number of what dies. */
export function withDeaths(verb: string, { sessions, refresh_families, access_tokens }: Live): string {
  const count = sessions + refresh_families + access_tokens;
  return count === 0 ? verb : `${verb}, end ${counted(count, 'credential')}`;
}
