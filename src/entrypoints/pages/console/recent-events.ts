import type { z } from 'zod';
import type { EventView } from '../../../domain/audit/index.ts';
import * as cell from '../records/cells.ts';
import { deviceName } from '../records/devices.ts';
import { addressOf } from '../records/lists.ts';
import type { EventLine, Panel } from '../records/page-shapes.ts';
import { actionWords, eventPath } from './audit-log/event.ts';
import type { RequestContext } from './request-context.ts';

type Event = z.output<typeof EventView>;

/** A record as events name it, and as a filter of the audit log does. */
export type EventParty = {
  kind: 'user' | 'client' | 'api_key' | 'role' | 'resource_server' | 'trust' | 'secret';
  id: string;
  reference: string;
};

/**
 * The last events by a record and about it, newest first; nothing for a user who may not read the audit log.
 */
export async function recentEvents(context: RequestContext, party: EventParty, most = 10): Promise<Panel[]> {
  const { api } = context;
  if (!api.may('GET /audit/events')) return [];
  const { kind, id } = party;
  const limit = String(most);
  const [by, about] = await Promise.all([
    isActor(kind) ? api.call('GET /audit/events', { query: { actor: id, actor_kind: kind, limit } }) : { items: [] },
    api.call('GET /audit/events', { query: { target: id, target_kind: kind, limit } }),
  ]);
  const events = [...new Map([...by.items, ...about.items].map((event) => [event.id, event])).values()];
  const newest = events.sort((a, b) => b.occurred_at.getTime() - a.occurred_at.getTime()).slice(0, most);
  const filter = isActor(kind) ? { actor: party.reference } : { target: party.reference };
  return [
    {
      heading: 'Recent activity',
      link: { text: 'View all in audit log', href: addressOf('/console/audit-log', filter) },
      content: { kind: 'events', events: newest.map(lineOf), empty: 'No events yet.' },
    },
  ];
}

const isActor = (kind: string) => kind === 'user' || kind === 'client' || kind === 'api_key';

function lineOf({ id, action, outcome, reason, address, user_agent, occurred_at }: Event): EventLine {
  return {
    text: actionWords(action),
    tone: outcome === 'failure' ? 'bad' : 'good',
    about: [
      cell.code(action),
      ...(reason ? [cell.text(reason)] : []),
      ...(address ? [cell.code(address)] : []),
      ...(user_agent ? [cell.text(deviceName(user_agent))] : []),
    ],
    at: occurred_at,
    href: eventPath(id),
  };
}
