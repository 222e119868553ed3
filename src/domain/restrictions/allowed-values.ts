import { z } from 'zod';
import type { Language } from '../../platform/languages/index.ts';
import { For, forText, isMeant, isMeantWherever, withoutFor } from './for-permissions.ts';
import { type KeyRequest, restriction } from './restriction.ts';

const Value = z.string().min(1).max(200);
const Values = z.array(Value).min(1).max(500);
const ForSome = z.strictObject({ values: Values, for: For.optional() });

type Written = z.output<typeof Values> | z.output<typeof ForSome>;

/** Values that a named parameter may have: a list, or one that applies to some permissions only. */
export const AllowedValues = z.union([Values, ForSome], {
  error: 'must be a list such as ["eu", "us"], or { "values": ["eu"], "for": ["email:send"] }',
});

/** The refusal of a value. A token names permissions, not values. */
export const refusal = {
  code: 'value_not_allowed',
  status: 403,
  tokenError: {
    error: 'invalid_scope',
    description:
      'The key restricts the requested scope to some values, which a token cannot express: request another scope, or use the key itself.',
  },
} as const;

/** Checks one parameter. A request without it is refused, because its value is unknown. */
export function checkValues(parameter: string, written: Written): (request: KeyRequest) => string | undefined {
  const { values, for: patterns } = ofSome(written);
  const allowed = new Set(values);
  return (request) => {
    if (!isMeant(patterns, request)) return undefined;
    const given = Object.hasOwn(request.parameters, parameter) ? request.parameters[parameter] : undefined;
    const all = given === undefined ? [] : [given].flat();
    if (all.length > 0 && all.every((value) => allowed.has(value))) return undefined;
    const said = all.length === 0 ? `does not name its "${parameter}"` : `has the "${parameter}" ${quoted(all)}`;
    return `The request ${said}; the key allows ${quoted(values)}.`;
  };
}

/** Whether the other one allows no further values, wherever this one applies. */
export function containsValues(written: Written, other: Written): boolean {
  const [mine, others] = [ofSome(written), ofSome(other)];
  return isMeantWherever(mine.for, others.for) && others.values.every((value) => mine.values.includes(value));
}

function ofSome(written: Written): z.output<typeof ForSome> {
  return Array.isArray(written) ? { values: written } : written;
}

const shown = 10;

function quoted(values: readonly string[]): string {
  const list = values.slice(0, shown).map((value) => JSON.stringify(value));
  return values.length > shown ? `${list.join(', ')} and ${values.length - shown} more` : list.join(', ');
}

export const explainValues = {
  en: (parameter: string, written: Written) => {
    const { values, for: patterns } = ofSome(written);
    return `only with ${parameter} ${quoted(values)}${patterns ? `, for ${patterns.join(', ')}` : ''}`;
  },
  de: (parameter: string, written: Written) => {
    const { values, for: patterns } = ofSome(written);
    const list = values.map((value) => JSON.stringify(value)).join(', ');
    return `nur mit ${parameter} ${list}${patterns ? ` für ${patterns.join(', ')}` : ''}`;
  },
};

const explainAll = (language: Language) => (written: Readonly<Record<string, Written>>) =>
  Object.entries(written)
    .map(([parameter, values]) => explainValues[language](parameter, values))
    .join('; ');

function lineOf([parameter, written]: [string, Written]): string {
  const { values, for: patterns } = ofSome(written);
  return `${parameter}: ${values.join(', ')}${forText(patterns)}`;
}

function namedIn(line: string): [string, unknown] {
  const [, parameter = line, said = ''] = /^([^:]*):(.*)$/.exec(line) ?? [];
  const [list, patterns] = withoutFor(said);
  const values = list
    .split(',')
    .map((value) => value.trim())
    .filter(Boolean);
  return [parameter.trim(), patterns ? { values, for: patterns } : values];
}

/** The allowed values of named parameters of a request. */
export const allowedValues = restriction({
  schema: z
    .record(z.string().regex(/^[A-Za-z0-9_.-]{1,64}$/), AllowedValues)
    .refine((named) => Object.keys(named).length <= 20, 'must name at most 20 parameters')
    .meta({ description: 'the allowed values of each named parameter' }),
  refusal,
  form: {
    position: 8,
    fields: [
      {
        name: 'allowed_values',
        label: { en: 'Allowed values', de: 'Erlaubte Werte' },
        hint: {
          en: 'One parameter per line, such as region: eu, us; or for some permissions, region: eu for email:send.',
          de: 'Ein Parameter pro Zeile, wie region: eu, us; oder für einige Berechtigungen, region: eu for email:send.',
        },
        refused: { de: 'Geben Sie pro Zeile einen Parameter mit seinen Werten ein, wie region: eu, us.' },
        input: 'lines',
      },
    ],
    show: (written) => ({ allowed_values: Object.entries(written).map(lineOf) }),
    read: (sent) => {
      const lines = sent('allowed_values');
      return lines.length > 0 ? Object.fromEntries(lines.map(namedIn)) : undefined;
    },
  },
  compile: (written) => {
    const checks = Object.entries(written).map(([parameter, values]) => checkValues(parameter, values));
    return {
      check: (request) => {
        for (const check of checks) {
          const refused = check(request);
          if (refused) return refused;
        }
        return undefined;
      },
    };
  },
  contains: (written, other) =>
    Object.entries(written).every(([parameter, values]) => {
      const others = Object.hasOwn(other, parameter) ? other[parameter] : undefined;
      return others !== undefined && containsValues(values, others);
    }),
  explain: { en: explainAll('en'), de: explainAll('de') },
});
