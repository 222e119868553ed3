import type { FormInput } from '../records/actions.ts';
import type { Field, Option } from '../records/page-shapes.ts';
import type { Key } from './key-context.ts';

type Written = Key['restrictions'];

/** The restrictions that have a field; the others are set through the API and the command line. */
export function restrictionFields(written: Written, apis: readonly Option[]): Field[] {
  const { day, month } = (written.quota ?? {}) as { day?: number; month?: number };
  const fields: Field[] = [
    {
      name: 'ip_allowlist',
      label: 'Allowed networks',
      type: 'textarea',
      value: textsOf(written.ip_allowlist).join('\n'),
      hint: 'One address or network per line, such as 10.0.1.50 or 2001:db8::/32. Empty: any network.',
    },
    {
      name: 'rate_limit',
      label: 'Rate limits',
      type: 'textarea',
      value: rateLines(written.rate_limit),
      hint: 'One per line, such as 1000 requests/minute, or 100 messages/hour for email:send. All apply together.',
    },
    {
      name: 'day',
      label: 'Daily quota',
      type: 'number',
      value: numberText(day),
      hint: 'Requests per calendar day (UTC). Empty: no quota.',
    },
    {
      name: 'month',
      label: 'Monthly quota',
      type: 'number',
      value: numberText(month),
      hint: 'Requests per calendar month (UTC). Empty: no quota.',
    },
    apisField(textsOf(written.resource_servers), apis),
  ];
  return fields.map((field) => ({ ...field, group: 'Advanced' }));
}

/** Selected from the APIs there are; typed where a person may not list them, or where one is not among them. */
function apisField(present: readonly string[], options: readonly Option[]): Field {
  const field = { name: 'resource_servers', label: 'Allowed APIs', value: present.join('\n') };
  const known = new Set(options.map(({ value }) => value));
  const isListed = known.size > 0 && present.every((api) => known.has(api));
  return isListed
    ? { ...field, type: 'choices', options, hint: 'Select none to allow every API that its permissions are for.' }
    : { ...field, type: 'textarea', hint: 'One identifier per line. Empty: every API that its permissions are for.' };
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
