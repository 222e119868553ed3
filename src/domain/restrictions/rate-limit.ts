import { z } from 'zod';
import { For, forText, isMeant, isMeantWherever, withoutFor } from './for-permissions.ts';
import { atMost, type Limit, restriction } from './restriction.ts';

const shape = /^([1-9]\d{0,6}) ([\p{L}][\p{L}\p{N} _-]{0,39})\/(second|minute|hour|day)$/u;
const aRate =
  'a number up to 9999999, what is counted, and per second, minute, hour or day, such as "1000 requests/minute"';
const error = `must be ${aRate}; or, for some permissions only, { "limit": "100 messages/hour", "for": ["email:send"] }`;
const Rate = z.string().regex(shape, `must be ${aRate}`);
const RateFor = z.strictObject({ limit: Rate, for: For.optional() });
const Rates = z.union(
  [
    Rate,
    z
      .array(z.union([Rate, RateFor], { error }))
      .min(1)
      .max(10),
  ],
  {
    error: `must be one limit, or up to ten in a list: each ${error.slice('must be '.length)}`,
  },
);

type Written = z.output<typeof Rates>;

/** How often a key may be used. The name of the counted unit is free, and all limits apply together. */
export const rateLimit = restriction({
  schema: Rates.meta({ description: 'one or several', examples: ['1000 requests/minute'] }),
  refusal: { code: 'rate_limited', status: 429 },
  form: {
    position: 2,
    fields: [
      {
        name: 'rate_limit',
        label: { en: 'Rate limits', de: 'Ratenbegrenzungen' },
        hint: {
          en: 'One per line, such as 1000 requests/minute, or 100 messages/hour for email:send. All apply together.',
          de: 'Eine pro Zeile, wie 1000 requests/minute oder 100 messages/hour for email:send. Alle gelten gemeinsam.',
        },
        refused: { de: 'Geben Sie pro Zeile eine Begrenzung ein, wie 1000 requests/minute.' },
        input: 'lines',
      },
    ],
    show: (written) => ({ rate_limit: linesOf(written) }),
    read: (sent) => (sent('rate_limit').length > 0 ? sent('rate_limit').map(rateIn) : undefined),
    summary: { ...atMost, say: linesOf },
  },
  compile: (written) => ({ limits: each(written).map(limitOf) }),
  contains: (written, other) => each(written).every((limit) => each(other).some((one) => isNoMore(one, limit))),
  explain: {
    en: (written) =>
      linesOf(written)
        .map((line) => `at most ${line}`)
        .join(', '),
    de: (written) =>
      each(written)
        .map(({ limit, for: patterns }) => `höchstens ${limit}${patterns ? ` für ${patterns.join(', ')}` : ''}`)
        .join(', '),
  },
});

type One = { limit: string; for?: string[] | undefined };

function each(written: Written): One[] {
  return [written].flat().map((one) => (typeof one === 'string' ? { limit: one } : one));
}

function linesOf(written: Written): string[] {
  return each(written).map(lineOf);
}

function lineOf({ limit, for: patterns }: One): string {
  return `${limit}${forText(patterns)}`;
}

function rateIn(line: string): unknown {
  const [limit, patterns] = withoutFor(line);
  return patterns ? { limit, for: patterns } : limit;
}

const periods = ['second', 'minute', 'hour', 'day'];

/** At most the same amount in at least the same period never allows more, neither at once nor in the long run. */
function isNoMore(one: One, than: One): boolean {
  const [limit, bound] = [limitOf(one), limitOf(than)];
  const isSlower = limit.amount <= bound.amount && periods.indexOf(limit.per) >= periods.indexOf(bound.per);
  return isSlower && isMeantWherever(than.for, one.for);
}

function limitOf({ limit, for: patterns }: One): Limit {
  const [, amount, , per] = shape.exec(limit) ?? [];
  return {
    kind: 'rate',
    name: lineOf({ limit, for: patterns }),
    amount: Number(amount),
    per: per as Limit['per'],
    appliesTo: (request) => isMeant(patterns, request),
  };
}
