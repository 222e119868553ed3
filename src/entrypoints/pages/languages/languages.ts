import type { Context } from 'koa';
import type { Language } from '../../../platform/languages/index.ts';
import { de } from './de.ts';
import { type Catalogue, en } from './en.ts';

// Another language is another file like de.ts, its line here, and its name in `Language`.
const catalogues: Readonly<Record<Language, Catalogue>> = { en, de };

/** All of them; the first is the language of the console and the API reference. */
export const languages = Object.keys(catalogues) as [Language, ...Language[]];

/** The texts of a language. */
export function textsOf(language: Language): Catalogue {
  return catalogues[language];
}

/** The texts of mail in a language, or in the installation's own if it is unknown. */
export const mailTexts =
  (own: Language) =>
  (language: string | undefined): Catalogue =>
    textsOf(languageNamed(language ?? '') ?? own);

// The console, the docs, the API reference and the demo are in English only; administrators read the API's own words there.
const englishOnly = /^\/(?:console|admin|demo|docs)(?:\/|$)/;

/**
 * The language of a page: the one that the application requests (`ui_locales`, OpenID Connect Core §3.1.2.1), else the one that the browser
 * requests (Accept-Language, RFC 9110 §12.5.4), else the installation's own.
 *
 * @param ui_locales language tags separated by spaces, the most wanted first
 */
export function languageOf(ctx: Context, own: Language, ui_locales?: unknown): Language {
  if (englishOnly.test(ctx.path)) return 'en';
  const asked = typeof ui_locales === 'string' ? ui_locales.split(' ').slice(0, 20).map(languageNamed) : [];
  const wanted = asked.find((language) => language !== undefined);
  const offered = [own, ...languages.filter((language) => language !== own)];
  return wanted ?? languageNamed(ctx.acceptsLanguages(offered) || own) ?? own;
}

/** `de-AT` gets German (RFC 4647 §3.4). */
function languageNamed(tag: string): Language | undefined {
  const [primary = ''] = tag.toLowerCase().split('-');
  return languages.find((language) => language === primary);
}
