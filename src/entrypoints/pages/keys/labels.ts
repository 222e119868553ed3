import { invalid } from '../../../platform/http/index.ts';
import type { FormInput } from '../records/actions.ts';
import type { Field } from '../records/page-shapes.ts';
import type { Key } from './key-context.ts';

/** Roles whose permissions a key has besides its own, and what tools and people say of it. */
export const labelFields = (key?: Key): Field[] => [
  {
    name: 'roles',
    label: 'With roles',
    type: 'textarea',
    value: key?.roles.join('\n') ?? '',
    hint: 'Names of roles, one a line: what they give, now and when they are changed, it may, too.',
  },
  {
    name: 'tags',
    label: 'Tags',
    type: 'textarea',
    value: key?.tags.join('\n') ?? '',
    hint: 'One a line, such as team:search. All keys of a tag can be revoked together.',
  },
  {
    name: 'metadata',
    label: 'What else is said of it',
    type: 'textarea',
    value: Object.entries(key?.metadata ?? {})
      .map(([name, value]) => `${name}=${lineOf(value)}`)
      .join('\n'),
    hint: 'One a line, such as ticket=OPS-17.',
  },
];

const lineOf = (value: unknown) =>
  String(value)
    .replaceAll(/\s*\n\s*/g, ' ')
    .trim();

/** The same as they are typed; of a key that there is, what is left out goes. */
export function labelsIn(sent: FormInput, key?: Key) {
  const before = key?.metadata ?? {};
  const gone = Object.fromEntries(Object.keys(before).map((name) => [name, null]));
  const said = sent.lines('metadata').map((line): [string, unknown] => {
    const [, name = '', value = ''] = /^([^=]*[^=\s])\s*=\s*(.*)$/.exec(line) ?? [];
    if (name === '' || name === '__proto__')
      throw invalid('/metadata', `Write name=value. This line is not: ${line.slice(0, 80)}`);
    // A number stays one where its line was left alone.
    return [name, Object.hasOwn(before, name) && lineOf(before[name]) === value ? before[name] : value];
  });
  return {
    roles: sent.lines('roles'),
    tags: sent.lines('tags'),
    metadata: { ...gone, ...Object.fromEntries(said) },
  };
}
