import { untwisted } from '../../../platform/http/index.ts';

const entities: Readonly<Record<string, string>> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  "'": '&#39;',
};

/** Text as HTML, without markup and without marks that change the direction of writing. */
export function escaped(text: string): string {
  return untwisted(text).replaceAll(/[&<>"']/g, (character) => entities[character] ?? '');
}

/** A part of a sentence that is HTML already. */
export class Markup {
  readonly html: string;
  constructor(html: string) {
    this.html = html;
  }
}

/** An emphasized name. */
export const strong = (text: string): Markup => new Markup(`<strong>${escaped(text)}</strong>`);

/** A name without emphasis, which cannot reorder the words around it. */
export const bdi = (text: string): Markup => new Markup(`<bdi>${escaped(text)}</bdi>`);

export const link = (href: string, text: string): Markup =>
  new Markup(`<a href="${escaped(href)}">${escaped(text)}</a>`);

type Part = string | number;

/** A sentence of a catalogue as HTML: parts that are text are escaped, parts that are markup are not. */
export function rich<P extends Record<string, Part>>(
  sentence: (parts: P) => string,
  parts: { [K in keyof P]: P[K] | Markup },
): string {
  return sentence(Object.fromEntries(Object.entries(parts).map(([key, part]) => [key, htmlOf(part)])) as P);
}

function htmlOf(part: Part | Markup): Part {
  if (part instanceof Markup) return part.html;
  if (typeof part === 'number') return part;
  // Templates are not type-checked, and any other value would be put on the page unescaped.
  if (typeof part !== 'string') throw new TypeError('a part of a sentence must be a text, a number or markup');
  return escaped(part);
}
