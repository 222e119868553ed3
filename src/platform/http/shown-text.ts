import { z } from 'zod';

// Control characters, and all invisible characters: marks that turn the direction of writing (CVE-2021-42574), zero-width
// and other format characters, tags, fillers, variation selectors, the blank braille pattern, line and paragraph separators.
const unseen = /[\p{Cc}\p{Cf}\p{Cs}\p{Zl}\p{Zp}\p{Default_Ignorable_Code_Point}\u2800]/u;
const turning = /[\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069]/gu;

// Between letters of these scripts the joiners change the glyphs (RFC 5892 appendix A.1, A.2): many names need them.
const joined = [
  'Arabic',
  'Syriac',
  'Devanagari',
  'Bengali',
  'Gurmukhi',
  'Gujarati',
  'Oriya',
  'Tamil',
  'Telugu',
  'Kannada',
];
const joining = [...joined, 'Malayalam', 'Sinhala'].map((script) => `\\p{Script=${script}}`).join('');
const joiners = new RegExp(`(?<=[${joining}])[\\u200c\\u200d](?=[${joining}])`, 'gu');

/**
 * Whether a text is completely visible: it has no control characters, none that are invisible or change the direction of writing, and is
 * not blank. So two names that look the same are the same, and no name rearranges the words around it.
 */
export function isSeen(text: string): boolean {
  return text.trim() !== '' && !unseen.test(text.replaceAll(joiners, ''));
}

/** Whether a text can be stored and shown at all: no control characters, and no halves of surrogate pairs. */
export function isPrintable(text: string): boolean {
  return !/\p{Cc}|\p{Cs}/u.test(text);
}

export const notSeen =
  'must not be blank or contain control characters, invisible characters, or characters that change the writing direction';

/** A name or text for display, of one to so many characters. */
export function ShownText(most: number) {
  return z.string().min(1).max(most).refine(isSeen, notSeen);
}

/** One UTF-16 unit as JSON escapes it. */
export const asEscape = (unit: string): string => `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`;

/** Makes direction marks visible in texts that were stored or sent without this check. */
export function untwisted(text: string): string {
  return text.replaceAll(turning, '\ufffd');
}
