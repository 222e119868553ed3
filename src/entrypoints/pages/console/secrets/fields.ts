import { riskDays } from '../../../../domain/credentials/index.ts';
import { pathProblem } from '../../../../domain/secrets/index.ts';
import { invalid } from '../../../../platform/http/index.ts';
import type { Field } from '../../records/page-shapes.ts';
import type { FormInput } from '../actions.ts';
import type { Secret } from './secret.ts';

export const pathField: Field = {
  name: 'path',
  label: 'Path',
  type: 'text',
  value: '',
  is_required: true,
  hint: 'Names joined by “/”, such as database/prod. You cannot change it later.',
};

/**
 * The path of a new secret.
 *
 * @throws Problem `invalid` at the field
 */
export function pathIn(sent: FormInput): string {
  const path = sent.text('path') ?? '';
  const problem = path === '' ? 'must not be empty' : pathProblem(path);
  if (problem !== undefined) throw invalid('/path', `The path ${problem}`);
  return path;
}

export const descriptionField = (value: string | null): Field => ({
  ...{ name: 'description', label: 'Description', type: 'text', value: value ?? '' },
});

export const environmentField = (value: string | null): Field => ({
  ...{ name: 'environment', label: 'Environment', type: 'text', value: value ?? '', hint: 'For example, prod.' },
});

export const riskField = (value: Secret['risk']): Field => ({
  name: 'risk',
  label: 'Risk',
  type: 'select',
  value: value ?? '',
  options: [
    { value: '', text: 'Not rated' },
    ...(['high', 'medium', 'low'] as const).map((risk) => ({
      value: risk,
      text: `${risk}: due for rotation after ${riskDays[risk]} days`,
    })),
  ],
  hint: 'The impact if it leaks.',
});

export const riskIn = (sent: FormInput) => (sent.text('risk') ?? null) as Secret['risk'];

/** For a credential that another system stores. */
export function elsewhereFields(
  { location, accessible_to, rotated_at }: Pick<Secret, 'location' | 'accessible_to' | 'rotated_at'>,
  group?: string,
): Field[] {
  const fields: Field[] = [
    {
      name: 'location',
      label: 'Where it is kept',
      type: 'text',
      value: location ?? '',
      hint: 'For example, AWS Secrets Manager, eu-central-1, pay/gateway. Do not enter the value.',
    },
    {
      name: 'accessible_to',
      label: 'Who can get at it there',
      type: 'textarea',
      value: accessible_to.join('\n'),
      hint: 'One per line, such as a team, an account or a server.',
    },
    replacedField(rotated_at),
  ];
  return group === undefined ? fields : fields.map((field) => ({ ...field, group }));
}

/** The time at which a credential was last replaced. */
export const replacedField = (at: Date | null): Field => ({
  name: 'rotated_at',
  label: 'Last replaced (UTC)',
  type: 'datetime-local',
  value: fieldTime(at),
  hint: 'The date on which it is due for rotation follows from it and from the risk.',
});

const fieldTime = (at: Date | null) => at?.toISOString().slice(0, 16) ?? '';

/**
 * The time that was entered, read as UTC. One that was not changed keeps its seconds.
 *
 * @throws Problem `invalid` at the field
 */
export function replacedIn(sent: FormInput, before: Date | null = null): string | null {
  const given = sent.text('rotated_at');
  if (given === undefined) return null;
  if (before && given === fieldTime(before)) return before.toISOString();
  const at = new Date(`${given.replace(' ', 'T')}Z`);
  if (!/^\d{4}-\d\d-\d\d[T ]\d\d:\d\d(:\d\d)?$/.test(given) || Number.isNaN(at.getTime()))
    throw invalid('/rotated_at', 'Enter a date and a time, such as 2026-11-30T14:05.');
  return at.toISOString();
}
