import type { z } from 'zod';
import type { AuditAction, EventView } from '../../../domain/audit/index.ts';
import * as cell from '../records/cells.ts';
import { deviceName } from '../records/devices.ts';
import { addressOf } from '../records/lists.ts';
import type { Cell, EventLine, Panel } from '../records/page-shapes.ts';
import { actionWords, eventPath } from './audit-log/event.ts';
import { type Names, namesIn, partyCell } from './audit-log/parties.ts';
import type { RequestContext } from './request-context.ts';

type Event = z.output<typeof EventView>;

/** A record as events name it, and as a filter of the audit log does. */
export type EventParty = {
  kind: 'user' | 'client' | 'api_key' | 'role' | 'resource_server' | 'trust' | 'secret';
  id: string;
  reference: string;
  /** An action that is left out. */
  except?: AuditAction;
};

// Enough to leave some when others are left out.
const mostRead = 100;

/**
 * The last events by a record and about it, newest first; nothing for a user who may not read the audit log.
 */
export async function recentEvents(context: RequestContext, party: EventParty, most = 10): Promise<Panel[]> {
  const { api } = context;
  if (!api.may('GET /audit/events')) return [];
  const { kind, id, except } = party;
  const limit = String(except === undefined ? most : mostRead);
  const [by, about] = await Promise.all([
    isActor(kind) ? api.call('GET /audit/events', { query: { actor: id, actor_kind: kind, limit } }) : { items: [] },
    api.call('GET /audit/events', { query: { target: id, target_kind: kind, limit } }),
  ]);
  const all = [...by.items, ...about.items];
  const events = [...new Map(all.map((event) => [event.id, event])).values()];
  const newest = events
    .filter(({ action }) => action !== except)
    .sort((a, b) => b.occurred_at.getTime() - a.occurred_at.getTime())
    .slice(0, most);
  const names = await namesIn(context, newest);
  const filter = isActor(kind) ? { actor: party.reference } : { target: party.reference };
  return [
    {
      heading: 'Recent activity',
      link: { text: 'View all in audit log', href: addressOf('/console/audit-log', filter) },
      content: {
        kind: 'events',
        events: newest.map((event) => lineOf(event, actorIn(event, party, names))),
        empty: 'No events yet.',
      },
    },
  ];
}

const isActor = (kind: string) => kind === 'user' || kind === 'client' || kind === 'api_key';

/** The actor of an event, unless it is the record itself. */
function actorIn({ actor_kind, actor_id }: Event, { kind, id }: EventParty, names: Names): Cell[] {
  if (actor_kind === null || (actor_kind === kind && actor_id === id)) return [];
  return [cell.after('by', partyCell(actor_kind, actor_id, names))];
}

function lineOf({ id, action, outcome, reason, address, user_agent, occurred_at }: Event, by: Cell[]): EventLine {
  return {
    text: actionWords(action),
    tone: outcome === 'failure' ? 'bad' : 'good',
    about: [
      cell.code(action),
      ...by,
      ...(reason ? [cell.text(reason)] : []),
      ...(address ? [cell.code(address)] : []),
      ...(user_agent ? [cell.text(deviceName(user_agent))] : []),
    ],
    at: occurred_at,
    href: eventPath(id),
  };
}
