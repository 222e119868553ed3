import type { DocSection } from './markdown.ts';

/** A section of a page, with the address of the page and its title. */
export type SearchedSection = DocSection & { path: string; page: string };

/** A section that has each word of a search. */
export type FoundSection = {
  href: string;
  page: string;
  heading: string;
  /** A part of its text: a match, and the words around it. */
  excerpt: { text: string; is_match: boolean }[];
};

const longestQuery = 100;
const mostWords = 8;
const mostFound = 20;
const excerptLength = 200;
const before = 60;

/** A parsed search. */
export const searchText = (typed: string): string => typed.trim().slice(0, longestQuery);

/** The sections that have each word of a text, or words that contain it, in any case of letters: those with them in a heading first. */
export function searchSections(sections: readonly SearchedSection[], text: string): FoundSection[] {
  const words = text.toLowerCase().split(/\s+/).filter(Boolean).slice(0, mostWords);
  if (words.length === 0) return [];
  const found = sections.flatMap((section) => {
    const score = scoreOf(section, words);
    return score > 0 ? [{ section, score }] : [];
  });
  const best = found.toSorted((a, b) => b.score - a.score).slice(0, mostFound);
  return best.map(({ section: { path, page, id, heading, text: whole } }) => ({
    href: heading === page ? path : `${path}#${id}`,
    page,
    heading,
    excerpt: excerptOf(whole, words),
  }));
}

/** 0: it lacks one of the words. */
function scoreOf({ page, heading, lower_case }: SearchedSection, words: readonly string[]): number {
  const [inPage, inHeading] = [page.toLowerCase(), heading.toLowerCase()];
  let score = 0;
  for (const word of words) {
    const ofHeading = inHeading.includes(word) ? 8 : 0;
    const ofPage = inPage.includes(word) ? 4 : 0;
    const ofText = Math.min(lower_case.split(word).length - 1, 3);
    if (ofHeading + ofPage + ofText === 0) return 0;
    score += ofHeading + ofPage + ofText;
  }
  return score;
}

function excerptOf(text: string, words: readonly string[]): FoundSection['excerpt'] {
  const any = new RegExp(
    `(${words.map((word) => word.replaceAll(/[^\p{L}\p{N}]/gu, String.raw`\$&`)).join('|')})`,
    'i',
  );
  const first = Math.max(text.search(any), 0);
  const start = first > before ? text.indexOf(' ', first - before) + 1 : 0;
  const end = start + excerptLength < text.length ? text.lastIndexOf(' ', start + excerptLength) : text.length;
  const shown = `${start > 0 ? '… ' : ''}${text.slice(start, end)}${end < text.length ? ' …' : ''}`;
  // Matches of a pattern in parentheses are at every second index.
  return shown.split(any).flatMap((part, n) => (part === '' ? [] : [{ text: part, is_match: n % 2 === 1 }]));
}
