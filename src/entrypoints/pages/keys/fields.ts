import { Risk, riskDays } from '../../../domain/credentials/index.ts';
import { Problem } from '../../../platform/http/index.ts';
import type { Catalogue } from '../languages/en.ts';
import type { FormInput } from '../records/actions.ts';
import type { Field, Option } from '../records/page-shapes.ts';
import { rightLine, rightsFields, rightsIn, rightsLinesIn } from '../records/rights-lines.ts';
import type { Key } from './key-context.ts';

export const nameField = ({ keys }: Catalogue, key?: Key): Field => ({
  name: 'name',
  label: keys.name,
  type: 'text',
  value: key?.name ?? '',
  is_required: true,
  hint: keys.nameHint,
});

export const descriptionField = ({ keys }: Catalogue, key?: Key): Field => ({
  name: 'description',
  label: keys.description,
  type: 'text',
  value: key?.description ?? '',
  group: 'Advanced',
});

export const permissionFields = ({ keys, records }: Catalogue, options: readonly Option[], key?: Key): Field[] =>
  rightsFields({
    name: 'permissions',
    label: keys.permissionsByApi,
    options,
    lines: key?.permissions.map(rightLine) ?? [],
    hint: keys.permissionsHint,
    typedLabel: records.customPatterns,
    group: 'Permissions',
  });

export const rightsAskedFor = (sent: FormInput) => rightsIn(rightsLinesIn(sent, 'permissions'), 'permissions');

export const riskField = ({ keys }: Catalogue, value: string): Field => ({
  name: 'risk',
  label: keys.risk,
  type: 'select',
  value,
  options: Risk.options.map((risk) => ({ value: risk, text: keys.risks[risk]({ days: String(riskDays[risk]) }) })),
  hint: keys.riskHint,
  group: 'Advanced',
});

/** An error about permissions that the user does not hold is shown beside the permissions. */
export function besideRights(error: unknown): never {
  if (!(error instanceof Problem) || error.status !== 403 || error.options.pointer) throw error;
  throw new Problem(403, error.type, { ...error.options, pointer: '/permissions' });
}
