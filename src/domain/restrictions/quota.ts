import { z } from 'zod';
import { atMost, type Limit, restriction } from './restriction.ts';

const periods = ['day', 'month'] as const;
type Period = (typeof periods)[number];
const Amount = z.int().min(1).max(1_000_000_000_000);

const refused = { de: 'Geben Sie eine ganze Zahl ab 1 ein.' };
const inWords = {
  en: (amount: number, per: Period) => `${amount} ${amount === 1 ? 'request' : 'requests'} per ${per}`,
  de: (amount: number, per: Period) =>
    `${amount} ${amount === 1 ? 'Anfrage' : 'Anfragen'} pro ${per === 'day' ? 'Tag' : 'Monat'}`,
};

/** How much a key may be used in a calendar day or month (UTC). */
export const quota = restriction({
  schema: z
    .strictObject({ day: Amount.optional(), month: Amount.optional() })
    .refine(({ day, month }) => day !== undefined || month !== undefined, 'must name a day or a month')
    .meta({ description: 'the amount per calendar day or month, in UTC' }),
  refusal: { code: 'quota_exceeded', status: 429 },
  form: {
    position: 3,
    fields: [
      {
        name: 'day',
        label: { en: 'Daily quota', de: 'Tageskontingent' },
        hint: {
          en: 'Requests per calendar day (UTC). Empty: no quota.',
          de: 'Anfragen pro Kalendertag (UTC). Leer: kein Kontingent.',
        },
        refused,
        input: 'number',
      },
      {
        name: 'month',
        label: { en: 'Monthly quota', de: 'Monatskontingent' },
        hint: {
          en: 'Requests per calendar month (UTC). Empty: no quota.',
          de: 'Anfragen pro Kalendermonat (UTC). Leer: kein Kontingent.',
        },
        refused,
        input: 'number',
      },
    ],
    show: (written) => Object.fromEntries(periods.map((per) => [per, [written[per] ?? []].flat().map(String)])),
    read: (sent) => {
      const entries = periods.flatMap((per) => sent(per).map((text): [string, number] => [per, Number(text)]));
      return entries.length > 0 ? Object.fromEntries(entries) : undefined;
    },
    summary: {
      ...atMost,
      say: (written, language) =>
        periods.flatMap((per) => (written[per] === undefined ? [] : inWords[language](written[per], per))),
    },
  },
  compile: ({ day, month }) => ({ limits: [...limitOf('day', day), ...limitOf('month', month)] }),
  contains: (written, other) => periods.every((per) => (other[per] ?? Infinity) <= (written[per] ?? Infinity)),
  explain: {
    en: ({ day, month }) =>
      [...limitOf('day', day), ...limitOf('month', month)].map(({ name }) => `at most ${name}`).join(', '),
    de: ({ day, month }) =>
      [day && `höchstens ${day} am Tag`, month && `höchstens ${month} im Monat`].filter(Boolean).join(', '),
  },
});

function limitOf(per: Period, amount: number | undefined): Limit[] {
  if (amount === undefined) return [];
  return [{ kind: 'quota', name: `${amount} in a ${per}`, amount, per, appliesTo: () => true }];
}
