import type { Catalogue } from '../languages/en.ts';
import type { FormInput } from '../records/actions.ts';
import type { Field, Option } from '../records/page-shapes.ts';
import type { Key } from './key-context.ts';

type Written = Key['restrictions'];

/** The restrictions that have a field; the others are set through the API and the command line. */
export function restrictionFields(texts: Catalogue, written: Written, apis: readonly Option[]): Field[] {
  const t = texts.keys;
  const { day, month } = (written.quota ?? {}) as { day?: number; month?: number };
  const fields: Field[] = [
    {
      name: 'ip_allowlist',
      label: t.networks,
      type: 'textarea',
      value: textsOf(written.ip_allowlist).join('\n'),
      hint: t.networksHint,
    },
    {
      name: 'rate_limit',
      label: t.rates,
      type: 'textarea',
      value: rateLines(written.rate_limit),
      hint: t.ratesHint,
    },
    {
      name: 'day',
      label: t.day,
      type: 'number',
      value: numberText(day),
      hint: t.dayHint,
    },
    {
      name: 'month',
      label: t.month,
      type: 'number',
      value: numberText(month),
      hint: t.monthHint,
    },
    apisField(texts, textsOf(written.resource_servers), apis),
  ];
  return fields.map((field) => ({ ...field, group: 'Advanced' }));
}

/** Selected from the APIs there are; typed where a person may not list them, or where one is not among them. */
function apisField({ keys }: Catalogue, present: readonly string[], options: readonly Option[]): Field {
  const field = { name: 'resource_servers', label: keys.apis, value: present.join('\n') };
  const known = new Set(options.map(({ value }) => value));
  const isListed = known.size > 0 && present.every((api) => known.has(api));
  return isListed
    ? { ...field, type: 'choices', options, hint: keys.apisChoice }
    : { ...field, type: 'textarea', hint: keys.apisHint };
}

const textsOf = (value: unknown): string[] => (Array.isArray(value) ? value.map(String) : []);
const numberText = (value: number | undefined) => (value === undefined ? '' : String(value));

type Rate = string | { limit: string; for?: string[] };

function rateLines(value: unknown): string {
  const rates = [(value as Rate | Rate[] | undefined) ?? []].flat();
  return rates.map(rateLine).join('\n');
}

function rateLine(rate: Rate): string {
  if (typeof rate === 'string') return rate;
  return rate.for ? `${rate.limit} for ${rate.for.join(', ')}` : rate.limit;
}

/** `100 messages/hour for email:send, email:draft`; the API refuses a line that is not a limit. */
function rateIn(line: string): Rate {
  const [, limit, patterns] = /^(.+\/\w+)\s+for\s+(.+)$/.exec(line) ?? [];
  if (limit === undefined || patterns === undefined) return line;
  return { limit, for: patterns.split(/[\s,]+/).filter(Boolean) };
}

/** The restrictions as a form has them; null: left empty. */
export function restrictionsIn(sent: FormInput) {
  const lines = (name: string) => {
    const found = sent.lines(name);
    return found.length > 0 ? found : null;
  };
  const [day, month] = [sent.number('day') ?? null, sent.number('month') ?? null];
  return {
    ip_allowlist: lines('ip_allowlist'),
    rate_limit: lines('rate_limit')?.map(rateIn) ?? null,
    quota: day === null && month === null ? null : { day, month },
    resource_servers: lines('resource_servers'),
  };
}
