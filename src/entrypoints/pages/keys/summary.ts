import * as cell from '../records/cells.ts';
import { type FormInput, formInput } from '../records/form-input.ts';
import type { Field, Summary } from '../records/page-shapes.ts';
import { rightsLinesIn } from '../records/rights-lines.ts';
import { calendarDay } from '../times.ts';
import { counted } from '../words.ts';
import type { KeyContext } from './key-context.ts';

const dayMs = 86_400_000;

/** What the key of a form will be able to do, in words. */
export function summaryOf({ deps, isOwn }: KeyContext, fields: readonly Field[]): Summary {
  const sent = formInput(new URLSearchParams(fields.map(({ name, value }): [string, string] => [name, value])));
  const choices = fields.filter(({ group }) => group === 'Permissions').flatMap(({ options = [] }) => options);
  const known = new Map(choices.map((option) => [option.value, option]));
  const can = rightsLinesIn(sent, 'permissions').map((line) => {
    const option = known.get(line);
    return { text: option?.text ?? line, code: option?.note ?? line };
  });
  const networks = sent.lines('ip_allowlist');
  const limits = [...sent.lines('rate_limit'), ...quotas(sent)];
  const roles = sent.lines('roles');
  return {
    can,
    facts: [
      ...(roles.length > 0 ? [{ label: 'Roles', cell: cell.codes(roles) }] : []),
      ...(isOwn ? [] : [{ label: 'For', cell: cell.text(sent.text('owner') ?? 'Yourself') }]),
      { label: 'Environment', cell: cell.text(sent.text('environment') ?? 'None') },
      { label: 'From', cell: cell.codes(networks, 'Any network') },
      { label: 'At most', cell: cell.text(limits.join(', ') || 'No limit') },
      { label: 'Until', cell: cell.text(expiryWords(sent, deps.now())) },
    ],
  };
}

function quotas(sent: FormInput): string[] {
  return [['day', sent.number('day')] as const, ['month', sent.number('month')] as const].flatMap(([unit, count]) =>
    count === undefined || Number.isNaN(count) ? [] : [`${counted(count, 'request')} per ${unit}`],
  );
}

function expiryWords(sent: FormInput, now: Date): string {
  const days = sent.number('expires_in_days') ?? sent.number('lifetime');
  if (days === undefined) return 'As its risk says';
  const end = new Date(now.getTime() + days * dayMs);
  return Number.isNaN(end.getTime()) ? 'Not a number of days' : `${calendarDay(end)} (${counted(days, 'day')})`;
}
