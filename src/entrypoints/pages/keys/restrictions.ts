import type { FormInput } from '../records/actions.ts';
import type { Field } from '../records/page-shapes.ts';
import { linesIn } from '../records/rights-lines.ts';
import type { Key } from './key-context.ts';

type Written = Key['restrictions'];

/** The restrictions that have a field; the others stay with the API and the command line. */
export function restrictionFields(written: Written): Field[] {
  const { day, month } = (written.quota ?? {}) as { day?: number; month?: number };
  return [
    {
      name: 'ip_allowlist',
      label: 'Only from these addresses',
      type: 'textarea',
      value: textsOf(written.ip_allowlist).join('\n'),
      hint: 'Addresses and networks, one a line, such as 10.0.1.50 or 2001:db8::/32. Left empty: from everywhere.',
    },
    {
      name: 'rate_limit',
      label: 'Rate limits',
      type: 'textarea',
      value: rateLines(written.rate_limit),
      hint: 'One limit a line, such as 1000 requests/minute, or 100 messages/hour for email:send. All hold together.',
    },
    {
      name: 'day',
      label: 'Requests a day, at most',
      type: 'number',
      value: numberText(day),
      hint: 'By calendar, in UTC.',
    },
    { name: 'month', label: 'Requests a month, at most', type: 'number', value: numberText(month) },
    {
      name: 'resource_servers',
      label: 'Only at these APIs',
      type: 'textarea',
      value: textsOf(written.resource_servers).join('\n'),
      hint: 'Identifiers of APIs, one a line. Left empty: wherever its permissions are for.',
    },
  ];
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

/** `100 messages/hour for email:send, email:draft`; what is no such line is left for the API to refuse. */
function rateIn(line: string): Rate {
  const [, limit, patterns] = /^(.+\/\w+)\s+for\s+(.+)$/.exec(line) ?? [];
  if (limit === undefined || patterns === undefined) return line;
  return { limit, for: patterns.split(/[\s,]+/).filter(Boolean) };
}

/** The restrictions as a form has them; null: left empty. */
export function restrictionsIn(sent: FormInput) {
  const lines = (name: string) => {
    const found = linesIn(sent.text(name));
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
