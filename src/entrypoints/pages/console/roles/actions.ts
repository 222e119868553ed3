import * as cell from '../../records/cells.ts';
import type { Field, Option } from '../../records/page-shapes.ts';
import { rightLine, rightsFields, rightsIn, rightsLinesIn } from '../../records/rights-lines.ts';
import { counted } from '../../words.ts';
import type { Action } from '../actions.ts';
import { listedApis, scopeOptions } from '../pickers.ts';
import { getRole, type Role, rolePath } from './role.ts';

const fieldsOf = (options: readonly Option[], role?: Role): Field[] => [
  { name: 'description', label: 'Description', type: 'text', value: role?.description ?? '' },
  ...rightsFields({
    name: 'permissions',
    label: 'Permissions',
    options,
    lines: role?.permissions.map(rightLine) ?? [],
    hint: 'One permission per line, such as database:read:* or, for one API, database:read:* at https://db.example. Only permissions that you hold.',
  }),
  {
    name: 'exported_as',
    label: 'Group name in apps',
    type: 'text',
    value: role?.exported_as ?? '',
    hint: 'Apps with the scope groups get this name for everyone who has the role, and may give them access. Empty: none. Needs latchkey:group:export.',
    group: 'Advanced',
  },
];

const creating: Action = {
  path: '/new-role',
  route: 'POST /roles',
  describe: async (context) => ({
    crumb: context.crumb,
    heading: 'Create role',
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
        hint: 'Lowercase letters, digits, “.”, “_” and “-”. You cannot change it later.',
      },
      ...fieldsOf(scopeOptions(await listedApis(context))),
    ],
    button: 'Create role',
    danger: false,
    back: '/console/roles',
  }),
  perform: async ({ api }, sent) => {
    const body = {
      name: sent.text('name') ?? '',
      description: sent.text('description'),
      exported_as: sent.text('exported_as'),
      permissions: rightsIn(rightsLinesIn(sent, 'permissions'), 'permissions'),
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
      heading: `Edit ${role.name}`,
      name: role.name,
      words: ['Changes apply to everyone who has the role, from the next request.'],
      impact: [],
      fields: fieldsOf(scopeOptions(await listedApis(context)), role),
      button: 'Save role',
      danger: false,
      back: rolePath(role.name),
      version: role.version,
      present: [
        { label: 'Description', cell: cell.text(role.description ?? 'None') },
        { label: 'Permissions', cell: cell.codes(role.permissions.map(rightLine)) },
        { label: 'Group name in apps', cell: cell.text(role.exported_as ?? 'None') },
      ],
    };
  },
  perform: async ({ api, params: { role = '' } }, sent) => {
    const body = {
      description: sent.text('description') ?? null,
      exported_as: sent.text('exported_as') ?? null,
      permissions: rightsIn(rightsLinesIn(sent, 'permissions'), 'permissions'),
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
    const holders = next === null ? counted(items.length, 'assignment') : `more than ${mostCounted} assignments`;
    const names = items.slice(0, 5).map(({ subject }) => subject);
    const others = items.length > names.length ? ' and others' : '';
    return {
      crumb: context.crumb,
      heading: `Delete the role ${role.name}?`,
      name: role.name,
      words: ['Everyone who has the role loses its permissions from the next request. This cannot be undone.'],
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
      button: items.length > 0 ? `Delete role, remove ${holders}` : 'Delete role',
      danger: true,
      back: rolePath(role.name),
    };
  },
  perform: async ({ api, params: { role = '' } }) => {
    await api.call('DELETE /roles/{role}', { params: { role } });
    return { to: '/console/roles', done: 'role-deleted' };
  },
};

/** The actions on custom roles. */
export const roleActions: Action[] = [creating, changing, deleting];
