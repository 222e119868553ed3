import { z } from 'zod';
import { restriction } from './restriction.ts';

// A browser sends an origin as it serialises it (RFC 6454 §6.2): a pattern, a path or another spelling would match none.
const isOrigin = (text: string) => URL.parse(text)?.origin === text && /^https?:/.test(text) && !text.includes('*');

/** From pages of which origins a key may be used: the `Origin` header, which only browsers can be relied on to send. */
export const allowedOrigins = restriction({
  schema: z
    .array(
      z.string().max(253).refine(isOrigin, 'must be one origin such as https://app.example, without a path or "*"'),
    )
    .min(1)
    .max(100)
    .meta({ description: 'origins of pages it may be used from' }),
  compile: (written) => {
    const allowed = new Set(written);
    return {
      check: ({ origin }) => {
        if (origin !== undefined && allowed.has(origin)) return undefined;
        const from = origin === undefined ? 'The request names no origin' : `It comes from a page of ${origin}`;
        return {
          code: 'origin_not_allowed',
          reason: `${from}; the key may be used from ${written.join(', ')} only.`,
        };
      },
    };
  },
  contains: (written, other) => other.every((origin) => written.includes(origin)),
  explain: (written) => `only from pages of ${written.join(', ')}`,
});
