import type { SecretVerb } from '../../../../domain/secrets/index.ts';
import type { AdminAnswer } from '../../../admin/index.ts';
import * as cell from '../../records/cells.ts';
import { choiceFilter } from '../../records/filters.ts';
import type { Cell } from '../../records/page-shapes.ts';
import type { List } from '../lists.ts';
import type { RequestContext } from '../request-context.ts';
import { secretPath } from './addresses.ts';
import { ownerCell } from './owners.ts';
import { dueCell } from './rotation.ts';
import { currentCell, rightsOf } from './secret.ts';

type Row = AdminAnswer<'GET /secrets'>['items'][number];

const riskFilter = choiceFilter(
  { name: 'risk', label: 'Risk', any: 'All risks' },
  { high: 'High', medium: 'Medium', low: 'Low' },
);
const stateFilter = choiceFilter(
  { name: 'state', label: 'State', any: 'All states' },
  { live: 'Active', deleted: 'Deleted', expired: 'Expired', destroyed: 'Destroyed', none: 'No value here' },
);
const dueFilter = choiceFilter(
  { name: 'due', label: 'Rotation', any: 'Due or not' },
  { true: 'Due', false: 'Not due' },
);

const writing = { route: 'POST /secrets/{path}/versions', verb: 'write', danger: false } as const;

type Link = NonNullable<List['actions']>[number] & { verb?: SecretVerb };

/** The list of secrets, with the actions for which the user has a permission in the store. */
export async function secretListFor(context: RequestContext): Promise<List> {
  const { mayAnywhere } = await rightsOf(context);
  return { ...secretList, actions: links.filter(({ verb }) => verb === undefined || mayAnywhere(verb)) };
}

const links: readonly Link[] = [
  { ...writing, label: 'Create secret', href: '/console/new-secret' },
  { ...writing, label: 'Generate secret', href: '/console/generate-secret', isPlain: true },
  {
    ...{ route: 'PATCH /secrets/{path}', verb: 'write', danger: false, isPlain: true },
    ...{ label: 'Register credential', href: '/console/register-credential' },
  },
  {
    ...{ route: 'POST /secret-searches', verb: 'read', danger: false, isPlain: true },
    ...{ label: 'Find value', href: '/console/find-secret' },
  },
  { route: 'GET /vault', label: 'Seal', href: '/console/vault', danger: false, isPlain: true },
];

const secretList: List = {
  heading: 'Secrets',
  intro: 'Values that services read, encrypted, with versions. Each read is recorded before the value is sent.',
  noun: 'secret',
  icon: 'secret',
  columns: [
    { label: 'Path', sort: 'path' },
    { label: 'Version' },
    { label: 'Environment' },
    { label: 'Risk' },
    { label: 'Owner' },
    { label: 'Rotation due' },
    { label: 'Updated', sort: '-updated_at' },
  ],
  sort: 'path',
  search: 'Path, description, environment or label',
  searchHint: 'Finds any part of the text.',
  filters: [{ name: 'prefix', label: 'Path begins with', options: [] }, stateFilter, riskFilter, dueFilter],
  empty: {
    heading: 'No secrets that you may list',
    words:
      'Create a secret, or ask for a role with permissions such as secrets:list:* at the API of the store. Services read values by Vault’s API or the latchkey command.',
  },
  read: async (context, query) => {
    const { items, ...page } = await context.api.call('GET /secrets', { query });
    return {
      rows: items.map((item) => [
        ...[...rowOf(item), ownerCell(context, item.owner), dueCell(item, context.deps.now())],
        cell.time(item.updated_at),
      ]),
      ...page,
    };
  },
};

function rowOf(row: Row): Cell[] {
  const { path, environment, risk } = row;
  return [cell.link(path, secretPath(path)), currentCell(row), cell.text(environment ?? ''), riskCell(risk)];
}

function riskCell(risk: string | null): Cell {
  if (risk === 'high') return cell.warn('High');
  return cell.text(risk === null ? '' : `${risk.charAt(0).toUpperCase()}${risk.slice(1)}`);
}
