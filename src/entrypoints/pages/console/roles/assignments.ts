import type { z } from 'zod';
import type { AssignmentView } from '../../../../domain/access/index.ts';
import { invalid } from '../../../../platform/http/index.ts';
import * as cell from '../../records/cells.ts';
import type { Cell, Panel } from '../../records/page-shapes.ts';
import type { Action, FormInput } from '../actions.ts';
import { allowedActions, type RequestContext } from '../request-context.ts';
import { rolePath } from './role.ts';

type Subject = { kind: 'user' | 'client'; subject: string };

const assignRoute = 'PUT /roles/{role}/assignments/{kind}/{subject}';
const removeRoute = 'DELETE /roles/{role}/assignments/{kind}/{subject}';

/** Users and clients have their pages in a section of their own. */
const sectionOf = { user: 'users', client: 'clients' } as const satisfies Record<Subject['kind'], string>;

const pathOf = ({ kind, subject }: Subject) => `/console/${sectionOf[kind]}/${encodeURIComponent(subject)}`;

/** The roles of a user or client; none for a user who may not see them. */
export async function rolesPanel(context: RequestContext, who: Subject): Promise<Panel[]> {
  if (!context.api.may('GET /assignments/{kind}/{subject}')) return [];
  const assignments = await listAssignments(context, who);
  const mayRemove = context.api.may(removeRoute);
  const rows = assignments.map(({ role, until, granted_by, created_at }) => [
    cell.link(role, rolePath(role)),
    cell.time(created_at),
    grantedBy(granted_by),
    until && until <= context.deps.now() ? cell.quiet('Expired') : cell.time(until),
    // A role by claims is removed with the claim, or with its mapping.
    mayRemove && granted_by?.kind !== 'trust'
      ? cell.action('Remove', `${pathOf(who)}/roles/${role}/remove`, `the role ${role}`)
      : cell.text(''),
  ]);
  return [
    {
      heading: 'Roles',
      content: {
        kind: 'table',
        columns: ['Role', 'Assigned', 'By', 'Expires', ''].map((label) => ({ label })),
        rows,
        empty: 'No roles.',
      },
      actions: allowedActions(context, [
        {
          route: assignRoute,
          label: 'Assign role',
          href: `${pathOf(who)}/roles/assign`,
          danger: false,
        },
      ]),
    },
  ];
}

const words: Readonly<Record<string, string>> = {
  system: 'The command line',
  anonymous: 'The setup page',
};

/** Who assigned a role. */
export function grantedBy(granted_by: z.output<typeof AssignmentView>['granted_by']): Cell {
  if (granted_by === null) return cell.text('Not recorded');
  const { kind, id, name } = granted_by;
  const what = { api_key: 'API key ', trust: 'Trust ' }[kind] ?? '';
  return cell.text(words[kind] ?? `${what}${name ?? id ?? kind}`);
}

async function listAssignments({ api }: RequestContext, params: Subject) {
  return (await api.call('GET /assignments/{kind}/{subject}', { params })).items;
}

/** Assigning and removing roles of a kind of subject. */
export const roleActionsOf = (kind: Subject['kind']): Action[] => [assigning(kind), removing(kind)];

const assigning = (kind: Subject['kind']): Action => ({
  path: `/${sectionOf[kind]}/:subject/roles/assign`,
  route: assignRoute,
  describe: async (context) => {
    const who = { kind, subject: context.params.subject ?? '' };
    const { items } = await context.api.call('GET /roles', { query: { limit: '200' } });
    const options = items.map(({ name, description }) => ({
      value: name,
      text: description ? `${name}: ${description}` : name,
    }));
    const present = await listAssignments(context, who);
    return {
      crumb: context.crumb,
      heading: `Assign a role to ${who.subject}`,
      name: who.subject,
      words: [
        `Present roles: ${present.map(({ role }) => role).join(', ') || 'none'}. You can assign only roles whose permissions you hold.`,
      ],
      impact: [],
      fields: [
        { name: 'role', label: 'Role', type: 'select', value: '', options, is_required: true },
        {
          name: 'until',
          label: 'Expires (UTC)',
          type: 'datetime-local',
          value: '',
          hint: 'Empty: never. A role that is already assigned gets this expiry instead.',
        },
      ],
      button: 'Assign role',
      danger: false,
      back: pathOf(who),
    };
  },
  perform: async ({ api, params: { subject = '' } }, sent) => {
    const params = { role: sent.text('role') ?? '', kind, subject };
    await api.call(assignRoute, { params, body: { until: untilIn(sent) } });
    return { to: pathOf({ kind, subject }), done: 'role-given' };
  },
});

/** The value of a browser's date and time field, read as UTC. */
function untilIn(sent: FormInput): string | undefined {
  const given = sent.text('until');
  if (given === undefined) return undefined;
  const at = new Date(`${given.replace(' ', 'T')}Z`);
  if (!/^\d{4}-\d\d-\d\d[T ]\d\d:\d\d(:\d\d)?$/.test(given) || Number.isNaN(at.getTime()))
    throw invalid('/until', 'Enter a date and a time, such as 2027-02-21T14:05.');
  return at.toISOString();
}

const removing = (kind: Subject['kind']): Action => ({
  path: `/${sectionOf[kind]}/:subject/roles/:role/remove`,
  route: removeRoute,
  describe: async (context) => {
    const { subject = '', role = '' } = context.params;
    const { permissions } = await context.api.call('GET /roles/{role}', { params: { role } });
    return {
      crumb: context.crumb,
      heading: `Remove the role ${role} from ${subject}?`,
      name: subject,
      words: ['These permissions are lost from the next request, unless another role gives them.'],
      impact: permissions.map(({ pattern, resource }) => ({
        text: pattern,
        words: resource === null ? 'at every API' : `at ${resource}`,
      })),
      fields: [],
      button: `Remove ${role}`,
      danger: true,
      back: pathOf({ kind, subject }),
    };
  },
  perform: async ({ api, params: { subject = '', role = '' } }) => {
    await api.call(removeRoute, { params: { role, kind, subject } });
    return { to: pathOf({ kind, subject }), done: 'role-taken' };
  },
});
