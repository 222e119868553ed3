import * as cell from '../../records/cells.ts';
import type { Field } from '../../records/page-shapes.ts';
import { rightLine, rightsIn } from '../../records/rights-lines.ts';
import { counted } from '../../words.ts';
import type { Action } from '../actions.ts';
import { getRole, type Role, rolePath } from './role.ts';

const fieldsOf = (role?: Role): Field[] => [
  { name: 'description', label: 'What it is for', type: 'text', value: role?.description ?? '' },
  {
    name: 'permissions',
    label: 'What it gives',
    type: 'textarea',
    value: role?.permissions.map(rightLine).join('\n') ?? '',
    hint: 'One permission a line, such as database:read:* or, for one API, database:read:* at https://db.example. It can give nothing that you do not hold.',
  },
  {
    name: 'exported_as',
    label: 'Group name in apps',
    type: 'text',
    value: role?.exported_as ?? '',
    hint: 'Apps with the scope groups see this name for everyone who has the role, and may give them access. Leave it empty to export nothing. Needs latchkey:group:export.',
  },
];

const making: Action = {
  path: '/new-role',
  route: 'POST /roles',
  describe: async (context) => ({
    crumb: context.crumb,
    heading: 'What should the new role give?',
    name: '',
    words: [],
    impact: [],
    fields: [
      {
        name: 'name',
        label: 'Name',
        type: 'text',
        value: '',
        is_required: true,
        hint: 'Small letters, digits, “.”, “_” and “-”. It stays.',
      },
      ...fieldsOf(),
    ],
    button: 'Make the role',
    danger: false,
    back: '/console/roles',
  }),
  perform: async ({ api }, sent) => {
    const body = {
      name: sent.text('name') ?? '',
      description: sent.text('description'),
      exported_as: sent.text('exported_as'),
      permissions: rightsIn(sent.text('permissions'), 'permissions'),
    };
    const { name } = await api.call('POST /roles', { body });
    return { to: rolePath(name), done: 'role-saved' };
  },
};

const changing: Action = {
  path: '/roles/:role/change',
  route: 'PATCH /roles/{role}',
  describe: async (context) => {
    const role = await getRole(context);
    return {
      crumb: context.crumb,
      heading: 'What should be given by the role',
      name: role.name,
      words: ['It counts for everybody who has it, from the next request on.'],
      impact: [],
      fields: fieldsOf(role),
      button: 'Save the role',
      danger: false,
      back: rolePath(role.name),
      version: role.version,
      present: [
        { label: 'What it is for', cell: cell.text(role.description ?? 'not said') },
        { label: 'What it gives', cell: cell.codes(role.permissions.map(rightLine), 'nothing') },
        { label: 'Group name in apps', cell: cell.text(role.exported_as ?? 'none') },
      ],
    };
  },
  perform: async ({ api, params: { role = '' } }, sent) => {
    const body = {
      description: sent.text('description') ?? null,
      exported_as: sent.text('exported_as') ?? null,
      permissions: rightsIn(sent.text('permissions'), 'permissions'),
    };
    await api.call('PATCH /roles/{role}', { params: { role }, body, ifVersion: sent.version });
    return { to: rolePath(role), done: 'role-saved' };
  },
};

const mostCounted = 200;

const deleting: Action = {
  path: '/roles/:role/delete',
  route: 'DELETE /roles/{role}',
  describe: async (context) => {
    const role = await getRole(context);
    const { items, next } = await context.api.call('GET /roles/{role}/assignments', {
      params: { role: role.name },
      query: { limit: String(mostCounted) },
    });
    const holders = next === null ? counted(items.length, 'holder') : `more than ${mostCounted} holders`;
    const names = items.slice(0, 5).map(({ subject }) => subject);
    const others = items.length > names.length ? ' and others' : '';
    return {
      crumb: context.crumb,
      heading: 'Delete the role',
      name: role.name,
      words: ['Whoever has it loses what it gives from the next request on, and it cannot be brought back.'],
      impact: [
        ...(items.length > 0 ? [{ text: holders, words: `${names.join(', ')}${others}` }] : []),
        ...(role.permissions.length > 0
          ? [
              {
                text: counted(role.permissions.length, 'permission'),
                words: role.permissions.map(rightLine).join(', '),
              },
            ]
          : []),
      ],
      fields: [],
      button: items.length > 0 ? `Delete ${role.name}, take it from ${holders}` : `Delete ${role.name}`,
      danger: true,
      back: rolePath(role.name),
    };
  },
  perform: async ({ api, params: { role = '' } }) => {
    await api.call('DELETE /roles/{role}', { params: { role } });
    return { to: '/console/roles', done: 'role-deleted' };
  },
};

/** What can be done with roles of one's own. */
export const roleActions: Action[] = [making, changing, deleting];
