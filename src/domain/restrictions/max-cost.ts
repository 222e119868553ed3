import { z } from 'zod';
import { atMost, restriction } from './restriction.ts';

const inWords = {
  en: (most: number) => `a cost of ${most} per request`,
  de: (most: number) => `Kosten von ${most} pro Anfrage`,
};

/** The largest cost of one request, such as rows or tokens of a model; rates and quotas limit the sum of many. */
export const maxCost = restriction({
  schema: z.int().min(1).max(1_000_000).meta({ description: 'the maximum cost of one request' }),
  refusal: { code: 'cost_too_high', status: 403 },
  form: {
    position: 9,
    fields: [
      {
        name: 'max_cost',
        label: { en: 'Cost of a request', de: 'Kosten einer Anfrage' },
        hint: {
          en: 'The most that one request may cost. Empty: any cost.',
          de: 'So viel darf eine Anfrage höchstens kosten. Leer: beliebig viel.',
        },
        refused: { de: 'Geben Sie eine ganze Zahl von 1 bis 1 000 000 ein.' },
        input: 'number',
      },
    ],
    show: (written) => ({ max_cost: [String(written)] }),
    read: (sent) => sent('max_cost').map(Number)[0],
    summary: { ...atMost, say: (written, language) => [inWords[language](written)] },
  },
  compile: (most) => ({
    check: ({ cost }) =>
      cost <= most ? undefined : `The request costs ${cost}; with this key, a request may cost at most ${most}.`,
  }),
  contains: (written, other) => other <= written,
  explain: {
    en: (written) => `at most ${inWords.en(written)}`,
    de: (written) => `höchstens ${inWords.de(written)}`,
  },
});
