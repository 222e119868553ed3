import * as cell from '../../records/cells.ts';
import { addressOf } from '../../records/lists.ts';
import { noticeIn } from '../../records/notices.ts';
import type { DetailPage, Table } from '../../records/page-shapes.ts';
import { one } from '../../signed-in.ts';
import { clientPath } from '../clients/client.ts';
import { allowedActions, type RequestContext, showInConsole } from '../request-context.ts';
import { userPath } from '../users/user.ts';
import { givenBy } from './assignments.ts';
import { getRole, type Role, rolePath } from './role.ts';

/** One role: what it gives, and to whom it is given. */
export async function showRole(context: RequestContext): Promise<void> {
  const role = await getRole(context);
  const path = rolePath(role.name);
  const own = [
    {
      route: 'PATCH /roles/{role}' as const,
      label: 'Change',
      href: `${path}/change`,
      danger: false,
      words: 'For everybody who has it, from the next request on',
    },
    {
      route: 'DELETE /roles/{role}' as const,
      label: 'Delete',
      href: `${path}/delete`,
      danger: true,
      words: 'It is taken from everybody who has it',
    },
  ];
  const page: DetailPage = {
    crumb: context.crumb,
    heading: 'What is given by the role',
    name: role.name,
    notice: noticeIn(context.ctx),
    facts: [
      { label: 'For', cell: cell.text(role.description ?? 'not said') },
      { label: 'Kind', cell: role.built_in ? cell.quiet('built in, stays as it is') : cell.text('your own') },
      { label: 'Group in apps', cell: role.exported_as === null ? cell.quiet('none') : cell.code(role.exported_as) },
      { label: 'Made', cell: cell.time(role.created_at) },
      { label: 'Changed', cell: cell.time(role.updated_at) },
    ],
    tables: [permissionsTable(role), await holdersTable(context, role)],
    actions: role.built_in ? [] : allowedActions(context, own),
  };
  showInConsole(context, 'console-detail', page);
}

function permissionsTable({ permissions }: Role): Table {
  const rows = permissions.map(({ pattern, resource }) => [
    cell.code(pattern),
    resource === null ? cell.text('every API') : cell.code(resource),
  ]);
  return { heading: 'It gives', columns: ['Permission', 'At'], rows, empty: 'Nothing yet.', actions: [] };
}

async function holdersTable({ api, ctx }: RequestContext, { name }: Role): Promise<Table> {
  const cursor = one(ctx.query.cursor);
  const { items, next } = await api.call('GET /roles/{role}/assignments', {
    params: { role: name },
    query: cursor ? { cursor } : {},
  });
  const rows = items.map(({ subject, subject_kind, until, granted_by, created_at }) => [
    cell.link(subject, subject_kind === 'user' ? userPath(subject) : clientPath(subject)),
    cell.text(subject_kind === 'user' ? 'person' : 'client'),
    cell.time(created_at),
    givenBy(granted_by),
    cell.time(until, 'for good'),
  ]);
  return {
    heading: 'Who has it',
    columns: ['Who', 'Kind', 'Given', 'By', 'Until'],
    rows,
    empty: 'Nobody. Give it on the page of a person or service.',
    actions: [],
    next: next === null ? undefined : addressOf(rolePath(name), { cursor: next }),
  };
}
