import { z } from 'zod';
import { listForm, restriction } from './restriction.ts';

// Browsers send serialized origins (RFC 6454 §6.2): a pattern, a path or another spelling would never match.
const isOrigin = (text: string) => URL.parse(text)?.origin === text && /^https?:/.test(text) && !text.includes('*');

/** The origins of pages that may use a key: the `Origin` header, which only browsers send reliably. */
export const allowedOrigins = restriction({
  schema: z
    .array(
      z.string().max(253).refine(isOrigin, 'must be one origin such as https://app.example, without a path or "*"'),
    )
    .min(1)
    .max(100)
    .meta({ description: 'origins of pages it may be used from' }),
  refusal: { code: 'origin_not_allowed', status: 403 },
  form: listForm(
    {
      name: 'allowed_origins',
      label: { en: 'Allowed origins', de: 'Erlaubte Origins' },
      hint: {
        en: 'One origin per line, such as https://app.example. Empty: any origin, or none.',
        de: 'Ein Origin pro Zeile, wie https://app.example. Leer: jeder Origin oder gar keiner.',
      },
      refused: { de: 'Geben Sie pro Zeile einen Origin ein, wie https://app.example, ohne Pfad und ohne *.' },
      input: 'lines',
    },
    { position: 6 },
  ),
  compile: (written) => {
    const allowed = new Set(written);
    return {
      check: ({ origin }) => {
        if (origin !== undefined && allowed.has(origin)) return undefined;
        const from =
          origin === undefined ? 'The request names no origin' : `The request comes from a page of ${origin}`;
        return `${from}; the key may be used from ${written.join(', ')} only.`;
      },
    };
  },
  contains: (written, other) => other.every((origin) => written.includes(origin)),
  explain: {
    en: (written) => `only from pages of ${written.join(', ')}`,
    de: (written) => `nur von Seiten von ${written.join(', ')}`,
  },
});
