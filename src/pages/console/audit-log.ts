import type { z } from 'zod';
import { EventView } from '../../audit/index.ts';
import { pageOf } from '../../platform/http/index.ts';
import { findUser, findUserById } from '../../users/index.ts';
import * as cell from '../records/cells.ts';
import type { Cell } from '../records/page-shapes.ts';
import { clientPath } from './clients.ts';
import type { List } from './lists.ts';
import { personPath } from './people.ts';
import type { Place } from './place.ts';

type Event = z.output<typeof EventView>;

export const auditLog: List = {
  section: 'audit-log',
  heading: 'What happened?',
  intro: 'Every event, the last one first.',
  columns: ['When', 'What', 'Who', 'To whom or what', 'From'],
  search: 'Anywhere in an event',
  filters: [
    { name: 'actor', label: 'Who did it', options: [] },
    { name: 'target', label: 'To whom or what', options: [] },
    { name: 'action', label: 'Action', options: [] },
    {
      name: 'outcome',
      label: 'Outcome',
      options: [
        { value: '', text: 'of every outcome' },
        { value: 'success', text: 'success' },
        { value: 'failure', text: 'failure' },
      ],
    },
  ],
  empty: 'No event is like this.',
  read: async (place, { q: text, actor, target, action, outcome, cursor }) => {
    const [actorId, targetId] = await Promise.all([idOf(place, actor), idOf(place, target)]);
    const named = { text, actor: actorId, target: targetId, action, outcome, cursor };
    const query = Object.fromEntries(Object.entries(named).flatMap(([name, value]) => (value ? [[name, value]] : [])));
    const { items, next } = await place.calls.read('GET /audit/events', pageOf(EventView), { query });
    const names = await namesIn(place, items);
    return { rows: items.map((event) => rowOf(event, names)), next };
  },
};

/** Events hold the ids of people; a username or address stands for one. */
async function idOf({ deps }: Place, name: string | undefined): Promise<string | undefined> {
  return name === undefined ? undefined : ((await findUser(deps.db, name))?.id ?? name);
}

type Names = ReadonlyMap<string, string>;

/** The usernames of people in events. */
async function namesIn({ deps }: Place, events: readonly Event[]): Promise<Names> {
  const ids = events.flatMap(({ actor_kind, actor_id, target_kind, target_id }) => [
    ...(actor_kind === 'user' && actor_id ? [actor_id] : []),
    ...(target_kind === 'user' && target_id ? [target_id] : []),
  ]);
  const people = await Promise.all([...new Set(ids)].map((id) => findUserById(deps.db, id)));
  return new Map(people.flatMap((person) => (person ? [[person.id, person.username] as const] : [])));
}

function rowOf(event: Event, names: Names): Cell[] {
  const { occurred_at, action, outcome, actor_kind, actor_id, target_kind, target_id, address } = event;
  return [
    cell.time(occurred_at),
    outcome === 'failure' ? cell.bad(action) : cell.code(action),
    whoOf(actor_kind, actor_id, names),
    target_kind ? whoOf(target_kind, target_id, names) : cell.text(''),
    address ? cell.code(address) : cell.text(''),
  ];
}

function whoOf(kind: string, id: string | null, names: Names): Cell {
  const username = id === null ? undefined : names.get(id);
  if (kind === 'user' && username) return cell.link(username, personPath(username));
  if (kind === 'client' && id !== null) return cell.link(id, clientPath(id));
  if (kind === 'role' && id !== null) return cell.link(id, `/console/roles/${encodeURIComponent(id)}`);
  return cell.text(id === null ? kind : `${kind} ${id}`);
}
