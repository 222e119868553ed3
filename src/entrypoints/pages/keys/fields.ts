import { Risk, riskDays } from '../../../domain/credentials/index.ts';
import { Problem } from '../../../platform/http/index.ts';
import type { FormInput } from '../records/actions.ts';
import type { Field, Option } from '../records/page-shapes.ts';
import { rightLine, rightsFields, rightsIn, rightsLinesIn } from '../records/rights-lines.ts';
import type { Key } from './key-context.ts';

const risks = Risk.options.map((value) => ({
  value,
  text: `${value}: expires after ${riskDays[value]} days by default`,
}));

export const nameField = (key?: Key): Field => ({
  name: 'name',
  label: 'Name',
  type: 'text',
  value: key?.name ?? '',
  is_required: true,
  hint: 'Shown in lists and in the audit log.',
});

export const descriptionField = (key?: Key): Field => ({
  name: 'description',
  label: 'Description',
  type: 'text',
  value: key?.description ?? '',
  group: 'Advanced',
});

export const permissionFields = (options: readonly Option[], key?: Key): Field[] =>
  rightsFields({
    name: 'permissions',
    label: 'Permissions by API',
    options,
    lines: key?.permissions.map(rightLine) ?? [],
    hint: 'One per line, such as orders:*, or orders:read at https://api.example for one API. Only permissions that you hold.',
    group: 'Permissions',
  });

export const rightsAskedFor = (sent: FormInput) => rightsIn(rightsLinesIn(sent, 'permissions'), 'permissions');

export const riskField = (value: string): Field => ({
  name: 'risk',
  label: 'Risk',
  type: 'select',
  value,
  options: risks,
  hint: 'The impact if the key leaks.',
  group: 'Advanced',
});

/** A refusal of rights that the person does not hold is shown beside the permissions. */
export function besideRights(error: unknown): never {
  if (!(error instanceof Problem) || error.status !== 403 || error.options.pointer) throw error;
  throw new Problem(403, error.type, { ...error.options, pointer: '/permissions' });
}
