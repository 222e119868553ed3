import type { z } from 'zod';
import type { AssignmentView } from '../../../../domain/access/index.ts';
import { invalid } from '../../../../platform/http/index.ts';
import * as cell from '../../records/cells.ts';
import type { Cell, Table } from '../../records/page-shapes.ts';
import type { Action, FormInput } from '../actions.ts';
import { allowedActions, type RequestContext } from '../request-context.ts';
import { rolePath } from './role.ts';

type Subject = { kind: 'user' | 'client'; subject: string };

const assignRoute = 'PUT /roles/{role}/assignments/{kind}/{subject}';
const takeRoute = 'DELETE /roles/{role}/assignments/{kind}/{subject}';

/** Users and clients have their pages in a section of their own. */
const sectionOf = { user: 'users', client: 'clients' } as const satisfies Record<Subject['kind'], string>;

const pathOf = ({ kind, subject }: Subject) => `/console/${sectionOf[kind]}/${encodeURIComponent(subject)}`;

/** The roles of a person or client; none for who may not see them. */
export async function rolesTable(context: RequestContext, who: Subject): Promise<Table[]> {
  if (!context.api.may('GET /assignments/{kind}/{subject}')) return [];
  const assignments = await listAssignments(context, who);
  const mayTake = context.api.may(takeRoute);
  const rows = assignments.map(({ role, until, granted_by, created_at }) => [
    cell.link(role, rolePath(role)),
    cell.time(created_at),
    givenBy(granted_by),
    until && until <= context.deps.now() ? cell.quiet('over') : cell.time(until, 'for good'),
    mayTake ? cell.action('Take away', `${pathOf(who)}/roles/${role}/take`, `the role ${role}`) : cell.text(''),
  ]);
  return [
    {
      heading: 'Roles',
      columns: ['Role', 'Given', 'By', 'Until', ''],
      rows,
      empty: 'No role: nothing here may be managed.',
      actions: allowedActions(context, [
        {
          route: assignRoute,
          label: 'Give a role',
          href: `${pathOf(who)}/roles/give`,
          danger: false,
          words: 'For good, or until a time',
        },
      ]),
    },
  ];
}

const words: Readonly<Record<string, string>> = {
  system: 'the operator at the machine',
  anonymous: 'the setup page',
};

/** Who gave a role. */
export function givenBy(granted_by: z.output<typeof AssignmentView>['granted_by']): Cell {
  if (granted_by === null) return cell.quiet('not recorded');
  const { kind, id, name } = granted_by;
  const what = kind === 'api_key' ? 'API key ' : '';
  return cell.text(words[kind] ?? `${what}${name ?? id ?? kind}`);
}

async function listAssignments({ api }: RequestContext, params: Subject) {
  return (await api.call('GET /assignments/{kind}/{subject}', { params })).items;
}

/** Giving and taking roles of a kind of subject. */
export const roleActionsOf = (kind: Subject['kind']): Action[] => [giving(kind), taking(kind)];

const giving = (kind: Subject['kind']): Action => ({
  path: `/${sectionOf[kind]}/:subject/roles/give`,
  route: assignRoute,
  describe: async (context) => {
    const who = { kind, subject: context.params.subject ?? '' };
    const { items } = await context.api.call('GET /roles');
    const options = items.map(({ name, description }) => ({
      value: name,
      text: description ? `${name}: ${description}` : name,
    }));
    const present = await listAssignments(context, who);
    return {
      crumb: context.crumb,
      heading: 'Give a role to',
      name: who.subject,
      words: [
        present.length > 0
          ? `They have ${present.map(({ role }) => role).join(', ')} now. A role that gives what you do not hold yourself is refused.`
          : 'They have none now. A role that gives what you do not hold yourself is refused.',
      ],
      impact: [],
      fields: [
        { name: 'role', label: 'Role', type: 'select', value: '', options, is_required: true },
        {
          name: 'until',
          label: 'Until (UTC)',
          type: 'datetime-local',
          value: '',
          hint: 'Left empty: for good. A role they have already gets this end instead.',
        },
      ],
      button: 'Give the role',
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

/** What a browser's field for a moment sends, read as UTC. */
function untilIn(sent: FormInput): string | undefined {
  const given = sent.text('until');
  if (given === undefined) return undefined;
  const at = new Date(`${given.replace(' ', 'T')}Z`);
  if (!/^\d{4}-\d\d-\d\d[T ]\d\d:\d\d(:\d\d)?$/.test(given) || Number.isNaN(at.getTime()))
    throw invalid('/until', 'Write a day and a time as in 2027-02-21T14:05.');
  return at.toISOString();
}

const taking = (kind: Subject['kind']): Action => ({
  path: `/${sectionOf[kind]}/:subject/roles/:role/take`,
  route: takeRoute,
  describe: async (context) => {
    const { subject = '', role = '' } = context.params;
    const { permissions } = await context.api.call('GET /roles/{role}', { params: { role } });
    return {
      crumb: context.crumb,
      heading: `Take the role ${role} from`,
      name: subject,
      words: ['From the next request on they may not do any more, unless another role gives it:'],
      impact: permissions.map(({ pattern, resource }) => ({
        text: pattern,
        words: resource === null ? 'at every API' : `at ${resource}`,
      })),
      fields: [],
      button: `Take away ${role}`,
      danger: true,
      back: pathOf({ kind, subject }),
    };
  },
  perform: async ({ api, params: { subject = '', role = '' } }) => {
    await api.call(takeRoute, { params: { role, kind, subject } });
    return { to: pathOf({ kind, subject }), done: 'role-taken' };
  },
});
