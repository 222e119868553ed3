import { auditActions } from '../../../../domain/audit/index.ts';
import * as cell from '../../records/cells.ts';
import { choiceFilter } from '../../records/filters.ts';
import type { Cell } from '../../records/page-shapes.ts';
import type { List } from '../lists.ts';
import { rangeFilters, rangeIn } from '../ranges.ts';
import type { RequestContext } from '../request-context.ts';
import { actionWords, eventPath } from './event.ts';
import { eventsOverTime } from './over-time.ts';
import { type Event, type Names, namesIn, partyCell, partyIn } from './parties.ts';
import { verificationPath } from './verification.ts';

const actionsInWords = auditActions
  .map((action): [string, string] => [action, actionWords(action)])
  .sort(([, one], [, other]) => one.localeCompare(other, 'en'));

export const auditEventList: List = {
  heading: 'Audit log',
  intro: 'Sign-ins, tokens and administrative actions. Each event is sealed in a signed chain.',
  noun: 'event',
  icon: 'log',
  columns: [
    { label: 'Event' },
    { label: 'Result' },
    { label: 'Actor' },
    { label: 'Target' },
    { label: 'Address' },
    { label: 'Time', sort: '-occurred_at' },
  ],
  sort: '-occurred_at',
  search: 'Target, address or text',
  searchHint: 'Any part of an event',
  filters: [
    { name: 'actor', label: 'Actor', example: 'ada, client:web', options: [] },
    choiceFilter({ name: 'action', label: 'Action', any: 'All actions' }, Object.fromEntries(actionsInWords)),
    { name: 'target', label: 'Target', example: 'ada, client:web', options: [] },
    choiceFilter(
      { name: 'outcome', label: 'Result', any: 'All results' },
      { success: 'Succeeded', failure: 'Denied or failed' },
    ),
    { name: 'request_id', label: 'Request ID', options: [] },
    ...rangeFilters,
  ],
  actions: [
    { route: 'GET /audit/verification', label: 'Verify chain', href: verificationPath, danger: false, isPlain: true },
    { route: 'GET /audit/export', label: 'Export', href: '/console/audit-log/export', danger: false, isPlain: true },
  ],
  empty: { heading: 'No events yet', words: 'Events appear here as they happen.' },
  chart: async (context, { sort: _, ...query }) => eventsOverTime(context, await routeQuery(context, query)),
  read: async (context, { total: _, ...asked }) => {
    const given = await routeQuery(context, asked);
    // Counting takes as long as reading what is counted: within a range that is little.
    const query = given.from ? { ...given, total: 'true' } : given;
    const { items, ...page } = await context.api.call('GET /audit/events', { query });
    const names = await namesIn(context, items);
    return { rows: items.map((event) => rowOf(event, names)), ...page };
  },
};

/** The query of the page as routes take it. */
async function routeQuery(
  context: RequestContext,
  { q: text, actor, target, range, from, to, ...given }: Record<string, string>,
): Promise<Record<string, string>> {
  const [by, about] = await Promise.all([partyIn(context, actor), partyIn(context, target)]);
  const parties = { actor: by.id, actor_kind: by.kind, target: about.id, target_kind: about.kind };
  const named = { ...given, text, ...parties, ...rangeIn(context.deps.now(), { range, from, to }) };
  return Object.fromEntries(Object.entries(named).flatMap(([name, value]) => (value ? [[name, value]] : [])));
}

function rowOf(event: Event, names: Names): Cell[] {
  const { id, occurred_at, action, actor_kind, actor_id, target_kind, target_id, address } = event;
  return [
    cell.link(actionWords(action), eventPath(id), action),
    resultOf(event),
    partyCell(actor_kind, actor_id, names),
    partyCell(target_kind, target_id, names),
    address ? cell.code(address) : cell.text(''),
    cell.time(occurred_at),
  ];
}

/** The result of an event, with the reason for a failure. */
export function resultOf({ outcome, reason }: Event): Cell {
  return outcome === 'success' ? cell.good('Succeeded') : cell.bad(reason ?? 'Failed');
}
