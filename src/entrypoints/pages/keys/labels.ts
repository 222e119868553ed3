import { invalid } from '../../../platform/http/index.ts';
import type { FormInput } from '../records/actions.ts';
import type { Field, Option } from '../records/page-shapes.ts';
import type { Key } from './key-context.ts';

/** Roles whose permissions a key has besides its own, and labels for tools and users. */
export const labelFields = (roles: readonly Option[], key?: Key): Field[] => [
  rolesField(roles, key?.roles ?? []),
  {
    name: 'tags',
    label: 'Tags',
    type: 'textarea',
    value: key?.tags.join('\n') ?? '',
    hint: 'One per line, such as team:search. All keys with a tag can be revoked together.',
    group: 'Advanced',
  },
  {
    name: 'metadata',
    label: 'Metadata',
    type: 'textarea',
    value: Object.entries(key?.metadata ?? {})
      .map(([name, value]) => `${name}=${lineOf(value)}`)
      .join('\n'),
    hint: 'One per line, such as ticket=OPS-17.',
    group: 'Advanced',
  },
];

/** Selected from the existing roles; typed by a user who may not list them. */
function rolesField(options: readonly Option[], present: readonly string[]): Field {
  const field = {
    name: 'roles',
    label: 'Roles',
    value: present.join('\n'),
    hint: 'The key also has the permissions of these roles, also after they change.',
    group: 'Advanced',
  };
  return options.length > 0 ? { ...field, type: 'choices', options } : { ...field, type: 'textarea' };
}

const lineOf = (value: unknown) =>
  String(value)
    .replaceAll(/\s*\n\s*/g, ' ')
    .trim();

/** The same in a request; removed entries of an existing key are removed. */
export function labelsIn(sent: FormInput, key?: Key) {
  const before = key?.metadata ?? {};
  const removed = Object.fromEntries(Object.keys(before).map((name) => [name, null]));
  const said = sent.lines('metadata').map((line): [string, unknown] => {
    const [, name = '', value = ''] = /^([^=]*[^=\s])\s*=\s*(.*)$/.exec(line) ?? [];
    if (name === '' || name === '__proto__')
      throw invalid('/metadata', `Enter name=value. This line is not: ${line.slice(0, 80)}`);
    // A number stays a number if its line was not changed.
    return [name, Object.hasOwn(before, name) && lineOf(before[name]) === value ? before[name] : value];
  });
  return {
    roles: sent.lines('roles'),
    tags: sent.lines('tags'),
    metadata: { ...removed, ...Object.fromEntries(said) },
  };
}
