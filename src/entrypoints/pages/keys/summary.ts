import { dayMs } from '../../../domain/credentials/index.ts';
import { summariesOf } from '../../../domain/restrictions/index.ts';
import type { Catalogue } from '../languages/en.ts';
import * as cell from '../records/cells.ts';
import { type FormInput, formInput } from '../records/form-input.ts';
import type { Field, Summary } from '../records/page-shapes.ts';
import { rightsLinesIn } from '../records/rights-lines.ts';
import { calendarDay } from '../times.ts';
import type { KeyContext } from './key-context.ts';

/** What the key of a form will be allowed to do, in words. */
export function summaryOf({ deps, isOwn, texts }: KeyContext, fields: readonly Field[]): Summary {
  const sent = formInput(new URLSearchParams(fields.map(({ name, value }): [string, string] => [name, value])));
  const choices = fields.filter(({ group }) => group === 'Permissions').flatMap(({ options = [] }) => options);
  const known = new Map(choices.map((option) => [option.value, option]));
  const can = rightsLinesIn(sent, 'permissions').map((line) => {
    const option = known.get(line);
    return { text: option?.text ?? line, code: option?.note ?? line };
  });
  const t = texts.keys;
  const roles = sent.lines('roles');
  return {
    can,
    facts: [
      ...(roles.length > 0 ? [{ label: t.roles, cell: cell.codes(roles) }] : []),
      ...(isOwn ? [] : [{ label: 'For', cell: cell.text(sent.text('owner') ?? 'Yourself') }]),
      { label: t.environment, cell: cell.text(sent.text('environment') ?? texts.records.none) },
      ...summariesOf(sent.lines, texts.tag).map(({ label, values, none }) => ({
        label,
        cell: cell.text(values.join(', ') || (none ?? '')),
      })),
      { label: t.until, cell: cell.text(expiryWords(sent, deps.now(), texts)) },
    ],
  };
}

function expiryWords(sent: FormInput, now: Date, texts: Catalogue): string {
  const t = texts.keys;
  const days = sent.number('expires_in_days') ?? sent.number('lifetime');
  if (days === undefined) return t.byRisk;
  const end = new Date(now.getTime() + days * dayMs);
  return Number.isNaN(end.getTime())
    ? t.notDays
    : t.onDay({ day: calendarDay(end, texts), days: texts.records.days({ count: days }) });
}
