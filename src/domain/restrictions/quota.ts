import { z } from 'zod';
import { type Limit, restriction } from './restriction.ts';

const Amount = z.int().min(1).max(1_000_000_000_000);

/** How much a key may be used in a calendar day or month (UTC). */
export const quota = restriction({
  schema: z
    .strictObject({ day: Amount.optional(), month: Amount.optional() })
    .refine(({ day, month }) => day !== undefined || month !== undefined, 'must name a day or a month')
    .meta({ description: 'the amount per calendar day or month, in UTC' }),
  compile: ({ day, month }) => ({ limits: [...limitOf('day', day), ...limitOf('month', month)] }),
  contains: (written, other) =>
    (['day', 'month'] as const).every((per) => (other[per] ?? Infinity) <= (written[per] ?? Infinity)),
  explain: ({ day, month }) =>
    [...limitOf('day', day), ...limitOf('month', month)].map(({ name }) => `at most ${name}`).join(', '),
});

function limitOf(per: 'day' | 'month', amount: number | undefined): Limit[] {
  if (amount === undefined) return [];
  return [{ kind: 'quota', name: `${amount} in a ${per}`, amount, per, appliesTo: () => true }];
}
