import { z } from 'zod';
import { AssignmentView, RoleView } from '../../../../domain/access/index.ts';
import { pageOf } from '../../../../platform/http/index.ts';
import * as cell from '../../records/cells.ts';
import { addressOf } from '../../records/lists.ts';
import { noticeIn } from '../../records/notices.ts';
import type { DetailPage, Table } from '../../records/page-shapes.ts';
import { one } from '../../signed-in.ts';
import { clientPath } from '../clients/detail.ts';
import type { List } from '../lists.ts';
import type { Placed } from '../page-data.ts';
import { allowedActs, type Place, showInConsole } from '../request-context.ts';
import { personPath } from '../users/detail.ts';

export type Role = z.output<typeof RoleView>;

export const rolePath = (name: string) => `/console/roles/${encodeURIComponent(name)}`;

export const roleList: List = {
  section: 'roles',
  heading: 'Which roles are there?',
  intro: 'A role gives permissions to the people and services that have it.',
  columns: ['Name', 'What it is for', 'Gives', 'Kind'],
  search: 'Name, description or permission',
  empty: 'There is no role of this kind.',
  acts: [{ does: 'POST /roles', label: 'Make a role', href: '/console/new-role', danger: false, words: 'Of your own' }],
  read: async ({ calls }, { q = '' }) => {
    const { items } = await calls.read('GET /roles', z.object({ items: z.array(RoleView) }));
    const wanted = q.toLowerCase();
    const texts = ({ name, description, permissions }: Role) => [
      name,
      description ?? '',
      ...permissions.map(({ pattern }) => pattern),
    ];
    const found = items.filter((role) => texts(role).some((each) => each.toLowerCase().includes(wanted)));
    const rows = found.map(({ name, description, permissions, built_in }) => [
      cell.link(name, rolePath(name)),
      cell.text(description ?? ''),
      cell.text(`${permissions.length} permission${permissions.length === 1 ? '' : 's'}`),
      built_in ? cell.quiet('built in') : cell.text('your own'),
    ]);
    return { rows, next: null };
  },
};

export function getRole({ calls, params: { role = '' } }: Place): Promise<Role> {
  return calls.read('GET /roles/{role}', RoleView, { params: { role } });
}

/** One role: what it gives, and to whom it is given. */
export async function showRole(place: Place): Promise<void> {
  const role = await getRole(place);
  const path = rolePath(role.name);
  const own = [
    {
      does: 'PATCH /roles/{role}' as const,
      label: 'Change',
      href: `${path}/change`,
      danger: false,
      words: 'For everybody who has it, from the next request on',
    },
    {
      does: 'DELETE /roles/{role}' as const,
      label: 'Delete',
      href: `${path}/delete`,
      danger: true,
      words: 'It is taken from everybody who has it',
    },
  ];
  const page: DetailPage & Placed = {
    section: 'roles',
    crumb: { text: 'Roles', href: '/console/roles' },
    heading: 'What is given by the role',
    name: role.name,
    notice: noticeIn(place.ctx),
    facts: [
      { label: 'For', cell: cell.text(role.description ?? 'not said') },
      { label: 'Kind', cell: role.built_in ? cell.quiet('built in, stays as it is') : cell.text('your own') },
      { label: 'Group in apps', cell: role.exported_as === null ? cell.quiet('none') : cell.code(role.exported_as) },
      { label: 'Made', cell: cell.time(role.created_at) },
      { label: 'Changed', cell: cell.time(role.updated_at) },
    ],
    tables: [permissionsTable(role), await holdersTable(place, role)],
    acts: role.built_in ? [] : allowedActs(place, own),
  };
  showInConsole(place, 'console-detail', page);
}

function permissionsTable({ permissions }: Role): Table {
  const rows = permissions.map(({ pattern, resource }) => [
    cell.code(pattern),
    resource === null ? cell.text('every API') : cell.code(resource),
  ]);
  return { heading: 'It gives', columns: ['Permission', 'At'], rows, empty: 'Nothing yet.', acts: [] };
}

async function holdersTable({ calls, ctx }: Place, { name }: Role): Promise<Table> {
  const cursor = one(ctx.query.cursor);
  const { items, next } = await calls.read('GET /roles/{role}/assignments', pageOf(AssignmentView), {
    params: { role: name },
    query: cursor ? { cursor } : {},
  });
  const rows = items.map(({ subject, subject_kind, until, created_at }) => [
    cell.link(subject, subject_kind === 'user' ? personPath(subject) : clientPath(subject)),
    cell.text(subject_kind === 'user' ? 'person' : 'client'),
    cell.time(created_at),
    cell.time(until, 'for good'),
  ]);
  return {
    heading: 'Who has it',
    columns: ['Who', 'Kind', 'Given', 'Until'],
    rows,
    empty: 'Nobody. Give it on the page of a person or service.',
    acts: [],
    next: next === null ? undefined : addressOf(rolePath(name), { cursor: next }),
  };
}
