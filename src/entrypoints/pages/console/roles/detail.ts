import * as cell from '../../records/cells.ts';
import { addressOf } from '../../records/lists.ts';
import { noticeIn } from '../../records/notices.ts';
import type { Panel } from '../../records/page-shapes.ts';
import { one } from '../../signed-in.ts';
import { clientPath } from '../clients/client.ts';
import { recentEvents } from '../recent-events.ts';
import { allowedActions, type RequestContext, showInConsole } from '../request-context.ts';
import { userPath } from '../users/user.ts';
import { grantedBy } from './assignments.ts';
import { getRole, type Role, rolePath } from './role.ts';

/** One role: its permissions, and its assignments. */
export async function showRole(context: RequestContext): Promise<void> {
  const role = await getRole(context);
  const path = rolePath(role.name);
  const edit = {
    route: 'PATCH /roles/{role}' as const,
    label: 'Edit',
    href: `${path}/change`,
    danger: false,
  };
  const remove = {
    route: 'DELETE /roles/{role}' as const,
    label: 'Delete role',
    href: `${path}/delete`,
    danger: true,
    words: 'Everyone who has the role loses its permissions. This cannot be undone.',
  };
  showInConsole(context, 'console-detail', {
    crumb: context.crumb,
    name: role.name,
    badges: [cell.quiet(role.built_in ? 'Built in' : 'Custom')],
    line: role.description ? [cell.text(role.description)] : [],
    notice: noticeIn(context.ctx),
    actions: role.built_in ? [] : allowedActions(context, [edit]),
    tabs: [],
    panels: [
      permissionsPanel(role),
      await holdersPanel(context, role),
      ...(await recentEvents(context, { kind: 'role', id: role.name, reference: `role:${role.name}` }, 5)),
    ],
    aside: [
      {
        heading: 'Details',
        content: {
          kind: 'facts',
          facts: [
            {
              label: 'Group in apps',
              cell: role.exported_as === null ? cell.text('None') : cell.code(role.exported_as),
            },
            { label: 'Created', cell: cell.time(role.created_at) },
            { label: 'Updated', cell: cell.time(role.updated_at) },
          ],
        },
      },
    ],
    danger: role.built_in ? [] : allowedActions(context, [remove]).map((each) => ({ ...each, button: 'Delete role' })),
  });
}

function permissionsPanel({ permissions }: Role): Panel {
  const rows = permissions.map(({ pattern, resource }) => [
    cell.code(pattern),
    resource === null ? cell.text('Every API') : cell.code(resource),
  ]);
  const columns = [{ label: 'Permission' }, { label: 'API' }];
  return { heading: 'Permissions', content: { kind: 'table', columns, rows, empty: 'No permissions yet.' } };
}

async function holdersPanel({ api, ctx }: RequestContext, { name }: Role): Promise<Panel> {
  const cursor = one(ctx.query.cursor);
  const { items, next } = await api.call('GET /roles/{role}/assignments', {
    params: { role: name },
    query: cursor ? { cursor } : {},
  });
  const rows = items.map(({ subject, subject_kind, until, granted_by, created_at }) => [
    cell.link(subject, subject_kind === 'user' ? userPath(subject) : clientPath(subject)),
    cell.text(subject_kind === 'user' ? 'User' : 'Client'),
    cell.time(created_at),
    grantedBy(granted_by),
    cell.time(until),
  ]);
  return {
    heading: 'Assignments',
    content: {
      kind: 'table',
      columns: ['Name', 'Type', 'Assigned', 'By', 'Expires'].map((label) => ({ label })),
      rows,
      empty: 'No assignments. Assign the role on the page of a user or service.',
      next: next === null ? undefined : addressOf(rolePath(name), { cursor: next }),
    },
  };
}
