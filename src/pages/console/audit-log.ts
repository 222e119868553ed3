import { listEvents, type RecordedEvent } from '../../audit/index.ts';
import { forbidden } from '../../platform/http/index.ts';
import { findUserById } from '../../users/index.ts';
import { mayDo } from './administrator.ts';
import * as cell from './cells.ts';
import { clientPath } from './clients.ts';
import type { Cell } from './console-pages.ts';
import type { List } from './lists.ts';
import { personPath } from './people.ts';
import type { Place } from './place.ts';

const newest = 200;
const permission = 'latchkey:audit:read';

export const auditLog: List = {
  section: 'audit-log',
  heading: 'What happened?',
  intro: `The newest ${newest} events, the last one first. “latchkey audit tail” shows all that follow.`,
  columns: ['When', 'What', 'Who', 'To whom or what', 'From'],
  search: 'Action, person, client or address',
  filters: [
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
  empty: 'None of the newest events is like this.',
  read: async (place, { q = '', outcome }) => {
    if (!mayDo(place.who, permission)) throw forbidden(permission, `This needs "${permission}".`);
    const events = await listEvents(place.deps.db, { limit: newest });
    const names = await namesIn(place, events);
    const wanted = q.toLowerCase();
    const found = events.filter(
      (event) =>
        (!outcome || event.outcome === outcome) &&
        textsOf(event, names).some((each) => each.toLowerCase().includes(wanted)),
    );
    return { rows: found.reverse().map((event) => rowOf(event, names)), next: null };
  },
};

type Names = ReadonlyMap<string, string>;

/** The usernames of people in events, which hold ids only. */
async function namesIn({ deps }: Place, events: readonly RecordedEvent[]): Promise<Names> {
  const ids = events.flatMap(({ actor_kind, actor_id, target_kind, target_id }) => [
    ...(actor_kind === 'user' && actor_id ? [actor_id] : []),
    ...(target_kind === 'user' && target_id ? [target_id] : []),
  ]);
  const people = await Promise.all([...new Set(ids)].map((id) => findUserById(deps.db, id)));
  return new Map(people.flatMap((person) => (person ? [[person.id, person.username] as const] : [])));
}

function textsOf(event: RecordedEvent, names: Names): string[] {
  const { action, actor_kind, actor_id, target_kind, target_id, address, request_id, reason } = event;
  const ids = [actor_id, target_id].map((id) => (id && names.get(id)) ?? id);
  return [action, actor_kind, target_kind, address, request_id, reason, ...ids].filter((each) => each != null);
}

function rowOf(event: RecordedEvent, names: Names): Cell[] {
  const { occurred_at, action, outcome, actor_kind, actor_id, target_kind, target_id, address } = event;
  return [
    cell.time(occurred_at),
    outcome === 'failure' ? cell.bad(action) : cell.code(action),
    whoOf(actor_kind, actor_id, names),
    target_kind ? whoOf(target_kind, target_id, names) : cell.text(''),
    cell.text(address ?? 'this machine'),
  ];
}

function whoOf(kind: string, id: string | null, names: Names): Cell {
  const username = id === null ? undefined : names.get(id);
  if (kind === 'user' && username) return cell.link(username, personPath(username));
  if (kind === 'client' && id !== null) return cell.link(id, clientPath(id));
  if (kind === 'role' && id !== null) return cell.link(id, `/console/roles/${encodeURIComponent(id)}`);
  return cell.text(id === null ? kind : `${kind} ${id}`);
}
