import type { AdminAnswer } from '../../../admin/index.ts';
import * as cell from '../../records/cells.ts';
import { deviceName } from '../../records/devices.ts';
import { addressOf } from '../../records/lists.ts';
import type { ActionLink, Cell, Fact, Panel } from '../../records/page-shapes.ts';
import { type RequestContext, showInConsole } from '../request-context.ts';
import { actionWords, eventPath } from './event.ts';
import { resultOf } from './list.ts';
import { type Names, namesIn, partyCell, partyReference } from './parties.ts';

type PlacedEvent = AdminAnswer<'GET /audit/events/{event_id}'>;

/** An event: actor, action and origin, its details, and its position in the chain. */
export async function showEvent(context: RequestContext): Promise<void> {
  const { api, params, crumb } = context;
  const event = await api.call('GET /audit/events/{event_id}', { params: { event_id: params.event_id ?? '' } });
  const names = await namesIn(context, [event]);
  showInConsole(context, 'console-detail', {
    crumb,
    name: actionWords(event.action),
    badges: [resultOf(event)],
    line: [cell.code(event.action), cell.time(event.occurred_at)],
    notice: undefined,
    actions: links(event),
    tabs: [],
    panels: [factsOf(event, names), detailsOf(event)],
    aside: [chainOf(event)],
    danger: [],
  });
}

const link = (label: string, href: string): ActionLink => ({ label, href, danger: false });

function links({ request_id, actor_kind, actor_id, occurred_at }: PlacedEvent): ActionLink[] {
  const search = (label: string, query: Record<string, string>) => link(label, addressOf('/console/audit-log', query));
  return [
    // Found by the time, which has an index; a request takes seconds.
    ...(request_id ? [search('Events of this request', { request_id, ...aroundMinutes(occurred_at, 10) })] : []),
    ...(actor_id === null ? [] : [search('Events of this actor', { actor: partyReference(actor_kind, actor_id) })]),
  ];
}

function aroundMinutes(at: Date, minutes: number): { from: string; to: string } {
  const minute = (offset: number) => new Date(at.getTime() + offset * 60_000).toISOString().slice(0, 16);
  return { from: minute(-minutes), to: minute(minutes) };
}

function factsOf(event: PlacedEvent, names: Names): Panel {
  const { actor_kind, actor_id, target_kind, target_id, address, user_agent, request_id, reason, details } = event;
  const session = typeof details?.session_id === 'string' ? details.session_id : undefined;
  const facts: (Fact | false)[] = [
    { label: 'Actor', cell: partyCell(actor_kind, actor_id, names) },
    target_kind !== null && { label: 'Target', cell: partyCell(target_kind, target_id, names) },
    reason !== null && { label: 'Reason', cell: cell.text(reason) },
    { label: 'Address', cell: address ? cell.code(address) : cell.text('None, or erased') },
    user_agent !== null && { label: 'Browser or program', cell: cell.text(deviceName(user_agent)) },
    user_agent !== null && { label: 'User agent', cell: cell.code(user_agent) },
    session !== undefined && { label: 'Session', cell: cell.code(session) },
    request_id !== null && { label: 'Request ID', cell: cell.copied(request_id) },
    { label: 'Event ID', cell: cell.copied(event.id) },
  ];
  return { heading: 'Event', content: { kind: 'facts', facts: facts.filter((fact) => fact !== false) } };
}

function detailsOf({ details }: PlacedEvent): Panel {
  if (details === null) return { heading: 'Details', content: { kind: 'words', words: ['No details.'] } };
  const text = JSON.stringify(details, undefined, 2);
  return { heading: 'Details', content: { kind: 'snippets', snippets: [{ label: 'JSON', text }] } };
}

const states: Record<PlacedEvent['chain']['state'], Cell> = {
  verified: cell.good('Verified'),
  unsealed: cell.info('Not sealed yet'),
  changed: cell.bad('Changed after it was sealed'),
};

function chainOf({ chain }: PlacedEvent): Panel {
  const { segment, previous_id, next_id, fault, digest, state } = chain;
  const facts: (Fact | false)[] = [
    { label: 'State', cell: states[state] },
    fault !== null && { label: 'Difference', cell: cell.text(fault) },
    segment !== null && {
      label: 'Segment',
      cell: cell.text(`${segment.number}, event ${segment.ordinal} of ${segment.size}`),
    },
    segment !== null && { label: 'Sealed', cell: cell.time(segment.sealed_at) },
    { label: 'Digest', cell: cell.code(digest) },
    segment !== null && { label: 'Seal', cell: cell.code(segment.head) },
  ];
  return {
    heading: 'Chain position',
    intro: 'The digest of the event is compared with the sealed one, and the signature of its segment is verified.',
    content: { kind: 'facts', facts: facts.filter((fact) => fact !== false) },
    actions: [
      ...(previous_id ? [link('Previous event', eventPath(previous_id))] : []),
      ...(next_id ? [link('Next event', eventPath(next_id))] : []),
    ],
  };
}
